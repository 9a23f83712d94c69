"""One answer of the chat API, read without trust in its shape."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    milliseconds: float

    @property
    def reply(self) -> str:
        return str(self.body.get("reply") or "")

    @property
    def card(self) -> dict[str, Any]:
        card = self.body.get("card_data")
        return card if isinstance(card, dict) else {}

    @property
    def card_type(self) -> str | None:
        return self.card.get("type")

    @property
    def items(self) -> dict[str, int]:
        """Product -> packs on the card."""
        return {str(item.get("product_id")): int(item.get("qty") or 0) for item in self._list("items")}

    @property
    def lines(self) -> list[dict[str, Any]]:
        return self._list("items")

    @property
    def rejected(self) -> dict[str, set[str]]:
        """Product -> codes of what was left out."""
        found: dict[str, set[str]] = {}
        for item in self._list("rejected_items"):
            found.setdefault(str(item.get("product_id")), set()).add(str(item.get("code")))
        return found

    @property
    def options(self) -> list[str]:
        return [str(option.get("product_id")) for option in self._list("options")]

    @property
    def warnings(self) -> set[str]:
        inside = [warning for item in self._list("items") for warning in item.get("warnings") or []]
        return {str(warning.get("code")) for warning in [*inside, *self._list("warnings")]}

    @property
    def order_id(self) -> str | None:
        return self.card.get("order_id")

    @property
    def text(self) -> str:
        """Everything a person could read out of it."""
        return json.dumps(self.body, ensure_ascii=False, default=str)

    def summary(self) -> dict[str, Any]:
        """The part that a failure report shows."""
        return {
            "status": self.status,
            "reply": self.reply,
            "card": self.card_type,
            "items": self.items,
            "rejected": {product: sorted(codes) for product, codes in self.rejected.items()},
            "options": self.options,
            "warnings": sorted(self.warnings),
            "total": self.card.get("total"),
            "order_id": self.order_id,
            "order_status": self.card.get("status"),
        }

    def _list(self, name: str) -> list[dict[str, Any]]:
        value = self.card.get(name)
        return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def amount(value: object) -> Decimal | None:
    """Money as it was written on the wire; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(str(value))


def devanagari_share(text: str) -> float:
    """Of all letters, from 0 to 1."""
    letters = [letter for letter in text if unicodedata.category(letter)[0] in "LM"]
    return sum("\u0900" <= letter <= "\u097f" for letter in letters) / len(letters) if letters else 0.0
