"""Orders in bad weather: a partner that fails, hangs, repeats and shuffles, and dispatchers that are killed.

Everything is real but the partner: orders come over the API, dispatch runs in its own processes, reports come
back over the API. Only the pauses of the schedules are shortened, which are data.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import uuid4

import httpx
import psutil
import psycopg

from infra.local.partner import Partner
from infra.local.warehouse import Behaviour, Warehouse
from shared.webhooks import Signatures
from tests.integration.chatting import token
from tests.running_stack import RunningStack

PRODUCT = "MED032"
"""A bandage: needs no prescription, and no limit counts it over days."""
WEATHER = Behaviour(
    step_seconds=0.5,
    failing=0.3,
    hanging=0.1,
    repeating=0.3,
    shuffling=0.3,
    late=0.3,
    undeliverable=0.06,
    refusing=0.04,
)
_ORDERS_A_PATIENT = 20
_AT_ONCE = 6
_SECONDS_BETWEEN_KILLS = 4
"""On average. A new dispatcher needs some of them to start."""


@dataclass
class Storm:
    """What was done; what came of it is in the database and in the partner's books."""

    seed: int
    orders: dict[str, str] = field(default_factory=dict)
    """The patient of each order that was placed."""
    cancelled: set[str] = field(default_factory=set)
    """Orders whose patients were told that they are cancelled."""
    refused_cancellations: int = 0
    killed: int = 0
    ticks: Counter[str] = field(default_factory=Counter)
    redriven: int = 0
    stock_before: int = 0
    seconds: float = 0
    orders_a_second: float = 0


def rage(
    stack: RunningStack, orders: int, *, seed: int, books: Path, seconds: float, say: Callable[[str], None]
) -> tuple[Storm, list[tuple[str, int, str]]]:
    """Place the orders while everything goes wrong, then wait until nothing is left to do.

    Returns what was done, and of each event that the partner took: (webhook id, deliveries, order id).
    Raises AssertionError when the time is over first.
    """
    storm = Storm(seed)
    behaviour = Behaviour(**{**WEATHER.__dict__, "seed": seed})
    warehouse = Warehouse(books, behaviour)
    partner = Partner(
        warehouse,
        behaviour,
        verifies=Signatures([stack.partner_outgoing]),
        signs=Signatures([stack.partner_incoming]),
        reports_to=f"{stack.api_url}/api/webhooks/fulfillment",
    )
    started = time.monotonic()
    with (
        psycopg.connect(stack.database_url, autocommit=True) as database,
        _short_pauses(database),
        partner.open(stack.partner_port),
        _weather(stack, storm),
    ):
        storm.stock_before = _fill_shelf(database, orders)
        _place(stack, database, orders, storm, say)
        storm.orders_a_second = orders / (time.monotonic() - started)
        say(f"{orders} orders are placed ({storm.orders_a_second:.0f} a second)")
        _wait_for_calm(stack, database, warehouse, storm, started + seconds, say)
        storm.seconds = time.monotonic() - started
        taken = warehouse.rows("select webhook_id, deliveries, order_id from taken")
    warehouse.close()
    return storm, [(str(row[0]), int(row[1]), str(row[2])) for row in taken]


@contextmanager
def _short_pauses(database: psycopg.Connection) -> Iterator[None]:
    """The schedule of 27 hours in about half a minute, and a second try of what failed at once."""
    before = database.execute("select destination, attempt, delay from public.delivery_delays").fetchall()
    database.execute("update public.delivery_delays set delay = delay / 3600")
    database.execute("update public.fulfilment_policy set retry_after = '1 second'")
    try:
        yield
    finally:
        for destination, attempt, delay in before:
            database.execute(
                "update public.delivery_delays set delay = %s where destination = %s and attempt = %s",
                [delay, destination, attempt],
            )
        database.execute("update public.fulfilment_policy set retry_after = '15 minutes'")


@contextmanager
def _weather(stack: RunningStack, storm: Storm) -> Iterator[None]:
    """The schedule ticks every second instead of every minute; dispatchers are killed at random moments."""
    ended = threading.Event()
    random = Random(storm.seed)

    def tick() -> None:
        while not ended.wait(1):
            try:
                stack.invoke("dispatch", {"source": "aws.events"})
                storm.ticks["finished"] += 1
            except (AssertionError, httpx.HTTPError):
                storm.ticks["killed"] += 1

    def kill() -> None:
        while not ended.wait(random.expovariate(1 / _SECONDS_BETWEEN_KILLS)):
            if found := _dispatchers():
                with suppress(ProcessLookupError):
                    os.kill(random.choice(found).pid, signal.SIGKILL)
                    storm.killed += 1

    threads = [threading.Thread(target=work, daemon=True) for work in (tick, tick, kill)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)


def _dispatchers() -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if "infra.local.worker" in command and "functions/dispatch/" in command[-1]:
            found.append(process)
    return found


def _fill_shelf(database: psycopg.Connection, orders: int) -> int:
    """Enough packs for everybody; how many there are then."""
    database.execute(
        """
        update public.product_batches set quantity = quantity + %s
        where batch_id = (
          select batch_id from public.product_batches
          where product_id = %s and status = 'available' and expiry > current_date + 30
          order by expiry desc limit 1
        )
        """,
        [3 * orders, PRODUCT],
    )
    return _packs(database)


def _packs(database: psycopg.Connection) -> int:
    row = database.execute(
        "select sum(quantity)::int from public.product_batches where product_id = %s", [PRODUCT]
    ).fetchone()
    assert row is not None
    packs: int = row[0]
    return packs


def _place(
    stack: RunningStack,
    database: psycopg.Connection,
    orders: int,
    storm: Storm,
    say: Callable[[str], None],
) -> None:
    """Several patients at once, each order under a key of its own; one in fifteen is cancelled soon after."""
    patients = [_patient(stack, database) for _ in range(max(_AT_ONCE, -(-orders // _ORDERS_A_PATIENT)))]
    shares = [range(place, orders, len(patients)) for place in range(len(patients))]
    lock = threading.Lock()

    def buy(place: int) -> None:
        patient_id, access = patients[place]
        random = Random(f"{storm.seed}:{place}")
        with stack.api(access) as api:
            for number in shares[place]:
                item = {"product_id": PRODUCT, "quantity": random.randint(1, 3)}
                order_id = _order(api, item, key=f"storm-{storm.seed}-{number}")
                with lock:
                    storm.orders[order_id] = patient_id
                    if len(storm.orders) % 250 == 0:
                        say(f"  {len(storm.orders)} orders")
                if random.random() < 1 / 15:
                    time.sleep(random.uniform(0, 1))
                    cancelled = _cancel(api, order_id)
                    with lock:
                        if cancelled.status_code == 200:
                            storm.cancelled.add(order_id)
                        else:
                            assert cancelled.status_code == 409, cancelled.text
                            storm.refused_cancellations += 1

    with ThreadPoolExecutor(_AT_ONCE) as buyers:
        list(buyers.map(buy, range(len(patients))))


def _cancel(api: httpx.Client, order_id: str) -> httpx.Response:
    while True:
        with suppress(httpx.TransportError):
            answer = api.post(f"/api/orders/{order_id}/cancel")
            if answer.status_code < 500:
                return answer
        time.sleep(1)


def _order(api: httpx.Client, item: dict[str, object], *, key: str) -> str:
    """Place an order once, however often it takes: that is what the key is for."""
    for _ in range(20):
        with suppress(httpx.TransportError):
            answer = api.post("/api/orders", json={"items": [item]}, headers={"Idempotency-Key": key})
            if answer.status_code == 201:
                return str(answer.json()["order_id"])
            assert answer.status_code in (409, 500, 503), answer.text
        time.sleep(1)
    raise AssertionError("an order cannot be placed")


def _patient(stack: RunningStack, database: psycopg.Connection) -> tuple[str, str]:
    """(id, access token) of a new patient who may be told things at any hour."""
    user_id = uuid4()
    email = f"{user_id}@example.com"
    database.execute("insert into auth.users (id, email) values (%s, %s)", [user_id, email])
    row = database.execute(
        """
        insert into public.patients (user_id, name, email, age_years, age_recorded_on, allergies, conditions)
        values (%s, 'Storm Patient', %s, 30, current_date, '{}', '{}')
        returning patient_id
        """,
        [user_id, email],
    ).fetchone()
    assert row is not None
    database.execute(
        """
        insert into public.notification_preferences (patient_id, quiet_from, quiet_until)
        values (%s, '0:00', '0:00')
        """,
        [row[0]],
    )
    return str(row[0]), token(stack, user_id, email)


def _wait_for_calm(
    stack: RunningStack,
    database: psycopg.Connection,
    warehouse: Warehouse,
    storm: Storm,
    deadline: float,
    say: Callable[[str], None],
) -> None:
    """Until the outbox is empty, the partner has reported everything, and nothing waits to be applied.

    What has used up its attempts meanwhile is redriven, as somebody would after an alarm.
    """
    said = 0.0
    calm_since: float | None = None
    left: dict[str, int] = {}
    orders = sorted(storm.orders)
    while calm_since is None or time.monotonic() - calm_since < 2:
        assert time.monotonic() < deadline, f"there is no end to it: {left}"
        time.sleep(0.5)
        row = database.execute(
            """
            select
              count(*) filter (where num_nonnulls(e.delivered_at, e.dead_at, e.annulled_at) = 0),
              count(*) filter (where e.dead_at is not null),
              (select count(*) from public.webhook_events where outcome = 'pending')
            from public.outbox_events as e
            left join public.notifications as n using (notification_id)
            where e.order_id = any (%(orders)s) or n.subject = any (%(subjects)s)
            """,
            {"orders": orders, "subjects": [f"order:{order_id}" for order_id in orders]},
        ).fetchone()
        assert row is not None
        [(unreported,)] = warehouse.rows("select count(*) from reports where sent_at is null")
        left = {"open": row[0], "dead": row[1], "pending": row[2], "unreported": unreported}
        if left["dead"] and not left["open"]:
            storm.redriven += _redrive(stack, left["dead"])
        calm = not any(left.values())
        calm_since = (calm_since or time.monotonic()) if calm else None
        if time.monotonic() - said > 15:
            said = time.monotonic()
            say(f"  waiting: {left}")


def _redrive(stack: RunningStack, dead: int) -> int:
    with suppress(AssertionError, httpx.HTTPError):  # killed: what it had committed stands
        stack.invoke("dispatch", {"redrive": "all"})
    return dead
