"""The partner's door without what lies behind it: who is let in, and what is passed on."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from functions.webhooks.handler import app
from functions.webhooks.settings import WebhookSettings, partner_signatures
from shared.errors import Conflict, Unavailable
from shared.service import service_gateway
from shared.webhooks import Signatures
from tests.unit.shared.fakes import FakeGateway, client_of

PATH = "/api/webhooks/fulfillment"
EVENT = {
    "type": "fulfillment.updated",
    "timestamp": "2026-11-21T10:00:00Z",
    "data": {"order_id": "ORD1042", "status": "shipped", "tracking_number": "TRK-1", "carrier": "ignored"},
}


def secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


OLD, NEW = secret(), secret()


@pytest.fixture
def database() -> FakeGateway:
    return FakeGateway({"receive_webhook": {"outcome": "applied", "duplicate": False}})


@pytest.fixture
def partner(database: FakeGateway) -> TestClient:
    client = client_of(app)
    app.dependency_overrides[partner_signatures] = lambda: Signatures([OLD, NEW])
    app.dependency_overrides[service_gateway] = lambda: database
    return client


def send(partner: TestClient, event: Any, *, with_secret: str = NEW, webhook_id: str = "msg_1") -> Any:
    body = json.dumps(event).encode()
    headers = Signatures([with_secret]).sign(webhook_id, datetime.now(UTC), body)
    return partner.post(PATH, content=body, headers=headers)


@pytest.mark.parametrize("which", [OLD, NEW])
def test_either_secret_opens_while_they_are_exchanged(
    partner: TestClient, database: FakeGateway, which: str
) -> None:
    answer = send(partner, EVENT, with_secret=which)

    assert (answer.status_code, answer.json()) == (200, {"status": "recorded", "duplicate": False})
    [(name, arguments)] = database.calls
    assert name == "receive_webhook"
    assert arguments["p_webhook_id"] == "msg_1"
    assert arguments["p_event"]["data"] == {
        "order_id": "ORD1042",
        "status": "shipped",
        "tracking_number": "TRK-1",
    }


def test_another_secret_reaches_nothing(partner: TestClient, database: FakeGateway) -> None:
    answer = send(partner, EVENT, with_secret=secret())

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "StandardWebhooks"
    assert database.calls == []


@pytest.mark.parametrize("webhook_id", ["x" * 256, "x" * 900])
def test_an_id_that_cannot_be_kept_is_400(
    partner: TestClient, database: FakeGateway, webhook_id: str
) -> None:
    assert send(partner, EVENT, webhook_id=webhook_id).status_code == 400
    assert database.calls == []


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"outcome": "unknown_order", "duplicate": False}, 404, "order_not_found"),
        (Conflict(code="webhook_id_reused"), 409, "webhook_id_reused"),
        (Unavailable(code="database_unavailable"), 503, "database_unavailable"),
    ],
)
def test_what_the_database_refuses_is_passed_on(
    partner: TestClient, database: FakeGateway, answer: object, status: int, code: str
) -> None:
    database.answers["receive_webhook"] = answer

    refusal = send(partner, EVENT)

    assert (refusal.status_code, refusal.json()["code"]) == (status, code)


@pytest.mark.parametrize("outcome", ["applied", "unchanged", "late", "conflict", "pending"])
def test_whatever_came_of_it_is_for_us_to_know(
    partner: TestClient, database: FakeGateway, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database.answers["receive_webhook"] = {"outcome": outcome, "duplicate": True}

    answer = send(partner, EVENT)

    assert (answer.status_code, answer.json()) == (200, {"status": "recorded", "duplicate": True})
    assert ("FulfilmentConflict" in capsys.readouterr().out) == (outcome == "conflict")


def test_without_the_partners_secrets_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCOMING_WEBHOOK_SECRETS", "guessme")

    with pytest.raises(ValueError, match="incoming_webhook_secrets") as refusal:
        WebhookSettings.model_validate({})
    assert "guessme" not in str(refusal.value)
