"""The service key: needed by the functions that have no user, and out of reach of the others."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.service import ServiceSettings
from shared.settings import Settings


def service_settings(**changes: str) -> ServiceSettings:
    usual = {"supabase_url": "https://project.supabase.co/", "supabase_secret_key": "sb_secret_unit_tests"}
    return ServiceSettings.model_validate({**usual, **changes})


def test_without_the_key_such_a_function_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "")

    with pytest.raises(ValidationError, match="supabase_secret_key"):
        ServiceSettings.model_validate({"supabase_url": "https://project.supabase.co"})


def test_the_key_is_not_shown() -> None:
    assert "unit_tests" not in repr(service_settings())
    assert service_settings().supabase_url == "https://project.supabase.co"


def test_functions_that_answer_users_cannot_read_it() -> None:
    assert not [name for name in Settings.model_fields if "secret_key" in name and "supabase" in name]
