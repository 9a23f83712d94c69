"""Dispatch does not start with settings that would lose something or reach where it must not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from functions.dispatch.settings import DispatchSettings

SECRET = f"whsec_{'A' * 32}"


def settings(**changes: Any) -> DispatchSettings:
    usual = {
        "stage": "prod",
        "supabase_url": "https://project.supabase.co",
        "supabase_secret_key": "sb_secret_test",
        "partner_url": "https://partner.example/webhooks",
        "partner_webhook_secrets": SECRET,
        "notification_channels": "email, sms",
        "email_sender": "orders@nexus.example",
    }
    return DispatchSettings.model_validate({**usual, **changes})


def test_good_settings_are_read() -> None:
    assert settings().notification_channels == ("email", "sms")
    assert settings(partner_webhook_secrets=f"{SECRET},{SECRET}").signing_secrets == (SECRET, SECRET)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"partner_url": "http://partner.example"}, "PARTNER_URL must be https"),
        ({"partner_url": "https://user:pass@partner.example"}, "without a login"),
        ({"partner_url": "https://0177.0.0.1/x"}, "is no URL"),
        ({"partner_url": "file:///etc/passwd"}, "http or https"),
        ({"partner_url": "partner.example"}, "http or https"),
        ({"notification_channels": "console"}, "console is for STAGE=local"),
        ({"notification_channels": "pigeon"}, "notification_channels"),
        ({"email_sender": None}, "NOTIFICATION_CHANNELS=email needs"),
        (
            {"notification_channels": "whatsapp", "whatsapp_token": "t"},
            "NOTIFICATION_CHANNELS=whatsapp needs",
        ),
        ({"whatsapp_base_url": "http://graph.example"}, "WHATSAPP_BASE_URL must be https"),
        ({"partner_webhook_secrets": "password"}, "partner_webhook_secrets"),
        ({"dispatch_lease_seconds": 15}, "at least twice"),
        ({"dispatch_lease_seconds": 600}, "dispatch_lease_seconds"),
        ({"partner_timeout_seconds": 0}, "partner_timeout_seconds"),
    ],
)
def test_bad_settings_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named) as refusal:
        settings(**changes)
    assert "sb_secret_test" not in str(refusal.value)


def test_plain_http_and_the_console_are_for_the_laptop() -> None:
    settings(stage="local", partner_url="http://127.0.0.1:54326/webhooks", notification_channels="console")
