"""From what a message means to what is to be done: mentions become products by code, never by guessing.

Several variants fit: the one on the patient's active prescription, else the one bought most recently, else
the patient is asked. Nothing here decides whether something may be sold; that is the database's verification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from functions.chat.context import Candidate, TurnContext
from functions.chat.understanding.interpretation import Interpretation, Mention, Quantity
from functions.chat.understanding.reading import with_strength
from functions.chat.understanding.words import normalise

Act = Literal["say", "propose", "confirm", "decline", "answer"]
EMERGENCY_NUMBERS = ("112", "108", "14416")
"""India: all emergencies, ambulance, Tele-MANAS."""
_MOST_OPTIONS = 6


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
    """What to do about an interpreted message."""
    match interpretation.intent:
        case "red_flag":
            card = {"type": "emergency", "numbers": list(EMERGENCY_NUMBERS)}
            return Plan("decline", said=(Said("emergency"),), card=card)
        case "answer":
            return Plan("answer", profile=interpretation.profile)
        case "confirm" if context.proposal is not None and context.awaiting.get("kind") != "choice":
            return Plan("confirm")
        case "confirm":
            return Plan("say", said=(Said("nothing-to-confirm"),), state=context.state)
        case "decline":
            return Plan(
                "decline", said=(Said("declined" if context.has_open_proposal else "nothing-to-decline"),)
            )
        case "choose" if interpretation.choice is not None:
            return _chosen(interpretation.choice, interpretation.quantity, context)
        case "for_someone_else":
            return Plan("say", said=(Said("for-someone-else"),), state=context.state)
        case "question":
            return Plan("say", said=(Said("question-unknown"),), state=context.state)
        case "product_question":
            return _tell_about(interpretation.mentions, context)
        case "order":
            return _order(interpretation.mentions, context)
        case "add":
            return _order(interpretation.mentions, context, beside=_proposed(context))
        case "change_quantity" if context.proposal is not None:
            return _change_quantity(interpretation.quantity, context)
        case "report":
            return Plan("say", said=(Said("report"),), state=context.state)
        case "greeting":
            return Plan("say", said=(Said("greeting"),), state=context.state)
    if context.awaiting.get("kind") == "profile":
        return Plan("say", said=(Said(f"ask-{context.awaiting['field']}"),), state=context.state)
    return Plan("say", said=(Said("unclear"),), state=context.state)


def packs_for(quantity: Quantity | None, product: Candidate) -> tuple[int | None, Said | None]:
    """Packs for what was asked, and a note when units had to be rounded up to whole packs. None when it is
    not clear how many; without any quantity one pack.
    """
    if quantity is None:
        return 1, None
    if quantity.amount is None or quantity.of == "packs":
        return quantity.amount, None
    packs = -(-quantity.amount // product.units_per_pack)
    if packs * product.units_per_pack == quantity.amount:
        return packs, None
    return packs, Said(
        "note-rounded",
        {
            "product": product.product_name,
            "asked": quantity.amount,
            "packs": packs,
            "units": packs * product.units_per_pack,
        },
    )


def pick(mention: Mention, candidates: Sequence[Candidate]) -> Candidate | None:
    """The one product a mention settles on, or None when the patient must be asked."""
    fits = with_strength(mention, candidates)
    if mention.is_guess or not fits:
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


def _proposed(context: TurnContext) -> tuple[Mapping[str, Any], ...]:
    """The items of the open proposal, as an order has them."""
    items = context.proposal.items if context.proposal else ()
    return tuple({"product_id": item.product_id, "packs": item.packs} for item in items)


def _change_quantity(quantity: Quantity | None, context: TurnContext) -> Plan:
    """A new number of packs for the one item of the open proposal; of several it is not clear which."""
    items = _proposed(context)
    if len(items) != 1 or quantity is None or quantity.amount is None or quantity.of == "units":
        return Plan("say", said=(Said("which-quantity"),), state=context.state)
    return Plan("propose", items=({**items[0], "packs": quantity.amount},))


def _order(
    mentions: Sequence[Mention], context: TurnContext, beside: tuple[Mapping[str, Any], ...] = ()
) -> Plan:
    return _resolve(
        _Order(
            items=beside,
            queue=tuple(mention for mention in mentions if mention.candidates),
            products=context.products,
            unknown=tuple(mention.said for mention in mentions if not mention.candidates),
        )
    )


@dataclass(frozen=True, slots=True)
class _Order:
    """An order while it is being settled, mention by mention. It outlives a question."""

    queue: tuple[Mention, ...]
    products: Mapping[str, Candidate]
    items: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[Said, ...] = ()
    unknown: tuple[str, ...] = ()


def _resolve(order: _Order) -> Plan:
    """Settle mention after mention; the first that cannot be settled becomes a question."""
    while order.queue:
        mention = order.queue[0]
        order = replace(order, queue=order.queue[1:])
        candidates = [order.products[product_id] for product_id in mention.candidates]
        chosen = pick(mention, candidates)
        if chosen is None:
            return _ask_which(mention, candidates, order)
        packs, note = packs_for(mention.quantity, chosen)
        if packs is None:
            return _ask_how_many(mention, chosen, order)
        order = _with_item(order, chosen, packs, note)
    not_found = _not_found(order)
    if not order.items:
        card = {"type": "clarification", "options": [], "pending": []}
        return Plan("say", said=(*not_found, Said("ask-another-name")), card=card)
    return Plan("propose", said=not_found, items=order.items, notes=order.notes)


def _with_item(order: _Order, product: Candidate, packs: int, note: Said | None) -> _Order:
    return replace(
        order,
        items=(*order.items, {"product_id": product.product_id, "packs": packs}),
        notes=(*order.notes, note) if note else order.notes,
    )


def _not_found(order: _Order) -> tuple[Said, ...]:
    return tuple(Said("not-found", {"name": name}) for name in order.unknown)


def _ask_which(mention: Mention, candidates: Sequence[Candidate], order: _Order) -> Plan:
    fits = with_strength(mention, candidates)
    offered = list(fits or candidates)[:_MOST_OPTIONS]
    key = "no-such-strength" if not fits else "did-you-mean" if mention.is_guess else "which-one"
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
        said=(*_not_found(order), *question),
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
                "ingredient": candidate.active_ingredient,
                "size": candidate.package_size,
                "price": float(candidate.price),
            },
        )
        for candidate in asked
    )
    return Plan("say", said=said or (Said("question-unknown"),), state=context.state)


def _remembered(candidate: Candidate) -> dict[str, Any]:
    return {
        **asdict(candidate),
        "price": str(candidate.price),
        "name_words": normalise(f"{candidate.product_name} {candidate.strength} {candidate.form}").split(),
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
    )
