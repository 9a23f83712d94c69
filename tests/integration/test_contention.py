"""Two hundred buyers and fifty packs: each is sold once, nobody waits in a circle, everybody is answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from random import Random
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from tests.integration.chatting import shelf, token
from tests.running_stack import RunningStack

SCARCE, MASK, STRIPS = "MED032", "MED105", "MED103"
BUYERS, PACKS = 200, 50

Json = dict[str, Any]
Buy = Callable[[int, Json], tuple[str, Json]]
"""Sends the cart of one of the buyers: (outcome, answer). Raises unless it was placed or out of stock."""


def cart(packs: int, luck: Random) -> Json:
    """Of what everybody wants, and of two other things that many want, in any order."""
    others = [{"product_id": MASK, "quantity": luck.randint(1, 2)}, {"product_id": STRIPS, "quantity": 1}]
    items = [{"product_id": SCARCE, "quantity": packs}, *luck.sample(others, luck.randint(0, 2))]
    return {"items": luck.sample(items, len(items))}


def buyers(database: psycopg.Connection, count: int) -> list[UUID]:
    """The accounts of so many new patients whom nothing forbids to buy."""
    users = [uuid4() for _ in range(count)]
    database.execute(
        """
        with accounts as (
          insert into auth.users (id, email) select id, id || '@example.com' from unnest(%s::uuid[]) as id
          returning id, email
        )
        insert into public.patients (user_id, name, email, age_years, age_recorded_on, allergies, conditions)
        select id, 'Buyer', email, 30, current_date, '{}', '{}' from accounts
        """,
        [users],
    )
    return users


@contextmanager
def crowded_shelf(stack: RunningStack) -> Iterator[psycopg.Connection]:
    """Fifty packs in three lots, and enough of the rest."""
    mark = uuid4().hex[:8]  # lots stay in the ledger
    lots = {f"{mark}-{n}": (packs, 30 * n, "available") for n, packs in ((1, 7), (2, 13), (3, 30))}
    with (
        shelf(stack, SCARCE, lots) as database,
        shelf(stack, MASK, {f"{mark}-MASK": (1000, 40, "available")}),
        shelf(stack, STRIPS, {f"{mark}-STRIPS": (1000, 40, "available")}),
    ):
        yield database


@contextmanager
def over_the_api(stack: RunningStack, users: Sequence[UUID]) -> Iterator[Buy]:
    with ExitStack() as opened:
        clients = [
            opened.enter_context(stack.api(token(stack, user, f"{user}@example.com"))) for user in users
        ]

        def buy(place: int, order: Json) -> tuple[str, Json]:
            answer: httpx.Response = clients[place].post("/api/orders", json=order)
            if answer.status_code == 201:
                return "placed", answer.json()
            assert answer.status_code == 409, answer.text
            return answer.json()["code"], answer.json()

        yield buy


@contextmanager
def in_the_database(stack: RunningStack, users: Sequence[UUID]) -> Iterator[Buy]:
    """Past the gateways, which let few through at a time."""
    with ExitStack() as opened:
        connections = [
            opened.enter_context(psycopg.connect(stack.database_url, autocommit=True)) for _ in range(50)
        ]

        def buy(place: int, order: Json) -> tuple[str, Json]:
            row = (
                connections[place % len(connections)]
                .execute(
                    """
                    select public.create_order(%s::jsonb)
                    from (select set_config('request.jwt.claim.sub', %s, false)) as caller
                    """,
                    [json.dumps(order), str(users[place])],
                )
                .fetchone()
            )
            assert row is not None
            return row[0]["outcome"], row[0]

        yield buy


def at_once(buy: Buy, carts: Sequence[Json], threads: int) -> list[tuple[str, Json]]:
    start = Barrier(threads)

    def work(first: int) -> list[tuple[int, tuple[str, Json]]]:
        start.wait()
        return [(place, buy(place, carts[place])) for place in range(first, len(carts), threads)]

    with ThreadPoolExecutor(max_workers=threads) as callers:
        done = dict(pair for some in callers.map(work, range(threads)) for pair in some)
    return [done[place] for place in range(len(carts))]


def left_for(answer: Json) -> int:
    """How many packs the buyer was told are left, and nothing else stood in the way."""
    [finding] = answer["findings"]
    assert (finding["code"], finding["product_id"]) == ("out_of_stock", SCARCE)
    return int(finding["subject"])


def sold(database: psycopg.Connection, answers: Sequence[tuple[str, Json]]) -> tuple[int, int]:
    """Packs of the scarce product that these orders have, and those left on the shelf."""
    orders = [
        (answer.get("order") or answer)["order_id"] for outcome, answer in answers if outcome == "placed"
    ]
    row = database.execute(
        """
        select
          (select coalesce(sum(a.packs), 0) from public.order_allocations as a
            join public.product_batches as b using (batch_id)
            where a.order_id = any (%(orders)s) and b.product_id = %(product)s),
          (select sum(quantity) from public.product_batches where product_id = %(product)s)
        """,
        {"orders": orders, "product": SCARCE},
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@pytest.mark.parametrize(
    ("way", "threads"), [(over_the_api, BUYERS), (in_the_database, 50)], ids=["over the API", "in SQL"]
)
def test_of_two_hundred_buyers_fifty_get_a_pack_and_the_others_hear_that_none_is_left(
    stack: RunningStack, way: Any, threads: int
) -> None:
    luck = Random(50)
    carts = [cart(1, luck) for _ in range(BUYERS)]
    with crowded_shelf(stack) as database, way(stack, buyers(database, BUYERS)) as buy:
        answers = at_once(buy, carts, threads)

        assert [outcome for outcome, _ in answers].count("placed") == PACKS
        assert sold(database, answers) == (PACKS, 0)
        assert {left_for(answer) for outcome, answer in answers if outcome != "placed"} == {0}
        assert {outcome for outcome, _ in answers} == {"placed", "out_of_stock"}


def test_who_asks_for_too_much_is_told_what_is_left_and_may_have_that(stack: RunningStack) -> None:
    luck = Random(51)
    carts = [cart(luck.randint(1, 6), luck) for _ in range(60)]
    with crowded_shelf(stack) as database, in_the_database(stack, buyers(database, 60)) as buy:
        answers = at_once(buy, carts, 50)
        everything = [*answers]
        for place, (outcome, answer) in enumerate(answers):
            while outcome == "out_of_stock" and (left := left_for(answer)):
                asked = next(i for i in carts[place]["items"] if i["product_id"] == SCARCE)
                assert left < asked["quantity"]
                asked["quantity"] = left
                outcome, answer = buy(place, carts[place])
                everything.append((outcome, answer))

        assert sold(database, everything) == (PACKS, 0)
        assert {outcome for outcome, _ in everything} == {"placed", "out_of_stock"}
