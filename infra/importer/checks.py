"""What rows say of each other: references between files, spellings, and keys that only agree together."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Set
from enum import StrEnum
from typing import Any, NamedTuple

from infra.importer.problems import Problems, quoted
from infra.importer.rows import Purchase, split_ingredients
from infra.importer.tables import Folder, Sheet


class Kind(StrEnum):
    """Of things that rows refer to; the value is the noun of messages."""

    PRODUCT = "product"
    INGREDIENT = "ingredient"
    DRUG_CLASS = "drug class"
    PATIENT = "patient"
    PRESCRIPTION = "prescription"


Names = Mapping[Kind, Set[str]]


class Reference(NamedTuple):
    kind: Kind
    name: str
    file: str
    line: int
    column: str


def references(folder: Folder) -> Iterator[Reference]:
    """Everything that a row of the folder refers to."""

    def named(sheet: Sheet[Any], kind: Kind, *columns: str) -> Iterator[Reference]:
        for line, row in sheet:
            for column in columns:
                yield Reference(kind, getattr(row, column), sheet.file, line, column)

    yield from named(folder.ingredient_classes, Kind.INGREDIENT, "ingredient")
    yield from named(folder.interactions, Kind.INGREDIENT, "ingredient_a", "ingredient_b")
    yield from named(folder.ingredient_limits, Kind.INGREDIENT, "ingredient")
    yield from named(folder.condition_rules, Kind.INGREDIENT, "ingredient")
    for line, condition in folder.conditions:
        for ingredient in condition.ingredients:
            yield Reference(Kind.INGREDIENT, ingredient, folder.conditions.file, line, "ingredients")
    targets = {"class": Kind.DRUG_CLASS, "ingredient": Kind.INGREDIENT, "product": Kind.PRODUCT}
    for line, term in folder.allergy_terms:
        yield Reference(targets[term.matches], term.target, folder.allergy_terms.file, line, "target")
    yield from named(folder.prescriptions, Kind.PATIENT, "patient_id")
    yield from named(folder.prescription_items, Kind.PRESCRIPTION, "prescription_id")
    for line, item in folder.prescription_items:
        for ingredient in split_ingredients(item.ingredient):
            yield Reference(Kind.INGREDIENT, ingredient, folder.prescription_items.file, line, "ingredient")
    yield from named(folder.order_history, Kind.PATIENT, "patient_id")
    yield from named(folder.order_history, Kind.PRODUCT, "product_id")


def declared(folder: Folder) -> Names:
    """What the folder's own files bring, those of broken rows included."""

    def column(sheet: Sheet[Any], name: str) -> set[str]:
        return {getattr(row, name) for row in sheet.rows} | {record.fields[name] for record in sheet.broken}

    compositions = column(folder.medicines, "active_ingredient")
    return {
        Kind.PRODUCT: column(folder.medicines, "product_id"),
        Kind.INGREDIENT: {name for composition in compositions for name in split_ingredients(composition)},
        Kind.DRUG_CLASS: column(folder.ingredient_classes, "drug_class"),
        Kind.PATIENT: column(folder.patients, "patient_id"),
        Kind.PRESCRIPTION: column(folder.prescriptions, "prescription_id"),
    }


def open_references(folder: Folder) -> Names:
    """What the folder refers to and does not bring: only the database can know it."""
    known = declared(folder)
    missing: dict[Kind, set[str]] = {kind: set() for kind in Kind}
    for reference in references(folder):
        if reference.name not in known[reference.kind]:
            missing[reference.kind].add(reference.name)
    if folder.ingredient_classes.present:
        # The classes come as a whole with their rule set: those of the set in force do not add to them.
        missing[Kind.DRUG_CLASS].clear()
    return {kind: names for kind, names in missing.items() if names}


def check_folder(folder: Folder, in_database: Names, problems: Problems) -> None:
    """Add what does not fit together. `in_database` holds the names of the folder that the database knows,
    ingredients in the database's own spelling."""
    _check_references(folder, in_database, problems)
    _check_ingredient_spellings(folder, in_database, problems)
    _check_emails(folder, problems)
    _check_order_lines(folder, problems)


def _check_references(folder: Folder, in_database: Names, problems: Problems) -> None:
    known = {kind: names | in_database.get(kind, frozenset()) for kind, names in declared(folder).items()}
    homes: dict[Kind, Sheet[Any]] = {
        Kind.PRODUCT: folder.medicines,
        Kind.INGREDIENT: folder.medicines,
        Kind.DRUG_CLASS: folder.ingredient_classes,
        Kind.PATIENT: folder.patients,
        Kind.PRESCRIPTION: folder.prescriptions,
    }
    for kind, name, file, line, column in references(folder):
        if name in known[kind] or homes[kind].unreadable:
            continue
        message = f"{quoted(name)} is an unknown {kind}"
        if kind in (Kind.INGREDIENT, Kind.DRUG_CLASS):
            similar = difflib.get_close_matches(name, known[kind], n=1)
            message += f", did you mean {quoted(similar[0])}?" if similar else ""
        problems.add(file, line, message, column)


def _check_ingredient_spellings(folder: Folder, in_database: Names, problems: Problems) -> None:
    """One ingredient, one spelling: rules find an ingredient by its exact name, so that "paracetamol" beside
    "Paracetamol" would escape every one of them."""
    spellings = {name.casefold(): name for name in in_database.get(Kind.INGREDIENT, frozenset())}
    for line, medicine in folder.medicines:
        for ingredient in medicine.ingredients:
            usual = spellings.setdefault(ingredient.casefold(), ingredient)
            if usual != ingredient:
                message = f"{quoted(ingredient)} is spelt {quoted(usual)} elsewhere"
                problems.add(folder.medicines.file, line, message, "active_ingredient")


def _check_emails(folder: Folder, problems: Problems) -> None:
    first_lines: dict[str, int] = {}
    for line, patient in folder.patients:
        first = first_lines.setdefault(patient.email, line)
        if first != line:
            problems.add(
                folder.patients.file, line, f"{quoted(patient.email)} is already on line {first}", "email"
            )


def _check_order_lines(folder: Folder, problems: Problems) -> None:
    """The lines of one order share what belongs to the order."""
    shared = ("patient_id", "days_ago", "status")
    first_lines: dict[str, tuple[int, Purchase]] = {}
    for line, purchase in folder.order_history:
        first_line, first = first_lines.setdefault(purchase.order_id, (line, purchase))
        for column in shared:
            if getattr(purchase, column) != getattr(first, column):
                message = f"differs from line {first_line} of the same order"
                problems.add(folder.order_history.file, line, message, column)
