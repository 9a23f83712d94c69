"""Many patients at one shelf: each pack is sold once, first expiry first, and nobody waits in a circle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from tests.integration.chatting import Conversation, lines, new_patient_token, rejected, shelf, stock
from tests.running_stack import RunningStack

BANDAGE, MASK, STRIPS = "MED032", "MED105", "MED103"
SOON, LATER, LAST = "TEST-SOON", "TEST-LATER", "TEST-LAST"


def conversations(stack: RunningStack, open_clients: ExitStack, patients: int) -> list[Conversation]:
    """A conversation of each of so many new patients."""
    return [
        Conversation(open_clients.enter_context(stack.api(new_patient_token(stack)))) for _ in range(patients)
    ]


def all_at_once(chats: Sequence[Conversation], message: Callable[[int], str] | str) -> list[httpx.Response]:
    with ThreadPoolExecutor(max_workers=len(chats)) as callers:
        return list(
            callers.map(
                lambda place: chats[place].post(message if isinstance(message, str) else message(place)),
                range(len(chats)),
            )
        )


def cards(answers: Sequence[httpx.Response]) -> list[dict[str, object]]:
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    return [answer.json()["card_data"] or {"type": None} for answer in answers]


def test_fifty_confirmations_of_the_last_ten_packs_sell_exactly_ten(stack: RunningStack) -> None:
    lots = {"TEST-A": (4, 40, "available"), "TEST-B": (6, 80, "available")}
    with shelf(stack, BANDAGE, lots) as database, ExitStack() as clients:
        chats = conversations(stack, clients, 50)
        shown = cards(all_at_once(chats, "one bandage roll"))
        assert [lines(card) for card in shown] == [[(BANDAGE, 1)]] * 50

        answers = cards(all_at_once(chats, "yes"))

        placed = {card["order_id"] for card in answers if card["type"] == "order_status"}
        refused = [card for card in answers if card["type"] != "order_status"]
        assert (len(placed), len(refused)) == (10, 40)
        assert {tuple(rejected(card)) for card in refused} == {((BANDAGE, "out_of_stock"),)}
        assert stock(chats[0].api, BANDAGE) == 0
        left = database.execute(
            "select sum(quantity) from public.product_batches where product_id = %s", [BANDAGE]
        ).fetchone()
        taken = database.execute(
            """
            select sum(packs), count(distinct order_id) from public.order_allocations
            where order_id = any (%s)
            """,
            [sorted(map(str, placed))],
        ).fetchone()
        assert (left, taken) == ((0,), (10, 10))


def test_carts_in_opposite_order_do_not_lock_each_other_out(stack: RunningStack) -> None:
    with (
        shelf(stack, MASK, {"TEST-MASK": (100, 40, "available")}),
        shelf(stack, STRIPS, {"TEST-STRIPS": (100, 40, "available")}),
        ExitStack() as clients,
    ):
        chats = conversations(stack, clients, 24)
        orders = ("one n95 mask and one glucose test strips", "one glucose test strips and one n95 mask")
        shown = cards(all_at_once(chats, lambda place: orders[place % 2]))
        assert {frozenset(lines(card)) for card in shown} == {frozenset({(MASK, 1), (STRIPS, 1)})}

        answers = cards(all_at_once(chats, "yes"))

        assert [card["type"] for card in answers] == ["order_status"] * 24
        assert (stock(chats[0].api, MASK), stock(chats[0].api, STRIPS)) == (76, 76)


def test_the_lot_that_expires_first_is_sold_first_and_some_never(stack: RunningStack) -> None:
    lots = {
        "TEST-EXPIRED": (9, -1, "available"),
        "TEST-TODAY": (9, 0, "available"),
        "TEST-HELD": (9, 5, "held"),
        "TEST-RECALLED": (9, 6, "recalled"),
        LAST: (9, 300, "available"),
        SOON: (2, 10, "available"),
        LATER: (2, 20, "available"),
    }
    with shelf(stack, MASK, lots) as database, ExitStack() as clients:
        [chat] = conversations(stack, clients, 1)
        assert stock(chat.api, MASK) == 13
        assert lines(chat.card("5 n95 masks")) == [(MASK, 5)]

        order_id = chat.card("yes")["order_id"]

        taken = database.execute(
            """
            select b.lot, a.packs from public.order_allocations as a
            join public.product_batches as b using (batch_id)
            where a.order_id = %s order by b.expiry
            """,
            [order_id],
        ).fetchall()
        assert taken == [(SOON, 2), (LATER, 2), (LAST, 1)]
        assert stock(chat.api, MASK) == 8


def test_what_only_unsellable_lots_hold_is_out_of_stock(stack: RunningStack) -> None:
    lots = {
        "TEST-ONLY-EXPIRED": (9, -1, "available"),
        "TEST-ONLY-TODAY": (9, 0, "available"),
        "TEST-ONLY-HELD": (9, 50, "held"),
        "TEST-ONLY-RECALLED": (9, 50, "recalled"),
    }
    with shelf(stack, MASK, lots), ExitStack() as clients:
        [chat] = conversations(stack, clients, 1)

        card = chat.card("one n95 mask")

        assert (card["type"], rejected(card)) == ("safety_alert", {(MASK, "out_of_stock")})
