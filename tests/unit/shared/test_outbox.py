"""Waking the dispatcher: best effort, and never at the order's cost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shared import outbox
from shared.circuit import Circuit
from shared.outbox import WAKE_UP, wake_dispatcher

QUEUE = "http://127.0.0.1:9/queue"


class Sqs:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.calls = 0
        self.does: Any = None

    def send_message(self, **message: Any) -> None:
        self.calls += 1
        if self.does:
            self.does()
        self.sent.append(message)


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Sqs:
    fake = Sqs()
    monkeypatch.setattr(outbox, "sqs_client", lambda _: fake)
    monkeypatch.setattr(outbox, "_circuit", Circuit())
    return fake


def fail() -> None:
    raise ConnectionError("the queue is gone")


def test_a_wake_up_says_that_there_is_something_and_no_more(sqs: Sqs) -> None:
    wake_dispatcher(QUEUE, None)

    assert sqs.sent == [{"QueueUrl": QUEUE, "MessageBody": WAKE_UP}]


def test_without_a_queue_nothing_is_sent(sqs: Sqs) -> None:
    wake_dispatcher(None, None)

    assert sqs.calls == 0


def test_a_queue_that_is_down_is_no_error_and_is_soon_left_alone(sqs: Sqs) -> None:
    sqs.does = fail

    for _ in range(10):
        wake_dispatcher(QUEUE, None)

    assert sqs.calls == 5


def test_a_queue_that_hangs_is_not_waited_for(sqs: Sqs) -> None:
    sqs.does = lambda: time.sleep(2)
    started = time.monotonic()

    wake_dispatcher(QUEUE, None, patience_seconds=0.05)

    assert time.monotonic() - started < 1
