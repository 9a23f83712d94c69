"""What a row of each file may contain. A row object exists only when every field of it is valid."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, StringConstraints
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from infra.importer.problems import quoted
from infra.importer.strengths import Strength, UnreadableStrength, read_strengths

NO_INGREDIENT = "-"
LIST_SEPARATOR = ";"
_INGREDIENT_SEPARATOR = "+"

_OTC_CAP = re.compile(r"([1-9][0-9]{0,5})( packs?)?")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _clean_text(value: str) -> str:
    value = " ".join(value.split())
    if _CONTROL_CHARACTER.search(value):
        raise PydanticCustomError("control_character", "contains a control character")
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _matching(pattern: str, message: str) -> BeforeValidator:
    """Lets through what matches as a whole; `message` follows the quoted value."""
    matches = re.compile(pattern).fullmatch

    def check(value: str) -> str:
        if not matches(value):
            raise PydanticCustomError("pattern", "{message}", {"message": message})
        return value

    return BeforeValidator(check)


def _flag(value: str) -> bool:
    match value.lower():  # a spreadsheet saves TRUE and FALSE
        case "true":
            return True
        case "false":
            return False
    raise PydanticCustomError("flag", "is neither true nor false")


def _list(value: str) -> list[str]:
    """The entries, without blanks and repetitions."""
    return list(dict.fromkeys(entry.strip() for entry in value.split(LIST_SEPARATOR) if entry.strip()))


def _blank_is_none(value: str) -> str | None:
    return value or None


class OtcCap(NamedTuple):
    """How much of an ingredient may be sold in 7 days without a prescription."""

    amount: int
    of: Literal["units", "packs"]


def _otc_cap(value: str) -> OtcCap | None:
    if not value:
        return None
    match = _OTC_CAP.fullmatch(value)
    if match is None:
        raise PydanticCustomError("otc_cap", 'is neither a number of units nor one of packs like "2 packs"')
    return OtcCap(int(match[1]), "packs" if match[2] else "units")


Text = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_clean_text)]
Lowercase = Annotated[Text, AfterValidator(str.lower)]
TextList = Annotated[list[Text], BeforeValidator(_list)]
FilledTextList = Annotated[TextList, Field(min_length=1)]
Identifier = Annotated[
    str, _matching(r"[A-Za-z0-9_-]{1,64}", "is no id: letters, digits, hyphen and underscore, 64 at most")
]
Email = Annotated[
    str,
    StringConstraints(to_lower=True, max_length=254),
    _matching(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@.<>,;]+", "is no e-mail address"),
]
Phone = Annotated[str, _matching(r"\+?[0-9][0-9 ()-]{5,19}", "is no phone number")]

# ASCII digits only, and neither "1_000", "1e5" nor "NaN", which Python would read as numbers.
Whole = Annotated[int, _matching(r"-?[0-9]{1,9}", "is not a whole number")]
Age = Annotated[Whole, Field(ge=0, le=130)]
DaysAgo = Annotated[Whole, Field(ge=0, le=36_500)]
Packs = Annotated[Whole, Field(ge=1, le=10_000)]
Amount = Annotated[Decimal, _matching(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", "is not an amount")]
Price = Annotated[Amount, Field(ge=0, decimal_places=2, max_digits=10)]
DailyMilligrams = Annotated[Amount, Field(gt=0)]
UnitsPerDose = Annotated[Amount, Field(gt=0, le=1_000)]
OptionalAge = Annotated[Age | None, BeforeValidator(_blank_is_none)]
Flag = Annotated[bool, BeforeValidator(_flag)]

Schedule = Literal["OTC", "H", "H1", "X"]
Action = Literal["block", "warn"]
Frequency = Literal[
    "once_daily",
    "twice_daily",
    "three_times_daily",
    "four_times_daily",
    "alternate_days",
    "once_weekly",
    "as_needed",
]


def split_ingredients(active_ingredient: str) -> list[str]:
    """["Amoxicillin", "Clavulanic Acid"] of "Amoxicillin+Clavulanic Acid"; none of "-"."""
    if active_ingredient == NO_INGREDIENT:
        return []
    return [part.strip() for part in active_ingredient.split(_INGREDIENT_SEPARATOR)]


class Contradiction(NamedTuple):
    """Between fields that are each valid alone."""

    column: str
    message: str


class Row:
    """One row of a file; the fields of the subclass are the columns of the file."""

    __slots__ = ()

    def contradictions(self) -> Iterator[Contradiction]:
        yield from ()


@dataclass(frozen=True, slots=True)
class Medicine(Row):
    product_id: Identifier
    product_name: Text
    active_ingredient: Text
    strength: Text
    form: Lowercase
    pack_unit: Text
    units_per_pack: Annotated[Whole, Field(ge=1, le=1_000_000)]
    unit: Text
    package_size: Text
    price_inr: Price
    stock_packs: Annotated[Whole, Field(ge=0, le=10_000_000)]
    min_age_years: OptionalAge
    prescription_required: Flag
    schedule: Schedule
    category: Text
    manufacturer: Text
    aliases: TextList

    @property
    def ingredients(self) -> list[str]:
        return split_ingredients(self.active_ingredient)

    @property
    def strengths(self) -> tuple[Strength, ...]:
        """One for each of `ingredients`. Raises UnreadableStrength."""
        return read_strengths(self.strength, len(self.ingredients), self.unit)

    def contradictions(self) -> Iterator[Contradiction]:
        if self.prescription_required != (self.schedule != "OTC"):
            needed = "true" if self.schedule != "OTC" else "false"
            yield Contradiction("prescription_required", f"must be {needed} for schedule {self.schedule}")
        ingredients = self.ingredients
        if "" in ingredients or NO_INGREDIENT in ingredients or len(set(ingredients)) < len(ingredients):
            yield Contradiction(
                "active_ingredient", f"{quoted(self.active_ingredient)} lists a blank or a repeated one"
            )
            return
        try:
            _ = self.strengths
        except UnreadableStrength as error:
            yield Contradiction("strength", f"{quoted(self.strength)} {error}")


@dataclass(frozen=True, slots=True)
class ClassMember(Row):
    drug_class: Text
    ingredient: Text


@dataclass(frozen=True, slots=True)
class AllergyTerm(Row):
    term: Lowercase
    matches: Literal["class", "ingredient", "product"]
    target: Text
    action: Action
    reason: Text


@dataclass(frozen=True, slots=True)
class Interaction(Row):
    ingredient_a: Text
    ingredient_b: Text
    severity: Literal["contraindicated", "major", "moderate", "minor"]
    action: Action
    effect: Text
    source: Text

    def contradictions(self) -> Iterator[Contradiction]:
        if self.ingredient_a == self.ingredient_b:
            yield Contradiction("ingredient_b", f"{quoted(self.ingredient_b)} is paired with itself")
        elif self.ingredient_a > self.ingredient_b:
            yield Contradiction("ingredient_a", "the pair is not in alphabetical order")
        if self.severity == "contraindicated" and self.action != "block":
            yield Contradiction("action", "must be block for a contraindicated pair")


@dataclass(frozen=True, slots=True)
class IngredientLimit(Row):
    ingredient: Text
    max_daily_mg: Annotated[DailyMilligrams | None, BeforeValidator(_blank_is_none)]
    min_age_years: OptionalAge
    weekly_only: Flag
    otc_units_per_7_days: Annotated[OtcCap | None, PlainValidator(_otc_cap)]
    source: Text


@dataclass(frozen=True, slots=True)
class ConditionRule(Row):
    ingredient: Text
    condition: Lowercase
    action: Action
    effect: Text
    source: Text


@dataclass(frozen=True, slots=True)
class Condition(Row):
    condition: Lowercase
    kind: Literal["maintenance", "symptom"]
    ingredients: FilledTextList
    phrases: FilledTextList


@dataclass(frozen=True, slots=True)
class Patient(Row):
    patient_id: Identifier
    name: Text
    age: OptionalAge
    gender: Annotated[
        Literal["Male", "Female", "Other"] | None, BeforeValidator(lambda value: value.capitalize() or None)
    ]
    email: Email
    phone: Annotated[Phone | None, BeforeValidator(_blank_is_none)]
    allergies: TextList
    conditions: TextList
    preferred_language: Literal["en", "hi", "mr"]


@dataclass(frozen=True, slots=True)
class Prescription(Row):
    prescription_id: Identifier
    patient_id: Identifier
    status: Literal["pending", "verified", "rejected", "expired"]
    issued_days_ago: DaysAgo
    valid_days: Annotated[Whole, Field(ge=0, le=3_650)]
    prescriber: Text


@dataclass(frozen=True, slots=True)
class PrescriptionItem(Row):
    prescription_id: Identifier
    ingredient: Text
    strength: Text
    units: Annotated[Whole, Field(ge=1, le=100_000)]
    repeats: Annotated[Whole, Field(ge=0, le=24)]
    dosage_frequency: Frequency
    units_per_dose: UnitsPerDose


@dataclass(frozen=True, slots=True)
class Purchase(Row):
    order_id: Identifier
    patient_id: Identifier
    product_id: Identifier
    packs: Packs
    days_ago: DaysAgo
    dosage_frequency: Frequency
    units_per_dose: UnitsPerDose
    status: Literal[
        "awaiting_pharmacist", "confirmed", "processing", "shipped", "delivered", "cancelled", "failed"
    ]
