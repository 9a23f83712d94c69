"""What a turn tells of itself in `thinking`: how the message was understood and what each name came to.

Only the patient who wrote the message and staff can ask for it; nothing of it goes into logs or traces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.chat.context import TurnContext
from functions.chat.resolution import Plan
from functions.chat.understanding.interpretation import Interpretation, Mention, Quantity


def told_of_extract(interpretation: Interpretation, by: str, language: str) -> dict[str, Any]:
    """The step `extract`: intent, who understood it, and how much of the message that explains."""
    named = ", ".join(mention.said for mention in interpretation.mentions)
    return {
        "step": "extract",
        "summary": f"{interpretation.intent}: {named}".rstrip(": ") + f" ({by})",
        "intent": interpretation.intent,
        "understood_by": by,
        "confidence": round(interpretation.confidence, 2),
        "language": language,
    }


def told_of_verify(interpretation: Interpretation, decided: Plan, context: TurnContext) -> dict[str, Any]:
    """The step `verify`: what is to be done, with which products, and what each mention resolved to."""
    items = ", ".join(f"{item['product_id']} x {item['packs']}" for item in decided.items)
    pending = (decided.card or {}).get("pending", ())  # settled already, while something else is asked
    settled = [str(item["product_id"]) for item in (*decided.items, *pending)]
    mentions = [_told_of_mention(mention, settled, context) for mention in interpretation.mentions]
    removed = [_told_of_mention(mention, [], context) for mention in interpretation.removed]
    complaints = [
        {
            "said": symptom.said,
            "kind": "complaint",
            "quantity": _told_of_quantity(symptom.quantity),
            "candidates": _named(symptom.options, context),
            "resolved_to": None,
        }
        for symptom in interpretation.symptoms
    ]
    return {
        "step": "verify",
        "summary": f"{decided.act} {items}".strip(),
        "does": decided.act,
        "mentions": [*mentions, *({**one, "kind": "removed"} for one in removed), *complaints],
        "items": [
            {**product, "quantity": item["packs"]}
            for item in decided.items
            for product in _named((str(item["product_id"]),), context)
        ],
    }


def _told_of_mention(mention: Mention, settled: list[str], context: TurnContext) -> dict[str, Any]:
    return {
        "said": mention.said,
        "kind": "medicine",
        "quantity": _told_of_quantity(mention.quantity),
        "candidates": _named(mention.candidates, context),
        "resolved_to": next((one for one in settled if one in mention.candidates), None),
    }


def _told_of_quantity(quantity: Quantity | None) -> dict[str, Any] | None:
    return None if quantity is None else {"amount": quantity.amount, "of": quantity.of}


def _named(product_ids: tuple[str, ...], context: TurnContext) -> list[Mapping[str, Any]]:
    known = context.products
    return [
        {"product_id": one, "product_name": known[one].product_name if one in known else None}
        for one in product_ids
    ]
