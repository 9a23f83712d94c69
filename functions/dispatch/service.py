"""Draining the outbox: claim, deliver, settle, as many at once as allowed and for as long as there is time.

A dispatcher may die anywhere in this. What it had claimed comes back when the lease ends and is delivered
again under the same id; what was settled is over.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from functions.dispatch.events import Attempt, Event
from shared.database import Gateway
from shared.errors import NexusError

Deliver = Callable[[Event], Awaitable[Attempt | None]]
"""Delivers one event. None: there was nothing to deliver, and that is settled already."""

Report = Callable[[str, Event, Mapping[str, object]], None]
"""Told of each attempt: what came of it, the event, and what is known of it."""


_MARGIN_SECONDS = 3
"""Between the end of the last delivery and the end of the function."""


@dataclass
class Drained:
    """What one run did. `retry_in`: seconds until the first of its own failures is due again."""

    outcomes: Counter[str] = field(default_factory=Counter)
    retry_in: float | None = None
    unfinished: bool = False
    """The time was over while there was more to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one run takes on. A delivery is not begun unless the lease outlasts it by that much."""

    at_once: int
    lease_seconds: float
    longest_delivery_seconds: float


async def drain(
    database: Gateway,
    destinations: Mapping[str, Deliver],
    limits: Limits,
    *,
    time_left: Callable[[], float],
    report: Report = lambda *_: None,
) -> Drained:
    """Deliver what is due until nothing is, or until `time_left` (seconds) does not suffice for one delivery
    more.

    Raises Unavailable when the database does not answer; what was under way then has come to its end.
    """
    drained = Drained()
    under_way: set[asyncio.Task[None]] = set()
    may_be_more = True
    try:
        while True:
            free = limits.at_once - len(under_way)
            enough_time = time_left() > limits.longest_delivery_seconds + _MARGIN_SECONDS
            if may_be_more and enough_time and (2 * free >= limits.at_once or not under_way):
                events = await _claim(database, free, limits)
                under_way |= {
                    asyncio.create_task(_deliver(database, destinations, limits, event, drained, report))
                    for event in events
                }
                may_be_more = len(events) == free
            if not under_way:
                break
            _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            may_be_more = True  # an event that is over makes room for the next one of its order
    finally:
        if under_way:
            await asyncio.wait(under_way)
    drained.unfinished = may_be_more and not enough_time
    return drained


async def _claim(database: Gateway, most: int, limits: Limits) -> list[Event]:
    asked_at = time.monotonic()
    rows = await asyncio.to_thread(
        database.rpc, "claim_events", {"p_limit": most, "p_lease_seconds": limits.lease_seconds}
    )
    # Counted from before the question: the lease ends later than we think, never earlier.
    return [Event.claimed(row, held_until=asked_at + limits.lease_seconds) for row in rows]


async def _deliver(
    database: Gateway,
    destinations: Mapping[str, Deliver],
    limits: Limits,
    event: Event,
    drained: Drained,
    report: Report,
) -> None:
    known: dict[str, object] = {"attempt": event.attempt}
    if event.held_until - time.monotonic() < limits.longest_delivery_seconds:
        state = "released"  # another dispatcher may have it before we are done
    else:
        try:
            attempt = await destinations[event.destination](event)
        except NexusError as failure:
            attempt, state = (
                None,
                "unsettled",
            )  # the database is away; the lease ends, and the event comes back
            known["error"] = failure.code
        except Exception as failure:  # one event that cannot be delivered is no matter of the others
            attempt, state = Attempt(delivered=False, error=type(failure).__name__), "unsettled"
        else:
            state = "settled"
        if attempt is not None:
            known |= {**attempt.log, "error": attempt.error}
            state = await _settle(database, event, attempt, drained)
    drained.outcomes[state] += 1
    report(state, event, known)


async def _settle(database: Gateway, event: Event, attempt: Attempt, drained: Drained) -> str:
    arguments = {
        "p_event_id": event.event_id,
        "p_lease_token": event.lease_token,
        "p_result": attempt.as_result(),
    }
    try:
        answer = await asyncio.to_thread(database.rpc, "settle_event", arguments)
    except NexusError:
        return "unsettled"  # delivered perhaps, and then once more: the receiver knows it by its id
    if answer["retry_in"] is not None:
        known = [pause for pause in (drained.retry_in, answer["retry_in"]) if pause is not None]
        drained.retry_in = min(known)
    state: str = answer["state"]
    return state
