"""Whether an answer, and what it did to the database, is one of the right ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass

from tests.evals.answers import Answer, devanagari_share
from tests.evals.conversations import CardType, Conversation, Expectation, Final, Profile, Turn
from tests.evals.database import OrderRow, Rows

NO_ITEMS = frozenset({None, "clarification"})
NO_SALE = NO_ITEMS | {"safety_alert", "refill_list", "order_tracking"}


@dataclass(frozen=True)
class Happened:
    """One turn as it went."""

    turn: Turn
    answer: Answer
    before: Rows
    after: Rows

    @property
    def new_orders(self) -> list[OrderRow]:
        return [order for key, order in self.after.orders.items() if key not in self.before.orders]


def differences(happened: Happened, conversation: Conversation) -> list[str]:
    """Why the answer is not right; empty when it is. Of several right ones, the nearest is explained."""
    if happened.answer.status != 200:
        return [f"HTTP {happened.answer.status}"]
    found = [_differences(happened, one, conversation) for one in happened.turn.expect]
    return min(found, key=len)


def final_differences(final: Final, rows: Rows, told: Profile, patient_id: str) -> list[str]:
    """What is not as it should be after the last turn."""
    placed = sum(order.patient_id == patient_id for order in rows.orders.values())
    pairs: list[tuple[str, object, object]] = [
        ("orders", final.orders, placed),
        ("open_proposals", final.open_proposals, rows.open_proposals),
        ("age", final.age, told.age),
        ("allergies", _folded(final.allergies), _folded(told.allergies)),
    ]
    return [
        f"finally {name} is {got!r}, not {wanted!r}"
        for name, wanted, got in pairs
        if name in final.model_fields_set and wanted != got
    ]


def _folded(words: list[str] | None) -> list[str] | None:
    return None if words is None else sorted(word.casefold() for word in words)


def _differences(happened: Happened, expected: Expectation, conversation: Conversation) -> list[str]:
    return [
        *_card(happened, expected),
        *_details(happened.answer, expected),
        *_script(happened, expected, conversation),
        *_side_effects(happened, expected),
    ]


def _card(happened: Happened, expected: Expectation) -> list[str]:
    answer = happened.answer
    got = answer.card_type
    match expected.kind:
        case "order":
            return _type(got, {"order_confirmation"}) or _items(answer.items, expected)
        case "placed":
            return _type(got, {"order_status"}) or [
                *_items(answer.items, expected),
                *_status(answer, expected),
            ]
        case "again":
            known = {None, *happened.before.orders}
            wrong = [] if answer.order_id in known else [f"order {answer.order_id} was not placed before"]
            return _type(got, NO_SALE | {"order_status"}) or wrong
        case "refuses":
            return _type(got, {"safety_alert"}) or _rejected(answer, expected.refuses or {}, exactly=True)
        case "options":
            return _type(got, {"clarification"}) or _options(answer, expected)
        case "asks":
            return _type(got, NO_ITEMS)
        case "no_sale":
            return _type(got, NO_SALE)
        case _:
            return _type(got, set(expected.card or ()))


def _type(got: str | None, wanted: Set[str | None] | Set[str] | Set[CardType | None]) -> list[str]:
    return (
        [] if got in wanted else [f"card {got} instead of {' or '.join(sorted(str(one) for one in wanted))}"]
    )


def _items(got: Mapping[str, int], expected: Expectation) -> list[str]:
    wanted, optional = expected.items or {}, expected.optional_items
    found = [f"{product} is missing" for product in wanted if product not in got]
    for product, packs in got.items():
        right = wanted.get(product) or optional.get(product)
        if right is None:
            found.append(f"{product} was not asked for")
        elif packs not in right:
            found.append(f"{product} x {packs} instead of {' or '.join(map(str, right))}")
    return found


def _status(answer: Answer, expected: Expectation) -> list[str]:
    wanted = (expected.status,) if isinstance(expected.status, str) else expected.status
    got = answer.card.get("status")
    return [] if got in wanted else [f"status {got} instead of {' or '.join(wanted)}"]


def _rejected(answer: Answer, wanted: Mapping[str, str], *, exactly: bool) -> list[str]:
    got = answer.rejected
    found: list[str] = []
    for product, codes in wanted.items():
        if product not in got:
            found.append(f"{product} is not rejected")
        elif not got[product] & set(codes.split("|")):
            found.append(f"{product} is rejected for {sorted(got[product])} instead of {codes}")
    if exactly:
        found += [f"{product} is rejected too" for product in got if product not in wanted]
    return found


def _options(answer: Answer, expected: Expectation) -> list[str]:
    wanted, got = expected.options, answer.options
    if wanted is None:
        return []
    return [
        *([] if got else ["nothing is offered"]),
        *(f"{product} is not offered" for product in wanted.include if product not in got),
        *(f"{product} is offered" for product in wanted.exclude if product in got),
        *(f"{product} is offered" for product in got if wanted.only and product not in wanted.only),
    ]


def _details(answer: Answer, expected: Expectation) -> list[str]:
    found = [] if expected.rejected is None else _rejected(answer, expected.rejected, exactly=True)
    if expected.kind == "order" and expected.rejected is None and answer.rejected:
        found.append(f"rejected {sorted(answer.rejected)}")
    found += [f"no warning {code}" for code in expected.warnings if code not in answer.warnings]
    found += [f"the reply lacks /{say}/" for say in expected.says if not re.search(say, answer.reply, re.I)]
    found += [f"the reply has /{say}/" for say in expected.says_not if re.search(say, answer.reply, re.I)]
    if expected.notes and not answer.card.get("notes"):
        found.append("no note")
    if not answer.reply.strip():
        found.append("no reply")
    return found


def _script(happened: Happened, expected: Expectation, conversation: Conversation) -> list[str]:
    said, reply = devanagari_share(happened.turn.say), devanagari_share(happened.answer.reply)
    mixed = any("\u0900" <= letter <= "\u097f" for letter in happened.turn.say)
    language = happened.turn.language or conversation.language
    wanted = expected.script
    if wanted is None:
        wanted = "Deva" if said > 0.5 else "Latn" if not mixed and language == "en" else "any"
    if wanted == "Deva" and reply < 0.3:
        return ["the reply is not in Devanagari"]
    if wanted == "Latn" and reply > 0.3:
        return ["the reply is in Devanagari"]
    return []


def _side_effects(happened: Happened, expected: Expectation) -> list[str]:
    orders, before, after = happened.new_orders, happened.before, happened.after
    taken = {
        product: before.stock[product] - packs
        for product, packs in after.stock.items()
        if before.stock[product] != packs
    }
    if expected.placed is None:
        found = [f"order {order.order_id} was placed" for order in orders]
        if taken:
            found.append(f"stock was taken: {taken}")
        if after.outbox_events != before.outbox_events:
            found.append("an event went to the outbox")
        return found
    if len(orders) != 1:
        return [f"{len(orders)} orders in the database instead of 1"]
    [order] = orders
    found = [f"in the database: {why}" for why in _items(order.items, expected)]
    if order.order_id != happened.answer.order_id:
        found.append(f"the card shows order {happened.answer.order_id}, the database has {order.order_id}")
    if order.status != happened.answer.card.get("status"):
        found.append(f"the order is {order.status} in the database")
    if taken != order.items:
        found.append(f"the order took {taken} from stock")
    return found
