"""What a function may be configured to do, and when it refuses to start."""

import pytest
from pydantic import ValidationError

from shared.settings import Settings
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
