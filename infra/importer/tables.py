"""The files the importer knows, what identifies a row in each, and a folder of them read into memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from infra.importer import rows
from infra.importer.csv_reading import Record, read_records
from infra.importer.problems import ImportRefused, Problems, quoted
from infra.importer.progress import Progress

RowT = TypeVar("RowT", bound=rows.Row)

# Pydantic's findings in the words of somebody who edits a spreadsheet; {…} is filled from its context.
_MESSAGES = {
    "string_too_long": "is longer than {max_length} characters",
    "literal_error": "is not {expected}",
    "greater_than": "is not more than {gt}",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "decimal_max_places": "has more than {decimal_places} decimals",
    "decimal_max_digits": "is too large",
    "decimal_whole_digits": "is too large",
}
_BLANK = frozenset({"string_too_short", "too_short"})


@dataclass(frozen=True)
class Table(Generic[RowT]):
    """A kind of file: `medicines` is medicines.csv."""

    name: str
    row: type[RowT]
    key: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in dataclasses.fields(self.row))  # type: ignore[arg-type]

    @cached_property
    def _adapter(self) -> TypeAdapter[RowT]:
        return TypeAdapter(self.row)

    def parse(self, record: Record, problems: Problems) -> RowT | None:
        """The row, or None after adding what is wrong with it."""
        try:
            row = self._adapter.validate_python(record.fields)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                column = str(details["loc"][0])
                problems.add(self.file, record.line, _message(details, record.fields[column]), column)
            return None
        sound = True
        for contradiction in row.contradictions():
            problems.add(self.file, record.line, contradiction.message, contradiction.column)
            sound = False
        return row if sound else None


def _message(details: ErrorDetails, field: str) -> str:
    if details["type"] in _BLANK or not field:
        return "must not be blank"
    template = _MESSAGES.get(details["type"])
    return f"{quoted(field)} {template.format(**details.get('ctx', {})) if template else details['msg']}"


@dataclass(frozen=True)
class Sheet(Generic[RowT]):
    """The valid rows of one file with the line of each; no rows when the folder has no such file.

    `broken` are the records that are no valid row: reported already, and still there to be referred to.
    """

    table: Table[RowT]
    present: bool = False
    rows: list[RowT] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    broken: list[Record] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, RowT]]:
        return zip(self.lines, self.rows, strict=True)

    @property
    def file(self) -> str:
        return self.table.file

    @property
    def unreadable(self) -> bool:
        """Nothing of it could be read, which is reported once and not again for every reference to it."""
        return self.present and not self.rows and not self.broken


MEDICINES = Table("medicines", rows.Medicine, ("product_id",))
INGREDIENT_CLASSES = Table("ingredient_classes", rows.ClassMember, ("drug_class", "ingredient"))
ALLERGY_TERMS = Table("allergy_terms", rows.AllergyTerm, ("term", "matches", "target"))
INTERACTIONS = Table("interactions", rows.Interaction, ("ingredient_a", "ingredient_b"))
INGREDIENT_LIMITS = Table("ingredient_limits", rows.IngredientLimit, ("ingredient",))
CONDITION_RULES = Table("condition_rules", rows.ConditionRule, ("ingredient", "condition"))
CONDITIONS = Table("conditions", rows.Condition, ("condition",))
PATIENTS = Table("patients", rows.Patient, ("patient_id",))
PRESCRIPTIONS = Table("prescriptions", rows.Prescription, ("prescription_id",))
PRESCRIPTION_ITEMS = Table(
    "prescription_items", rows.PrescriptionItem, ("prescription_id", "ingredient", "strength")
)
ORDER_HISTORY = Table("order_history", rows.Purchase, ("order_id", "product_id"))


@dataclass(frozen=True)
class Folder:
    """Every file of a folder, read and valid row by row; what rows say of each other is not yet checked."""

    name: str
    medicines: Sheet[rows.Medicine]
    ingredient_classes: Sheet[rows.ClassMember]
    allergy_terms: Sheet[rows.AllergyTerm]
    interactions: Sheet[rows.Interaction]
    ingredient_limits: Sheet[rows.IngredientLimit]
    condition_rules: Sheet[rows.ConditionRule]
    conditions: Sheet[rows.Condition]
    patients: Sheet[rows.Patient]
    prescriptions: Sheet[rows.Prescription]
    prescription_items: Sheet[rows.PrescriptionItem]
    order_history: Sheet[rows.Purchase]

    @property
    def sheets(self) -> tuple[Sheet[Any], ...]:
        return tuple(getattr(self, name) for name in _FILES)

    @property
    def rule_sheets(self) -> tuple[Sheet[Any], ...]:
        return (
            self.ingredient_classes,
            self.allergy_terms,
            self.interactions,
            self.ingredient_limits,
            self.condition_rules,
            self.conditions,
        )


_FILES = tuple(file.name for file in dataclasses.fields(Folder) if file.name != "name")


def read_folder(path: Path, problems: Problems, progress: Progress) -> Folder:
    """Read every file there is.

    Raises ImportRefused when the folder cannot be read or holds no file of the importer's.
    """
    try:
        found = {file.name for file in path.iterdir() if file.suffix.lower() == ".csv"}
    except OSError as error:
        raise ImportRefused(f"The folder {path} cannot be read: {error.strerror}.") from None
    known = {f"{name}.csv" for name in _FILES}
    if not found & known:
        raise ImportRefused(f"The folder {path} has none of the files {', '.join(sorted(known))}.")
    for stranger in sorted(found - known):
        # A misspelt name would otherwise leave a file out without a word.
        problems.add(stranger, 1, "is no file the importer knows")

    def read(table: Table[RowT]) -> Sheet[RowT]:
        return _read_sheet(path, table, problems, progress) if table.file in found else Sheet(table)

    return Folder(
        name=path.resolve().name,
        medicines=read(MEDICINES),
        ingredient_classes=read(INGREDIENT_CLASSES),
        allergy_terms=read(ALLERGY_TERMS),
        interactions=read(INTERACTIONS),
        ingredient_limits=read(INGREDIENT_LIMITS),
        condition_rules=read(CONDITION_RULES),
        conditions=read(CONDITIONS),
        patients=read(PATIENTS),
        prescriptions=read(PRESCRIPTIONS),
        prescription_items=read(PRESCRIPTION_ITEMS),
        order_history=read(ORDER_HISTORY),
    )


def _read_sheet(folder: Path, table: Table[RowT], problems: Problems, progress: Progress) -> Sheet[RowT]:
    sheet = Sheet(table, present=True)
    key = attrgetter(*table.key)
    first_lines: dict[object, int] = {}
    try:
        for record in read_records(folder / table.file, table.columns, problems, progress):
            row = table.parse(record, problems)
            if row is None:
                sheet.broken.append(record)
                continue
            first = first_lines.setdefault(key(row), record.line)
            if first != record.line:
                problems.add(table.file, record.line, f"repeats line {first}", table.key[-1])
                continue
            sheet.rows.append(row)
            sheet.lines.append(record.line)
    except OSError as error:
        problems.add(table.file, 1, f"cannot be read: {error.strerror}")
    return sheet
