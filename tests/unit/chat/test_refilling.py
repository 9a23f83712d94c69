""" "My usual": the long-term medicines, else the last order; and what all of a card costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from functions.chat.resolution import Plan, plan
from functions.chat.understanding.lexical import interpret
from functions.chat.understanding.words import split
from tests.unit.chat.small_shelf import CETIRIZINE, DOLO_650, METFORMIN, context_for, decide

LAST_ORDER = {"items": [{"product_id": CETIRIZINE.product_id, "quantity": 3}]}


def refill(message: str = "refill my usual", **known: Any) -> Plan:
    context = replace(context_for(message), **known)
    return plan(interpret(split(message), context), context)


def test_the_usual_is_what_is_taken_for_long_not_what_was_ordered_last() -> None:
    decided = refill(usual=(METFORMIN.product_id,), last_order=LAST_ORDER)

    assert [dict(item) for item in decided.items] == [{"product_id": METFORMIN.product_id, "packs": 1}]


def test_without_long_term_medicines_the_last_order_is_meant() -> None:
    decided = refill(usual=(), last_order=LAST_ORDER)

    assert [dict(item) for item in decided.items] == [{"product_id": CETIRIZINE.product_id, "packs": 3}]


def test_a_form_that_none_of_them_has_is_not_the_last_order() -> None:
    decided = refill("refill my inhaler", usual=(METFORMIN.product_id,), last_order=LAST_ORDER)

    assert (decided.items, [said.key for said in decided.said]) == ((), ["nothing-to-refill"])


def test_who_has_bought_nothing_has_nothing_to_refill() -> None:
    decided = refill(usual=(), last_order=None)

    assert (decided.items, [said.key for said in decided.said]) == ((), ["nothing-to-refill"])


def test_all_of_a_card_costs_its_packs_times_their_prices() -> None:
    decided = decide("how much is the total?", proposed=[(DOLO_650, 2), (CETIRIZINE, 5)])

    assert [(said.key, dict(said.args)) for said in decided.said] == [("proposal-total", {"total": 210.0})]
