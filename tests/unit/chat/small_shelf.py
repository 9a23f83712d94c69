"""A shelf of a few products, and the first answer of the database for a message about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from functions.chat.context import Candidate, OpenProposal, ProposedItem, Span, TurnContext
from functions.chat.resolution import Plan, plan
from functions.chat.understanding.interpretation import Interpretation
from functions.chat.understanding.lexical import interpret, is_vocabulary
from functions.chat.understanding.words import normalise, split


def product(product_id: str, name: str, ingredient: str, strength: str, units: int = 10) -> Candidate:
    return Candidate(
        product_id=product_id,
        product_name=name,
        active_ingredient=ingredient,
        manufacturer="Micro Labs",
        schedule="OTC",
        strength=strength,
        form="tablet",
        pack_unit="strip",
        units_per_pack=units,
        unit="tablet",
        package_size=f"{units} Tablets",
        price=Decimal("30.00"),
        stock_quantity=100,
        on_prescription=False,
        last_bought_at=None,
        last_packs=None,
        units_per_day=None,
    )


DOLO_650 = product("MED001", "Dolo 650", "Paracetamol", "650 mg", units=15)
DOLO_500 = product("MED033", "Dolo 500", "Paracetamol", "500 mg", units=15)
CROCIN = product("MED009", "Crocin Advance", "Paracetamol", "500 mg")
CETIRIZINE = product("MED005", "Cetirizine 10mg", "Cetirizine", "10 mg")
IBUPROFEN = product("MED012", "Ibuprofen 400mg", "Ibuprofen", "400 mg")
COMBIFLAM = product("MED068", "Combiflam", "Ibuprofen+Paracetamol", "400 mg + 325 mg")
METFORMIN = product("MED003", "Metformin 500mg", "Metformin", "500 mg", units=30)
METFORMIN_SR = product("MED036", "Metformin 1000mg SR", "Metformin", "1000 mg", units=30)

PRODUCTS = (DOLO_650, DOLO_500, CROCIN, CETIRIZINE, IBUPROFEN, COMBIFLAM, METFORMIN, METFORMIN_SR)
ALIASES = {
    "dolo": ["MED001"],
    "डोलो": ["MED001"],
    "crocin": ["MED009"],
    "cetirizine": ["MED005"],
    "ibuprofen": ["MED012"],
    "metformin": ["MED003"],
}


def spans(texts: Sequence[str]) -> list[Span]:
    """What the database finds: runs of words that are a name, another name, an ingredient or the beginning of
    names."""
    found = []
    for first in range(len(texts)):
        for length in range(1, min(5, len(texts) - first) + 1):
            said = " ".join(texts[first : first + length])
            for known in PRODUCTS:
                name = normalise(known.product_name)
                if said.replace(" ", "") == name.replace(" ", ""):
                    found.append(Span(first, length, "name", 0, known.product_id))
                elif name.startswith(f"{said} ") and len(said) >= 3:
                    found.append(Span(first, length, "stem", 0, known.product_id))
                if known.product_id in ALIASES.get(said, []):
                    found.append(Span(first, length, "alias", 0, known.product_id))
                if said == normalise(known.active_ingredient):
                    found.append(Span(first, length, "ingredient", 0, known.product_id))
    return found


def context_for(
    message: str,
    *,
    state: Mapping[str, Any] | None = None,
    proposed: Sequence[tuple[Candidate, int]] = (),
    prescribed: Sequence[Candidate] = (),
    bought: Mapping[str, str] | None = None,
) -> TurnContext:
    """The context of a message. `proposed` is on the card that waits for an answer; `bought` says when which
    product was bought last."""
    words = split(message)
    known = {
        candidate.product_id: replace(
            candidate,
            on_prescription=candidate in prescribed,
            last_bought_at=(bought or {}).get(candidate.product_id),
        )
        for candidate in PRODUCTS
    }
    language = [is_vocabulary(word) for word in words]
    return TurnContext(
        patient_id="PAT012",
        preferred_language="en",
        own_names=frozenset({"anjali", "gupta"}),
        conversation_id="6f1c1d0e-7a53-4a3e-9f0e-3d6f3b1f4c11",
        state=state or {},
        proposal=OpenProposal(
            proposal_id="0b6c9a52-6a0e-4a53-9f0e-3d6f3b1f4c11",
            digest="d1",
            status="open",
            order_id=None,
            items=tuple(ProposedItem(candidate.product_id, packs) for candidate, packs in proposed),
        )
        if proposed
        else None,
        spans=tuple(
            span
            for span in spans([word.text for word in words])
            if not all(language[span.first : span.first + span.length])
        ),
        products=known,
    )


def understand(message: str, **context: Any) -> Interpretation:
    return interpret(split(message), context_for(message, **context))


def decide(message: str, **context: Any) -> Plan:
    known = context_for(message, **context)
    return plan(interpret(split(message), known), known)


def basket(message: str, **context: Any) -> list[tuple[str, int]]:
    """(product id, packs) of what would be proposed; empty when something else happens."""
    decided = decide(message, **context)
    return [(item["product_id"], item["packs"]) for item in decided.items] if decided.act == "propose" else []
