"""The Lambda handler of dispatch: wake-ups with partial failures, the schedule, and redriving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from functions.dispatch import handler as entry
from infra.local.event_sources import event_of, handled
from infra.local.worker import Context
from shared.errors import Unavailable
from shared.outbox import WAKE_UP
from tests.unit.shared.fakes import FakeGateway

QUEUE = "http://127.0.0.1:9/123456789012/nexus-outbox"
NOTHING: dict[str, Any] = {
    "claim_events": [],
    "apply_pending_webhooks": {},
    "dead_letters": [],
    "outbox_state": {"open": 3, "due": 1, "leased": 0, "dead": 2, "lag_seconds": 12.5},
    "measure_sales": {"orders": 4, "refusals": {"allergy": 2}},
    "dead_events": [],
    "redrive_events": {"redriven": ["a"], "annulled": []},
}


class Letters:
    def __init__(self) -> None:
        self.woken_in: list[float] = []
        self.dead: list[Mapping[str, Any]] = []
        self.down = False

    def wake_up_in(self, seconds: float) -> None:
        if self.down:
            raise ConnectionError
        self.woken_in.append(seconds)

    def send_dead_letters(self, letters: list[Mapping[str, Any]]) -> list[str]:
        if self.down:
            raise ConnectionError
        self.dead += letters
        return [str(letter["event_id"]) for letter in letters]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    gateway = FakeGateway(NOTHING)
    monkeypatch.setattr(entry.dispatcher, "_database", gateway)
    return gateway


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Letters:
    letters = Letters()
    monkeypatch.setattr(entry.dispatcher, "_queue", letters)
    return letters


def call(event: dict[str, Any]) -> Any:
    return entry.handler(event, Context("dispatch", "request", 512, 30))


def wake_ups(*bodies: str) -> list[dict[str, Any]]:
    return [
        {"MessageId": f"m{place}", "ReceiptHandle": f"r{place}", "Body": body}
        for place, body in enumerate(bodies)
    ]


@pytest.mark.parametrize("poison", ["", "{", "[]", "null", '"outbox"', '{"wake": "other"}', "\udcff"])
def test_a_message_that_is_no_wake_up_fails_alone(database: FakeGateway, queue: Letters, poison: str) -> None:
    messages = wake_ups(WAKE_UP, poison, WAKE_UP)

    answer = call(event_of(messages, QUEUE))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [message["MessageId"] for message in handled(messages, answer)] == ["m0", "m2"]
    assert "claim_events" in [name for name, _ in database.calls]


def test_without_the_database_every_wake_up_comes_back(database: FakeGateway, queue: Letters) -> None:
    database.answers["claim_events"] = Unavailable()

    answer = call(event_of(wake_ups(WAKE_UP, WAKE_UP), QUEUE))

    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0", "m1"]


def test_the_schedule_delivers_passes_dead_letters_on_and_measures(
    database: FakeGateway, queue: Letters, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = {"event_id": "e1", "event_type": "order.confirmed", "order_id": "ORD1", "error": "HTTP 500"}
    database.answers["dead_letters"] = [letter]

    call({"source": "aws.events"})

    assert queue.dead == [letter]
    assert ("dead_letters", {"p_sent": ["e1"]}) in database.calls
    refusals, metrics = (json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line)
    assert (metrics["OutboxDead"], metrics["OutboxLag"], metrics["service"]) == ([2.0], [12.5], "dispatch")
    assert metrics["Orders"] == [4.0]
    assert (refusals["Refusals"], refusals["code"]) == ([2.0], "allergy")


def test_a_queue_that_is_down_stops_nothing(database: FakeGateway, queue: Letters) -> None:
    database.answers["dead_letters"] = [{"event_id": "e1"}]
    queue.down = True

    call({"source": "aws.events"})

    assert ("dead_letters", {"p_sent": ["e1"]}) not in database.calls


@pytest.mark.parametrize(("wanted", "passed"), [("all", None), (["a", "b"], ["a", "b"])])
def test_redriving_all_or_some(database: FakeGateway, queue: Letters, wanted: object, passed: object) -> None:
    answer = call({"redrive": wanted})

    assert database.calls[0] == ("redrive_events", {"p_event_ids": passed})
    assert answer["redriven"] == ["a"]
