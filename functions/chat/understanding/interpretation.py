"""What a message means, before anything of it is trusted.

An interpreter yields intents, mentions and quantities as the patient said them. It never yields a product id,
a price or a verdict: code resolves the mentions, SQL verifies the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Intent = Literal[
    "order",
    "edit",
    "refill",
    "refills_due",
    "change_quantity",
    "track",
    "confirm",
    "decline",
    "choose",
    "answer",
    "question",
    "product_question",
    "report",
    "for_someone_else",
    "greeting",
    "red_flag",
    "unclear",
]
ProfileField = Literal["age", "allergies", "conditions"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much was asked for. Units are tablets or capsules, packs are strips, boxes, bottles."""

    amount: int | None
    """None: something was said, but no whole number follows from it; the patient is asked."""
    of: Literal["packs", "units", "days", "pieces"] = "packs"
    """Pieces are units of what is handled one by one, such as masks; of tablets it is not clear."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A medicine as the patient named it, with the products the name may stand for."""

    said: str
    candidates: tuple[str, ...]
    """Ids of the products that fit. Empty: nothing in the catalogue is called that."""
    quantity: Quantity | None = None
    strength: str | None = None
    """The number said with it that is a strength: "650"."""
    forms: tuple[str, ...] = ()
    is_guess: bool = False
    """The name was far enough from any known one that the patient must be asked."""
    is_open: bool = False
    """One of several: the patient leaves open which, and is asked."""
    is_unasked: bool = False
    """It was named among other words, and nothing says that it is wanted: the patient is asked."""
    doses_per_day: float | None = None
    """How it is taken, when that was said."""
    units_per_dose: int = 1
    is_refill: bool = False
    """Without a number, as many packs as last time."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """A complaint with what may be offered for it: options, never a choice."""

    said: str
    options: tuple[str, ...]
    quantity: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Interpretation:
    intent: Intent
    mentions: tuple[Mention, ...] = ()
    removed: tuple[Mention, ...] = ()
    """For `edit`: what is not wanted any more."""
    is_addition: bool = False
    """For `edit` and `change_quantity`: the quantities come on top of what the proposal has."""
    is_reduction: bool = False
    """For `edit` and `change_quantity`: the quantities are taken off what the proposal has."""
    factor: int | None = None
    """For `edit` and `change_quantity`: so many times what the proposal has."""
    is_only: bool = False
    """For `edit`: nothing but what is named."""
    symptoms: tuple[Symptom, ...] = ()
    is_for_all: bool = False
    """For `change_quantity`: every item of the proposal."""
    forms: tuple[str, ...] = ()
    """For `refill`: only what has one of these forms."""
    is_last_order: bool = False
    """For `refill`: the last order again, not the usual medicines."""
    missing: tuple[str, ...] = ()
    """Conditions that were named, but the patient has no medicine for."""
    choice: int | None = None
    """For `choose`: the place of the chosen option, from 0."""
    quantity: Quantity | None = None
    """For `choose`: how much of it, when that was the question; for `change_quantity`: the new one."""
    profile: dict[str, int | list[str]] = field(default_factory=dict)
    """What the patient says of themselves, asked or not: {"age": 34}, {"allergies": [...]} or
    {"conditions": [...]}."""
    confidence: float = 1.0
    """Share of the message's words that the interpreter can account for."""
