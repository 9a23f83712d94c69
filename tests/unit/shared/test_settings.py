"""What a function may be configured to do, and when it refuses to start."""

import pytest
from pydantic import ValidationError

from shared.settings import Settings, from_environment
from tests.unit.shared.fakes import settings


def test_origins_are_a_comma_separated_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://nexus.example/, http://localhost:3001,")
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:54321/")
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_x")

    found = Settings.model_validate({})

    assert found.allowed_origins == ("https://nexus.example", "http://localhost:3001")
    assert found.supabase_url == "http://127.0.0.1:54321"


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize("switch", [{"demo_identity": "true"}, {"rate_limits": "off"}])
def test_a_deployed_stage_refuses_to_start_with_a_laptop_switch(stage: str, switch: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="STAGE=local"):
        settings(stage=stage, **switch)


DEPLOYED = {
    "supabase_url": "https://project.example",
    "allowed_origins": "https://nexus.example",
    "aws_endpoint_url_sqs": None,
}


@pytest.mark.parametrize(
    ("laptop", "named"),
    [
        ({"supabase_url": "http://127.0.0.1:54321"}, "SUPABASE_URL"),
        ({"gemini_base_url": "http://127.0.0.1:1"}, "GEMINI_BASE_URL"),
        ({"langfuse_base_url": "http://127.0.0.1:1"}, "LANGFUSE_BASE_URL"),
        ({"aws_endpoint_url_sqs": "http://127.0.0.1:1"}, "AWS_ENDPOINT_URL_SQS"),
        ({"allowed_origins": "http://localhost:3000"}, "ALLOWED_ORIGINS"),
    ],
)
def test_a_deployed_stage_refuses_to_start_with_a_laptop_address(laptop: dict[str, str], named: str) -> None:
    assert settings(stage="prod", **DEPLOYED).deployed
    with pytest.raises(ValidationError, match=named):
        settings(stage="prod", **{**DEPLOYED, **laptop})


def test_a_deployed_function_refuses_to_start_with_a_secret_among_its_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = {"STAGE": "prod", "SUPABASE_URL": "https://project.example", "ALLOWED_ORIGINS": ""}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ACCOUNTS_KEY", "ssm:/nexus/prod/accounts-key")
    assert from_environment(Settings).deployed

    monkeypatch.setenv("ACCOUNTS_KEY", "the-key-itself")
    with pytest.raises(ValueError, match="ACCOUNTS_KEY") as refusal:
        from_environment(Settings)
    assert "the-key-itself" not in str(refusal.value)


def test_the_laptop_may_use_its_switches() -> None:
    assert settings(stage="local", demo_identity="true", rate_limits="off").demo_identity


@pytest.mark.parametrize(
    "wrong",
    [
        {"stage": "production"},
        {"supabase_url": "localhost:54321"},
        {"allowed_origins": "*"},
        {"log_level": "LOUD"},
    ],
)
def test_a_wrong_value_is_refused_at_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_settings_cannot_change_while_running() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().stage = "prod"


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert "unit-test-secret" not in repr(settings())


def test_user_facing_functions_have_no_place_for_the_service_role_key() -> None:
    assert not [name for name in Settings.model_fields if "service" in name or name == "supabase_secret_key"]
