"""Parts of the real stack fail in the middle of confirmations: no order is lost or doubled, refusals are
clear, and nothing but what failed is started again.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.fakes.gemini import claims, hangs
from tests.faults.breaking import PRODUCT, Breakable, Buyer, buying, until
from tests.faults.conftest import CALL_SECONDS
from tests.integration.chatting import Conversation

Fault = Callable[[Breakable], None]


def postgres_restarts(broken: Breakable) -> None:
    broken.kill("database", signal.SIGINT)
    time.sleep(1)
    broken.start("database")


def postgres_crashes(broken: Breakable) -> None:
    broken.kill("database", signal.SIGKILL)
    broken.start("database")


def supabase_is_killed(broken: Breakable) -> None:
    broken.kill("supabase")
    time.sleep(1)
    broken.start("supabase")


def supabase_stands_still(broken: Breakable) -> None:
    with broken.held("supabase"):
        time.sleep(CALL_SECONDS + 1)


def supabase_is_slow(broken: Breakable) -> None:
    with broken.slowed("supabase", 0.4):
        time.sleep(4)


def the_queue_is_killed(broken: Breakable) -> None:
    broken.kill("queues")
    time.sleep(1)
    broken.start("queues")


FAULTS = (
    postgres_restarts,
    supabase_stands_still,
    postgres_crashes,
    supabase_is_killed,
    supabase_is_slow,
    the_queue_is_killed,
)
ALL = bool(os.environ.get("NEXUS_ALL_FAULTS"))
"""`make faults` tries every one, `make test` a few."""
PACKS = 8 if ALL else 3
in_the_middle, under_keys = (
    pytest.mark.parametrize("fault", faults, ids=lambda fault: fault.__name__)
    for faults in (FAULTS if ALL else FAULTS[:2], FAULTS[:5] if ALL else [supabase_is_killed])
)


@pytest.fixture(autouse=True)
def whole(broken: Breakable) -> Iterator[None]:
    """Each test begins and ends with everything up."""
    broken.until_ready()
    yield
    broken.until_ready()


def assert_clear(refusal: httpx.Response) -> None:
    """A refusal as the contract has it, that says when to come back, within the time of the call."""
    assert refusal.status_code == 503, refusal.text
    assert refusal.headers["content-type"] == "application/problem+json"
    assert int(refusal.headers["retry-after"]) >= 1
    body = refusal.json()
    assert body["code"] in {"database_unavailable", "auth_unavailable", "busy"}
    assert isinstance(body["error"], str)
    assert refusal.elapsed.total_seconds() < 10


def packs_on_the_shelf(broken: Breakable) -> int:
    [(packs,)] = broken.rows(
        "select sum(quantity)::int from public.product_batches where product_id = %s", PRODUCT
    )
    return int(packs)


@in_the_middle
def test_in_the_middle_of_confirmations_no_order_is_lost_or_doubled(broken: Breakable, fault: Fault) -> None:
    before = packs_on_the_shelf(broken)

    with buying(broken, buyers=3, packs=PACKS) as people:
        fault(broken)

    told = [order for each in people for order in each.orders]
    for each in people:
        for refusal in each.refusals:
            assert_clear(refusal)
    assert len(told) == len(set(told)) == 3 * PACKS
    stored = broken.rows(
        """
        select o.order_id, count(distinct e.event_id)
        from public.orders as o
        join public.patients as p using (patient_id)
        left join public.outbox_events as e on e.order_id = o.order_id and e.event_type = 'order.confirmed'
        where o.patient_id in (select patient_id from public.orders where order_id = any (%s))
        group by 1
        """,
        told,
    )
    assert {order for order, _ in stored} == set(told)
    assert {events for _, events in stored} == {1}
    assert before - packs_on_the_shelf(broken) == 3 * PACKS


def order_under_keys(api: httpx.Client, name: str, orders: int) -> list[httpx.Response]:
    """One order after the other, each sent again until it is placed; every answer."""
    answers: list[httpx.Response] = []
    for number in range(orders):
        placed = False
        while not placed:
            answer = api.post(
                "/api/orders",
                json={"items": [{"product_id": PRODUCT, "quantity": 1}]},
                headers={"Idempotency-Key": f"{name}-{number}"},
            )
            answers.append(answer)
            placed = answer.status_code == 201
            time.sleep(0.05 if placed else 0.2)
    return answers


@under_keys
def test_an_order_under_a_key_is_placed_once_however_often_it_is_sent(
    broken: Breakable, fault: Fault
) -> None:
    # The fault in this thread: Linux ends what a thread has started when the thread ends.
    with broken.patient() as api, ThreadPoolExecutor(1) as meanwhile:
        ordering = meanwhile.submit(order_under_keys, api, fault.__name__, 12)
        fault(broken)
        answers = ordering.result()
        listed = api.get("/api/orders?limit=50").json()

    for answer in answers:
        if answer.status_code not in (201, 409):  # 409: the first one is still at it
            assert_clear(answer)
    assert listed["count"] == 12


def test_readiness_tells_what_is_down_and_what_it_means(broken: Breakable) -> None:
    def said() -> tuple[int, str, dict[str, str]]:
        status, health = broken.readiness()
        return status, health["status"], {name: one["status"] for name, one in health["checks"].items()}

    all_up = {"database": "ok", "auth": "ok", "storage": "ok", "queue": "ok"}
    assert said() == (200, "ok", all_up)

    broken.kill("queues")
    assert said() == (200, "degraded", {**all_up, "queue": "down"})
    broken.start("queues")

    broken.kill("database", signal.SIGINT)
    status, overall, checks = said()
    assert (status, overall, checks["database"], checks["queue"]) == (503, "down", "down", "ok")
    broken.start("database")

    with broken.held("supabase"):
        started = time.monotonic()
        status, overall, checks = said()
        assert time.monotonic() - started < 8
        assert (status, overall, checks["database"], checks["auth"]) == (503, "down", "down", "down")
    until(lambda: said() == (200, "ok", all_up))


def test_who_keeps_asking_a_dead_database_is_soon_answered_without_asking_it(broken: Breakable) -> None:
    with broken.held("supabase"):
        for _ in range(8):
            status, health = broken.readiness()
            assert status == 503
            if health["checks"]["database"]["circuit"] == "open":
                break
        else:
            raise AssertionError(health)
        started = time.monotonic()
        status, health = broken.readiness()
        assert status == 503
        assert time.monotonic() - started < CALL_SECONDS

    assert broken.until_ready() < 20
    assert broken.readiness()[1]["checks"]["database"]["circuit"] == "closed"


def test_with_the_queue_down_orders_are_taken_at_once_and_delivered_later(broken: Breakable) -> None:
    broken.kill("queues")
    try:
        with broken.patient() as api:
            started = time.monotonic()
            placed = api.post("/api/orders", json={"items": [{"product_id": PRODUCT, "quantity": 1}]})
            assert time.monotonic() - started < 5
        assert placed.status_code == 201, placed.text
    finally:
        broken.start("queues")

    waiting = broken.rows(
        "select delivered_at, dead_at from public.outbox_events where order_id = %s",
        placed.json()["order_id"],
    )
    assert waiting
    assert set(waiting) == {(None, None)}


def test_with_gemini_and_langfuse_hanging_a_turn_takes_no_longer_than_its_budget(broken: Breakable) -> None:
    broken.gemini.behave(hangs)
    broken.langfuse.hanging = True
    try:
        with broken.patient() as api:
            unclear = Conversation(api)
            started = time.monotonic()
            for _ in range(7):
                assert unclear.say("the thing my neighbour swears by, you know which")["reply"]
            assert time.monotonic() - started < 25
            buyer = Buyer(api)
            buyer.buy()
        assert buyer.orders
        assert buyer.refusals == []
    finally:
        broken.langfuse.hanging = False
        broken.gemini.behave(claims("unclear"))
    asked = len(broken.gemini.received)
    assert asked, "nothing was asked of the model: the test proves nothing"
