"""Reading printed strengths: "500 mg + 125 mg", "250 mg/5 ml", "2 mg + 10 mg per 5 ml", "1%", "100 IU/ml"."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

NO_STRENGTH = "-"

_MILLIGRAMS = {
    "ng": Decimal("0.000001"),
    "mcg": Decimal("0.001"),
    "ug": Decimal("0.001"),
    "μg": Decimal("0.001"),
    "mg": Decimal(1),
    "g": Decimal(1000),
    "gm": Decimal(1000),
}
_NOT_A_MASS = frozenset({"iu", "u", "units", "miu", "meq", "mmol", "cfu"})
# What a pack is counted in when its strength is a concentration.
_BULK_UNITS = frozenset({"ml", "g"})
_MG_PER_GRAM_IN_ONE_PERCENT = Decimal(10)
_MG_PLACES = 9

_NUMBER = r"[0-9]{1,3}(?:,[0-9]{2,3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_PART = re.compile(
    rf"""
    (?P<amount>{_NUMBER}) \s* (?P<unit>%|[a-zμ]+) (?:\s*w/[wv])?
    (?: \s* (?:/|per\s) \s* (?P<per_amount>{_NUMBER})? \s* (?P<per_unit>[a-z]+) )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Not the slash of "1% w/w".
_TRAILING_PER = re.compile(r"\s*(?:(?<!w)/|\bper\b).*$", re.IGNORECASE)


class UnreadableStrength(ValueError):
    """The message says what about the strength cannot be read."""


@dataclass(frozen=True, slots=True)
class Strength:
    """Of one ingredient: as printed, and its milligrams in one unit of the pack, None where it is no mass."""

    printed: str
    mg_per_unit: Decimal | None


@lru_cache(maxsize=100_000)
def read_strengths(printed: str, ingredients: int, pack_unit: str) -> tuple[Strength, ...]:
    """One Strength for each of the product's `ingredients`.

    `pack_unit` is what the pack counts ("tablet", "ml"): a strength per 5 ml becomes one per ml in a pack of
    ml, and stays without milligrams where a unit holds an unknown volume (a respule).

    Raises UnreadableStrength when it cannot be read or does not name one strength an ingredient.
    """
    if printed == NO_STRENGTH:
        return (Strength(NO_STRENGTH, None),) * ingredients
    parts = [part.strip() for part in printed.split("+")]
    if len(parts) != ingredients:
        raise UnreadableStrength(
            f"names {_counted(len(parts), 'strength')} for {_counted(ingredients, 'ingredient')}"
        )
    # "2 mg + 10 mg per 5 ml": what is said once, at the end, is meant for all.
    shared_per = _TRAILING_PER.search(parts[-1])
    if shared_per:
        parts = [
            part if _TRAILING_PER.search(part) or "%" in part else part + shared_per[0] for part in parts
        ]
    return tuple(Strength(part, _mg_per_unit(part, pack_unit.lower())) for part in parts)


def _mg_per_unit(part: str, pack_unit: str) -> Decimal | None:
    match = _PART.fullmatch(unicodedata.normalize("NFKC", part))
    if match is None:
        raise UnreadableStrength(f'cannot be read at "{part}"')
    amount = _number(match["amount"])
    unit = match["unit"].lower()
    per_amount = _number(match["per_amount"] or "1")
    per_unit = (match["per_unit"] or "").lower()
    if not amount or not per_amount:
        raise UnreadableStrength("contains a zero")
    if unit == "%":
        if amount > 100:
            raise UnreadableStrength("is more than 100%")
        return amount * _MG_PER_GRAM_IN_ONE_PERCENT if pack_unit in _BULK_UNITS else None
    if unit in _NOT_A_MASS:
        return None
    if unit not in _MILLIGRAMS:
        raise UnreadableStrength(f'has the unknown unit "{match["unit"]}"')
    milligrams = amount * _MILLIGRAMS[unit]
    if per_unit == pack_unit:
        return round(milligrams / per_amount, _MG_PLACES)
    if per_unit:
        return None
    if pack_unit in _BULK_UNITS:
        raise UnreadableStrength(f"does not say in how many {pack_unit}")
    return milligrams


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
