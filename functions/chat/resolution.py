"""From what a message means to what is to be done: mentions become products by code, never by guessing.

Several variants fit: the one on the patient's active prescription, else the one bought most recently, else
the patient is asked. Nothing here decides whether something may be sold; that is the database's verification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from typing import Any, Literal

from functions.chat.context import Candidate, TurnContext
from functions.chat.understanding.interpretation import Interpretation, Mention, Quantity, Symptom
from functions.chat.understanding.reading import with_strength
from functions.chat.understanding.words import normalise

Act = Literal["say", "propose", "confirm", "decline", "answer"]
EMERGENCY_NUMBERS = ("112", "108", "14416")
"""India: all emergencies, ambulance, Tele-MANAS."""
_MOST_OPTIONS = 6
_NO_DOUBT = frozenset({"product_question", "question", "track", "refills_due", "greeting", "confirm"})
"""What may be said beside an open proposal without meaning no."""
_FREQUENCIES = {
    1: "once_daily",
    2: "twice_daily",
    3: "three_times_daily",
    4: "four_times_daily",
    0.5: "alternate_days",
    0.14: "once_weekly",
}
_MOST_LINES = 20
_MEASURES = frozenset({"ml", "g", "dose", "IU"})
_DOSES = frozenset({"tablet", "capsule"})
_GIVEN_UP = ("discontinued", "replaced")
"""States of a medicine whose run-out matters no more."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of the reply: a key of the message catalogues with its arguments."""

    key: str
    args: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a turn will do. Only `confirm` can place an order, and only the proposal it names."""

    act: Act
    said: tuple[Said, ...] = ()
    items: tuple[Mapping[str, Any], ...] = ()
    """For `propose`: {product_id, packs}."""
    profile: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] | None = None
    notes: tuple[Said, ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)


def plan(interpretation: Interpretation, context: TurnContext) -> Plan:
    """What to do about an interpreted message.

    While a proposal waits for its yes, a turn that was not understood leaves a doubt: it may have been a no.
    The next yes then shows the card again instead of placing it.
    """
    decided = _decide(interpretation, context)
    if interpretation.profile and decided.act in ("say", "propose"):
        decided = replace(decided, profile=interpretation.profile)
    if decided.act == "say" and context.has_open_proposal and interpretation.intent not in _NO_DOUBT:
        return replace(decided, state={**decided.state, "doubt": True})
    return decided


def _decide(interpretation: Interpretation, context: TurnContext) -> Plan:
    is_choosing = context.awaiting.get("kind") in ("choice", "quantity")
    match interpretation.intent:
        case "red_flag":
            card = {"type": "emergency", "numbers": list(EMERGENCY_NUMBERS)}
            return Plan("decline", said=(Said("emergency"),), card=card, state={"emergency": True})
        case "order" | "edit" | "refill" | "choose" | "confirm" if context.state.get("emergency"):
            # Once more before anything is sold: they may be in danger still.
            return Plan("say", said=(Said("after-emergency"),))
        case "answer":
            return Plan("answer", profile=interpretation.profile)
        case "confirm" if context.has_open_proposal and context.state.get("doubt"):
            shown = tuple({"product_id": i.product_id, "packs": i.packs} for i in context.proposed)
            return Plan("propose", items=shown)
        case "confirm" if context.awaiting.get("kind") == "choice" and len(context.awaiting["options"]) == 1:
            return _chosen(0, None, context)  # "Did you mean this one?" "Yes."
        case "confirm" if context.topic and not context.has_open_proposal and not is_choosing:
            return Plan("propose", items=({"product_id": context.topic, "packs": 1},))
        case "confirm" if context.proposal is not None and not is_choosing:
            return Plan("confirm")
        case "confirm":
            return _say("nothing-to-confirm" if not is_choosing else "choose-first", context)
        case "decline":
            has_something = context.has_open_proposal or bool(context.awaiting)
            return Plan("decline", said=(Said("declined" if has_something else "nothing-to-decline"),))
        case "choose" if interpretation.choice is not None:
            return _chosen(interpretation.choice, interpretation.quantity, context)
        case "order":
            return _order(interpretation, context)
        case "edit":
            return _edit(interpretation, context)
        case "change_quantity":
            return _change_quantity(interpretation, context)
        case "refill":
            return _refill(interpretation, context)
        case "track":
            return _track(context)
        case "refills_due":
            return _refills_due(interpretation.mentions, context)
        case "product_question":
            return _tell_about(interpretation.mentions, context)
        case "question":
            return _advise(interpretation.mentions, context)
        case "for_someone_else":
            # What was on the table for them goes as well: a later "yes" must not place it.
            return Plan("decline", said=(Said("for-someone-else"),))
        case "report" | "greeting":
            return _say(interpretation.intent, context)
    if context.awaiting.get("kind") == "profile":
        return _say(f"ask-{context.awaiting['field']}", context)
    return _say("unclear", context)


def _say(key: str, context: TurnContext) -> Plan:
    """One sentence; what was being asked before stays open."""
    return Plan("say", said=(Said(key),), state=context.state)


def packs_for(
    quantity: Quantity | None,
    product: Candidate,
    is_refill: bool = False,
    units_per_day: float | None = None,
) -> tuple[int | None, Said | None]:
    """Packs for what was asked, and a note when units had to be rounded up to whole packs. None when it is
    not clear how many. Without a number: one pack, for a refill as many as last time.
    """
    if quantity is None:
        return (product.last_packs if is_refill and product.last_packs else 1), None
    if quantity.amount is None or quantity.of == "packs":
        return quantity.amount, None
    units = quantity.amount
    if quantity.of == "pieces" and (product.unit in _MEASURES or product.units_per_pack == 1):
        return quantity.amount, None  # three pieces of a balm are three of it
    if quantity.of == "pieces" and product.unit in _DOSES:
        return None, None  # tablets or strips?
    if quantity.of == "days":
        per_day = units_per_day or product.units_per_day
        if not per_day:
            return None, None
        units = ceil(quantity.amount * per_day)
    packs = -(-units // product.units_per_pack)
    if packs * product.units_per_pack == units:
        return packs, None
    return packs, Said(
        "note-rounded",
        {
            "product": product.product_name,
            "asked": units,
            "packs": packs,
            "units": packs * product.units_per_pack,
        },
    )


def pick(mention: Mention, candidates: Sequence[Candidate]) -> Candidate | None:
    """The one product a mention settles on, or None when the patient must be asked."""
    fits = with_strength(mention, candidates)
    if mention.is_guess or mention.is_open or mention.is_unasked or not fits:
        return None
    if len(fits) == 1:
        return fits[0]
    if len({candidate.active_ingredient for candidate in fits}) > 1:
        return None
    prescribed = [candidate for candidate in fits if candidate.on_prescription]
    if len(prescribed) == 1:
        return prescribed[0]
    bought = [candidate for candidate in prescribed or fits if candidate.last_bought_at]
    return max(bought, key=lambda candidate: candidate.last_bought_at or "", default=None)


def _order(interpretation: Interpretation, context: TurnContext) -> Plan:
    return _resolve(_started(interpretation, context, ()))


def _started(
    interpretation: Interpretation, context: TurnContext, items: tuple[Mapping[str, Any], ...]
) -> _Order:
    mentions = interpretation.mentions
    return _Order(
        queue=tuple(mention for mention in mentions if mention.candidates),
        products=context.products,
        items=items,
        unknown=tuple(mention.said for mention in mentions if not mention.candidates),
        symptoms=interpretation.symptoms,
        missing=interpretation.missing,
    )


def _edit(interpretation: Interpretation, context: TurnContext) -> Plan:
    """The open proposal without what is not wanted, and with what is: a product that is on it already gets
    its new number, or that many more.
    """
    removed = {product_id for mention in interpretation.removed for product_id in mention.candidates}
    for mention in interpretation.mentions:
        if mention.strength is not None:  # "the 500, not the 650": the other strength goes
            every = [context.products[product_id] for product_id in mention.candidates]
            fits = {candidate.product_id for candidate in with_strength(mention, every)}
            removed |= set(mention.candidates) - fits if fits else set()
    named = {product_id for mention in interpretation.mentions for product_id in mention.candidates}
    packs = {
        item.product_id: item.packs
        for item in context.proposed
        if item.product_id not in removed and (item.product_id in named or not interpretation.is_only)
    }
    replaced = [item.packs for item in context.proposed if item.product_id in removed]
    new: list[Mention] = []
    for mention in interpretation.mentions:
        is_new = not any(product_id in packs for product_id in mention.candidates)
        if is_new and mention.quantity is None and len(replaced) == 1 == len(interpretation.mentions):
            mention = replace(mention, quantity=Quantity(replaced[0]))  # "crocin instead of dolo"
        on_it = [product_id for product_id in mention.candidates if product_id in packs]
        amount, _ = packs_for(mention.quantity, context.products[on_it[0]]) if on_it else (None, None)
        if len(on_it) != 1 or amount is None:
            new.append(mention)
        elif mention.quantity is not None or interpretation.is_addition or interpretation.is_reduction:
            packs[on_it[0]] = _changed(packs[on_it[0]], amount, interpretation)
        elif interpretation.factor:
            packs[on_it[0]] *= interpretation.factor
    items = tuple(
        {"product_id": product_id, "packs": number} for product_id, number in packs.items() if number > 0
    )
    if not items and not new:
        return Plan("decline", said=(Said("declined"),))
    return _resolve(_started(replace(interpretation, mentions=tuple(new)), context, items))


def _changed(before: int, amount: int, interpretation: Interpretation) -> int:
    """Packs after "two more", "one less" or "make it two"; none or fewer take the item off."""
    if interpretation.is_addition:
        return before + amount
    return before - amount if interpretation.is_reduction else amount


def _change_quantity(interpretation: Interpretation, context: TurnContext) -> Plan:
    """A new number for the one item of the open proposal; of several it is not clear which."""
    items = context.proposed
    if len(items) != 1 and not interpretation.is_for_all:
        return _say("which-quantity", context)
    changed: list[Mapping[str, Any]] = []
    notes: list[Said] = []
    for item in items:
        product = context.products.get(item.product_id)
        if interpretation.factor:
            changed.append({"product_id": item.product_id, "packs": item.packs * interpretation.factor})
            continue
        packs, note = packs_for(interpretation.quantity, product) if product else (None, None)
        if packs is None:
            return _say("which-quantity", context)
        packs = _changed(item.packs, packs, interpretation)
        if packs < 1:
            return _say("which-quantity", context)
        changed.append({"product_id": item.product_id, "packs": packs})
        notes += [note] if note else []
    return Plan("propose", items=tuple(changed), notes=tuple(notes))


def _refill(interpretation: Interpretation, context: TurnContext) -> Plan:
    """ "My usual": the long-term medicines, each with the packs of last time; without any the last order."""
    usual = [] if interpretation.is_last_order else [context.products[one] for one in context.usual]
    if interpretation.forms:
        usual = [product for product in usual if product.form in interpretation.forms]
    items = tuple({"product_id": one.product_id, "packs": one.last_packs or 1} for one in usual)
    if not items and context.last_order and not interpretation.forms:
        items = tuple(
            {"product_id": item["product_id"], "packs": item["quantity"]}
            for item in context.last_order["items"]
        )
    return Plan("propose", items=items) if items else _say("nothing-to-refill", context)


def _track(context: TurnContext) -> Plan:
    order = context.last_order
    if order is None:
        return _say("no-order-yet", context)
    names = ", ".join(item["product_name"] for item in order["items"])
    said = Said(f"track-{order['status'].replace('_', '-')}", {"order": order["order_id"], "names": names})
    return Plan(
        "say",
        said=(said,),
        card={
            "type": "order_tracking",
            "order_id": order["order_id"],
            "status": order["status"],
            "placed_at": order["placed_at"],
            "tracking": order["tracking"],
            "total": order["total_price"],
            "items": [
                {"product_id": i["product_id"], "product_name": i["product_name"], "qty": i["quantity"]}
                for i in order["items"]
            ],
        },
        state=context.state,
    )


def _refills_due(mentions: Sequence[Mention], context: TurnContext) -> Plan:
    """What is taken regularly, what runs out first first; only what was named, if it is taken at all."""
    named = {product_id for mention in mentions for product_id in mention.candidates}
    taken = [refill for refill in context.refills or () if refill["status"] not in _GIVEN_UP]
    taken = [refill for refill in taken if refill["product_id"] in named] or taken
    if not taken:
        return _say("no-refills", context)
    said = tuple(
        Said(
            f"refill-{refill['status']}",
            {"product": refill["product_name"], "days": abs(int(refill["days_left"]))},
        )
        for refill in taken
    )
    if any(refill["status"] in ("due", "overdue") for refill in taken):
        said += (Said("refill-how"),)
    card = {"type": "refill_list", "refills": [_refill_line(one) for one in taken], "count": len(taken)}
    return Plan("say", said=said, card=card, state=context.state)


def _refill_line(refill: Mapping[str, Any]) -> dict[str, Any]:
    told = ("product_id", "product_name", "package_size", "run_out_on", "days_left", "status", "pdc_90")
    outlook = ("quantity", "price", "line_total", "advice", "available", "reason")
    return {
        **{name: refill[name] for name in told},
        "reorder": {name: refill["reorder"][name] for name in outlook},
    }


def _advise(mentions: Sequence[Mention], context: TurnContext) -> Plan:
    """What the rules say, with their sources. No finding is no permission: that stays a pharmacist's word."""
    named = [context.products[p].product_name for mention in mentions for p in mention.candidates[:1]]
    if not named:
        return _say("question-unknown", context)
    if not context.advice:
        said = Said("advice-none", {"names": ", ".join(dict.fromkeys(named))})
        return Plan("say", said=(said,), state=context.state)
    # A pair is found from both sides; it is told once.
    told = {str(finding["rule"]): finding for finding in reversed(context.advice)}
    said_all = tuple(
        Said(
            f"advice-{str(finding['code']).replace('_', '-')}",
            {
                "product": str(finding["product_name"]),
                "subject": str(finding["subject"] or ""),
                "message": str(finding["message"]),
                "source": str(finding["source"]),
            },
        )
        for finding in told.values()
    )
    return Plan("say", said=(*said_all[:4], Said("advice-ask")), state=context.state)


@dataclass(frozen=True, slots=True)
class _Order:
    """An order while it is being settled, mention by mention. It outlives a question."""

    queue: tuple[Mention, ...]
    products: Mapping[str, Candidate]
    items: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[Said, ...] = ()
    unknown: tuple[str, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    missing: tuple[str, ...] = ()


def _resolve(order: _Order) -> Plan:
    """Settle mention after mention; the first that cannot be settled becomes a question, and so does a
    complaint that nothing was named for.
    """
    while order.queue:
        mention = order.queue[0]
        order = replace(order, queue=order.queue[1:])
        candidates = [order.products[product_id] for product_id in mention.candidates]
        chosen = pick(mention, candidates)
        if chosen is None:
            return _ask_which(mention, candidates, order)
        per_day = mention.doses_per_day * mention.units_per_dose if mention.doses_per_day else None
        packs, note = packs_for(mention.quantity, chosen, mention.is_refill, per_day)
        if packs is None:
            return _ask_how_many(mention, chosen, order)
        order = _with_item(order, chosen, packs, note, _directions(mention))
    for symptom in order.symptoms:
        if symptom.options:
            return _offer(symptom, replace(order, symptoms=()))
    unsettled = _unsettled(order)
    if not order.items:
        card = {"type": "clarification", "options": [], "pending": []}
        return Plan("say", said=(*unsettled, Said("ask-another-name")), card=card)
    if len(order.items) > _MOST_LINES:
        return Plan("say", said=(Said("too-many-items", {"most": _MOST_LINES}),))
    # If it is refused, what comes next may still be about it: "then two strips".
    only = order.products.get(str(order.items[0]["product_id"])) if len(order.items) == 1 else None
    state = {"topic": _remembered(only)} if only else {}
    return Plan("propose", said=unsettled, items=order.items, notes=order.notes, state=state)


def _offer(symptom: Symptom, order: _Order) -> Plan:
    offered = [order.products[product_id] for product_id in symptom.options]
    question = (Said("offer", {"complaint": symptom.said}), *_list_options(offered))
    return _ask("choice", question, offered, symptom.quantity, order)


def _directions(mention: Mention) -> dict[str, Any]:
    """How it will be taken, as the database names it; what has no name there is left out."""
    name = _FREQUENCIES.get(round(mention.doses_per_day or 0, 2))
    return {"dosage_frequency": name, "units_per_dose": mention.units_per_dose} if name else {}


def _with_item(
    order: _Order, product: Candidate, packs: int, note: Said | None, directions: Mapping[str, Any]
) -> _Order:
    return replace(
        order,
        items=(*order.items, {"product_id": product.product_id, "packs": packs, **directions}),
        notes=(*order.notes, note) if note else order.notes,
    )


def _unsettled(order: _Order) -> tuple[Said, ...]:
    """What was named and cannot be had: unknown names, conditions without a medicine, complaints without one
    that is safe.
    """
    return (
        *(Said("not-found", {"name": name}) for name in order.unknown),
        *(Said("no-own-medicine", {"condition": condition}) for condition in order.missing),
        *(
            Said("nothing-safe", {"complaint": symptom.said})
            for symptom in order.symptoms
            if not symptom.options
        ),
    )


def _ask_which(mention: Mention, candidates: Sequence[Candidate], order: _Order) -> Plan:
    fits = with_strength(mention, candidates)
    offered = list(fits or candidates)[:_MOST_OPTIONS]
    key = "which-one"
    if not fits:
        key = "no-such-strength"
    elif mention.is_guess:
        key = "did-you-mean"
    elif mention.is_unasked:
        key = "is-it-wanted"
    question = (Said(key, {"name": mention.said}), *_list_options(offered))
    return _ask("choice", question, offered, mention.quantity, order)


def _ask_how_many(mention: Mention, product: Candidate, order: _Order) -> Plan:
    question = Said("how-many", {"product": product.product_name, "size": product.package_size})
    return _ask("quantity", (question,), [product], mention.quantity, order)


def _ask(
    kind: Literal["choice", "quantity"],
    question: tuple[Said, ...],
    offered: Sequence[Candidate],
    quantity: Quantity | None,
    order: _Order,
) -> Plan:
    return Plan(
        "say",
        said=(*_unsettled(order), *question),
        card={
            "type": "clarification",
            "options": [candidate.option() for candidate in offered],
            "pending": list(order.items),
        },
        state={
            "awaiting": {
                "kind": kind,
                "options": [_remembered(candidate) for candidate in offered],
                "quantity": asdict(quantity) if quantity else None,
                "items": list(order.items),
                "notes": [asdict(note) for note in order.notes],
                "queue": [asdict(mention) for mention in order.queue],
                "products": {
                    product_id: _remembered(order.products[product_id])
                    for mention in order.queue
                    for product_id in mention.candidates
                },
            }
        },
    )


def _list_options(offered: Sequence[Candidate]) -> tuple[Said, ...]:
    return tuple(
        Said(
            "option",
            {
                "place": place,
                "product": candidate.product_name,
                "size": candidate.package_size,
                "price": float(candidate.price),
            },
        )
        for place, candidate in enumerate(offered, start=1)
    )


def _chosen(choice: int, quantity: Quantity | None, context: TurnContext) -> Plan:
    """Go on with the order that a question interrupted. Only this module writes that state."""
    awaiting = context.awaiting
    product = _recalled(awaiting["options"][choice])
    asked = quantity or (Quantity(**awaiting["quantity"]) if awaiting["quantity"] else None)
    settled = Mention(said=product.product_name, candidates=(product.product_id,), quantity=asked)
    return _resolve(
        _Order(
            queue=(settled, *(_recalled_mention(mention) for mention in awaiting["queue"])),
            products={
                **{product_id: _recalled(known) for product_id, known in awaiting["products"].items()},
                product.product_id: product,
            },
            items=tuple(awaiting["items"]),
            notes=tuple(Said(**known) for known in awaiting["notes"]),
        )
    )


def _tell_about(mentions: Sequence[Mention], context: TurnContext) -> Plan:
    """Composition, price and stock, from the catalogue."""
    asked = [
        candidate
        for mention in mentions
        for candidate in with_strength(mention, [context.products[p] for p in mention.candidates])
    ][:_MOST_OPTIONS]
    said = tuple(
        Said(
            "product-facts" if candidate.stock_quantity > 0 else "product-facts-out-of-stock",
            {
                "product": candidate.product_name,
                "manufacturer": candidate.manufacturer,
                "ingredient": candidate.active_ingredient,
                "size": candidate.package_size,
                "price": float(candidate.price),
            },
        )
        for candidate in asked
    )
    said += tuple(
        Said("product-on-prescription", {"product": candidate.product_name})
        for candidate in asked
        if candidate.schedule != "OTC"
    )
    if not said and context.has_open_proposal:
        total = sum(context.products[i.product_id].price * i.packs for i in context.proposed)
        said = (Said("proposal-total", {"total": float(total)}),)
    state = {**context.state, "topic": _remembered(asked[0])} if len(asked) == 1 else context.state
    return Plan("say", said=said or (Said("question-unknown"),), state=state)


def _remembered(candidate: Candidate) -> dict[str, Any]:
    return {
        **asdict(candidate),
        "price": str(candidate.price),
        "name_words": normalise(
            f"{candidate.product_name} {candidate.strength} {candidate.form} {candidate.manufacturer}"
        ).split(),
    }


def _recalled(known: Mapping[str, Any]) -> Candidate:
    return Candidate(**{name: known[name] for name in Candidate.__slots__})


def _recalled_mention(known: Mapping[str, Any]) -> Mention:
    quantity = known["quantity"]
    return Mention(
        said=known["said"],
        candidates=tuple(known["candidates"]),
        quantity=Quantity(**quantity) if quantity else None,
        strength=known["strength"],
        forms=tuple(known["forms"]),
        is_guess=known["is_guess"],
        is_open=known["is_open"],
        is_unasked=known["is_unasked"],
        is_refill=known["is_refill"],
        doses_per_day=known["doses_per_day"],
        units_per_dose=known["units_per_dose"],
    )
