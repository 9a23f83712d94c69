"""Draining the outbox: everything due, many at once, one failure no matter of the others, and in time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from functions.dispatch.events import Attempt, Event
from functions.dispatch.service import Deliver, Drained, Limits, drain
from shared.errors import Unavailable

LIMITS = Limits(at_once=4, lease_seconds=60, longest_delivery_seconds=1)


class Outbox:
    """The two functions of the database, as far as a drain needs them: each event is claimed once."""

    def __init__(self, events: int, *, per_order: int = 1) -> None:
        self.waiting = [row(f"event-{number}", f"ORD{number // per_order}") for number in range(events)]
        self.held: dict[str, str] = {}
        self.settled: dict[str, dict[str, Any]] = {}
        self.claims = 0
        self.down: set[str] = set()
        self.retry_in: float | None = None
        self._lock = threading.Lock()

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        if name in self.down:
            raise Unavailable()
        assert arguments is not None
        with self._lock:
            return self._claim(**arguments) if name == "claim_events" else self._settle(**arguments)

    def _claim(self, p_limit: int, p_lease_seconds: float) -> list[dict[str, Any]]:
        self.claims += 1
        assert p_lease_seconds == LIMITS.lease_seconds
        taken: list[dict[str, Any]] = []
        for event in list(self.waiting):
            if len(taken) < p_limit and event["order_id"] not in self.held.values():
                self.waiting.remove(event)
                self.held[event["event_id"]] = event["order_id"]
                taken.append(event)
        return taken

    def _settle(self, p_event_id: str, p_lease_token: str, p_result: dict[str, Any]) -> dict[str, Any]:
        assert p_lease_token == f"lease of {p_event_id}"
        assert p_event_id not in self.settled
        del self.held[p_event_id]
        self.settled[p_event_id] = p_result
        if p_result["delivered"]:
            return {"state": "delivered", "retry_in": None}
        return {"state": "waiting", "retry_in": self.retry_in}


def row(event_id: str, order_id: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "lease_token": f"lease of {event_id}",
        "event_type": "order.confirmed",
        "destination": "partner",
        "order_id": order_id,
        "notification_id": None,
        "payload": {},
        "attempt": 1,
        "correlation_id": "request-1",
        "created_at": "2026-11-22T09:00:00.123456+00:00",
    }


def run(outbox: Outbox, deliver: Deliver, *, limits: Limits = LIMITS, seconds: float = 20) -> Drained:
    ends = time.monotonic() + seconds
    return asyncio.run(drain(outbox, {"partner": deliver}, limits, time_left=lambda: ends - time.monotonic()))


async def arrives(_event: Event) -> Attempt:
    return Attempt(delivered=True, log={"http_status": 200, "ms": 1})


def test_everything_due_is_delivered_and_settled_once() -> None:
    outbox = Outbox(50)

    drained = run(outbox, arrives)

    assert drained.outcomes == {"delivered": 50}
    assert len(outbox.settled) == 50
    assert not outbox.held
    assert not drained.unfinished


def test_no_more_are_under_way_than_allowed_and_a_slow_one_holds_nobody_up() -> None:
    outbox = Outbox(30)
    under_way, most = 0, 0

    async def deliver(event: Event) -> Attempt:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.5 if event.event_id == "event-0" else 0.002)
        under_way -= 1
        return Attempt(delivered=True)

    started = time.monotonic()
    run(outbox, deliver)

    assert most == LIMITS.at_once
    assert list(outbox.settled)[-1] == "event-0"
    assert time.monotonic() - started < 2


def test_the_next_event_of_an_order_follows_in_the_same_run() -> None:
    outbox = Outbox(6, per_order=3)

    run(outbox, arrives)

    first = [name for name in outbox.settled if name in ("event-0", "event-1", "event-2")]
    assert first == sorted(first)
    assert len(outbox.settled) == 6


def test_one_that_cannot_be_delivered_is_no_matter_of_the_others() -> None:
    outbox = Outbox(10)
    outbox.retry_in = 5.5

    async def deliver(event: Event) -> Attempt:
        if event.event_id == "event-3":
            raise ZeroDivisionError("poison")
        return await arrives(event)

    drained = run(outbox, deliver)

    assert drained.outcomes == {"delivered": 9, "waiting": 1}
    assert outbox.settled["event-3"]["error"] == "ZeroDivisionError"
    assert drained.retry_in == 5.5


def test_what_cannot_be_settled_stays_claimed_and_comes_back_with_its_lease() -> None:
    outbox = Outbox(3)
    outbox.down = {"settle_event"}

    drained = run(outbox, arrives)

    assert drained.outcomes == {"unsettled": 3}
    assert len(outbox.held) == 3


def test_without_the_database_it_says_so_after_what_is_under_way_has_ended() -> None:
    outbox = Outbox(8)
    ended: list[str] = []

    async def deliver(event: Event) -> Attempt:
        outbox.down = {"claim_events"}
        await asyncio.sleep(0.01 * len(event.event_id))
        ended.append(event.event_id)
        return Attempt(delivered=True)

    with pytest.raises(Unavailable):
        run(outbox, deliver)

    assert len(ended) == len(outbox.settled) == LIMITS.at_once


def test_nothing_is_begun_that_the_time_does_not_suffice_for() -> None:
    outbox = Outbox(5)

    drained = run(outbox, arrives, seconds=2)

    assert outbox.claims == 0
    assert drained.unfinished


def test_nothing_is_sent_whose_lease_may_end_meanwhile() -> None:
    """A process that was frozen between claiming and sending must not send: another may have it by now."""
    outbox = Outbox(1)
    sent: list[str] = []

    async def deliver(event: Event) -> Attempt:
        sent.append(event.event_id)
        return Attempt(delivered=True)

    short = Limits(at_once=1, lease_seconds=LIMITS.lease_seconds, longest_delivery_seconds=61)
    drained = run(outbox, deliver, limits=short, seconds=1000)

    assert drained.outcomes == {"released": 1}
    assert sent == []


def test_what_was_settled_by_the_database_itself_is_not_settled_again() -> None:
    outbox = Outbox(2)

    async def nothing_to_send(_event: Event) -> None:
        return None

    drained = run(outbox, nothing_to_send)

    assert drained.outcomes == {"settled": 2}
    assert outbox.settled == {}
