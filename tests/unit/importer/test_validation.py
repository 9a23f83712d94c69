"""One wrong cell in an otherwise good folder: where it is, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.importer.problems import Problems
from infra.importer.progress import Progress
from infra.importer.tables import read_folder
from tests.unit.importer.folders import problems_of, set_cell


def test_the_seed_has_no_problem(folder: Path) -> None:
    assert problems_of(folder) == []


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("medicines.csv:17: price_inr", "abc", '"abc" is not an amount'),
        ("medicines.csv:17: price_inr", "", "must not be blank"),
        ("medicines.csv:17: price_inr", "-1", '"-1" is less than 0'),
        ("medicines.csv:17: price_inr", "1.234", '"1.234" has more than 2 decimals'),
        ("medicines.csv:17: price_inr", "1e3", '"1e3" is not an amount'),
        ("medicines.csv:17: price_inr", "NaN", '"NaN" is not an amount'),
        ("medicines.csv:17: price_inr", "1,200.00", '"1,200.00" is not an amount'),
        ("medicines.csv:17: price_inr", "१२", '"१२" is not an amount'),
        ("medicines.csv:17: price_inr", "999999999.00", '"999999999.00" is too large'),
        ("medicines.csv:17: units_per_pack", "0", '"0" is less than 1'),
        ("medicines.csv:17: units_per_pack", "1_0", '"1_0" is not a whole number'),
        ("medicines.csv:17: units_per_pack", "1.5", '"1.5" is not a whole number'),
        ("medicines.csv:17: stock_packs", "-5", '"-5" is less than 0'),
        ("medicines.csv:17: min_age_years", "131", '"131" is more than 130'),
        ("medicines.csv:17: schedule", "Z", "\"Z\" is not 'OTC', 'H', 'H1' or 'X'"),
        ("medicines.csv:17: prescription_required", "perhaps", '"perhaps" is neither true nor false'),
        ("medicines.csv:17: prescription_required", "false", "must be true for schedule H"),
        ("medicines.csv:2: prescription_required", "true", "must be false for schedule OTC"),
        ("medicines.csv:17: product_id", "MED 16", '"MED 16" is no id: '),
        ("medicines.csv:17: product_name", "", "must not be blank"),
        ("medicines.csv:17: product_name", "a\0b", '"a\\u0000b" contains a control character'),
        ("medicines.csv:17: product_name", "x" * 201, " is longer than 200 characters"),
        ("medicines.csv:17: strength", "rather strong", '"rather strong" cannot be read at "rather strong"'),
        ("medicines.csv:3: strength", "625 mg", '"625 mg" names 1 strength for 2 ingredients'),
        ("medicines.csv:17: active_ingredient", "Losartan+", '"Losartan+" lists a blank or a repeated one'),
        ("medicines.csv:34: active_ingredient", "paracetamol", '"paracetamol" is spelt "Paracetamol" else'),
        ("medicines.csv:17: product_id", "MED001", "repeats line 2"),
        (
            "ingredient_classes.csv:2: ingredient",
            "Amoxicilin",
            '"Amoxicilin" is an unknown ingredient, did you',
        ),
        ("allergy_terms.csv:2: target", "Penicilins", '"Penicilins" is an unknown drug class, did you mean'),
        ("allergy_terms.csv:32: target", "MED999", '"MED999" is an unknown product'),
        ("allergy_terms.csv:2: action", "stop", "\"stop\" is not 'block' or 'warn'"),
        ("interactions.csv:3: ingredient_b", "Unobtainium", '"Unobtainium" is an unknown ingredient'),
        ("interactions.csv:3: ingredient_b", "Aceclofenac", '"Aceclofenac" is paired with itself'),
        ("interactions.csv:3: ingredient_a", "Zinc", "the pair is not in alphabetical order"),
        ("interactions.csv:3: ingredient_b", "Methotrexate", "repeats line 2"),
        ("interactions.csv:9: action", "warn", "must be block for a contraindicated pair"),
        ("ingredient_limits.csv:2: max_daily_mg", "0", '"0" is not more than 0'),
        ("ingredient_limits.csv:2: otc_units_per_7_days", "two", '"two" is neither a number of units nor'),
        ("condition_rules.csv:2: ingredient", "", "must not be blank"),
        ("conditions.csv:2: kind", "illness", "\"illness\" is not 'maintenance' or 'symptom'"),
        ("conditions.csv:2: phrases", " ; ", "must not be blank"),
        ("patients.csv:2: email", "rahul", '"rahul" is no e-mail address'),
        ("patients.csv:3: email", "Rahul@Example.com", '"rahul@example.com" is already on line 2'),
        ("patients.csv:2: gender", "m", "\"m\" is not 'Male', 'Female' or 'Other'"),
        ("patients.csv:2: phone", "call me", '"call me" is no phone number'),
        ("patients.csv:2: preferred_language", "fr", "\"fr\" is not 'en', 'hi' or 'mr'"),
        ("prescriptions.csv:2: patient_id", "PAT999", '"PAT999" is an unknown patient'),
        ("prescriptions.csv:2: issued_days_ago", "-1", '"-1" is less than 0'),
        ("prescription_items.csv:2: prescription_id", "RX999", '"RX999" is an unknown prescription'),
        ("prescription_items.csv:2: dosage_frequency", "hourly", "\"hourly\" is not 'once_daily', "),
        ("prescription_items.csv:2: repeats", "25", '"25" is more than 24'),
        ("order_history.csv:2: product_id", "MED999", '"MED999" is an unknown product'),
        ("order_history.csv:2: packs", "0", '"0" is less than 1'),
        ("order_history.csv:3: order_id", "ORD001", "differs from line 2 of the same order"),
    ],
)
def test_a_wrong_cell_is_reported_at_its_place(folder: Path, place: str, value: str, message: str) -> None:
    file, line, column = place.split(":")
    set_cell(folder / file, int(line), column.strip(), value)
    problems = problems_of(folder)
    assert any(problem.startswith(f"{file}:{line}: ") and message in problem for problem in problems), (
        problems
    )


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("medicines.csv:2: prescription_required", "FALSE"),
        ("medicines.csv:2: aliases", ""),
        ("medicines.csv:2: price_inr", "0"),
        ("medicines.csv:2: strength", "-"),
        ("medicines.csv:2: form", "Tablet"),
        ("patients.csv:2: age", ""),
        ("patients.csv:2: gender", ""),
        ("patients.csv:2: phone", ""),
        ("patients.csv:2: allergies", "none"),
        ("ingredient_limits.csv:2: otc_units_per_7_days", "1 pack"),
    ],
)
def test_what_a_pharmacy_may_leave_open_or_write_otherwise(folder: Path, place: str, value: str) -> None:
    file, line, column = place.split(":")
    set_cell(folder / file, int(line), column.strip(), value)
    assert problems_of(folder) == []


def test_forms_and_emails_are_compared_in_lower_case(folder: Path) -> None:
    # The form decides the route: a "Gel" must be the topical thing a "gel" is.
    set_cell(folder / "medicines.csv", 24, "form", "Gel")
    set_cell(folder / "patients.csv", 2, "email", "Rahul@Example.com")
    rows = read_folder(folder, Problems(), Progress())
    assert (rows.medicines.rows[22].form, rows.patients.rows[0].email) == ("gel", "rahul@example.com")


def test_everything_wrong_is_reported_at_once(folder: Path) -> None:
    set_cell(folder / "medicines.csv", 17, "price_inr", "abc")
    set_cell(folder / "medicines.csv", 17, "schedule", "Z")
    set_cell(folder / "patients.csv", 2, "age", "old")
    assert [problem.rpartition(": ")[0] for problem in problems_of(folder)] == [
        "medicines.csv:17: price_inr",
        "medicines.csv:17: schedule",
        "patients.csv:2: age",
    ]


def test_a_broken_row_is_no_unknown_one_to_those_that_refer_to_it(folder: Path) -> None:
    set_cell(folder / "medicines.csv", 2, "price_inr", "abc")  # Dolo 650, bought and prescribed
    set_cell(folder / "patients.csv", 2, "age", "old")
    assert len(problems_of(folder)) == 2


def test_a_file_that_cannot_be_read_at_all_is_reported_once(folder: Path) -> None:
    (folder / "medicines.csv").write_text("name;price\nDolo;30\n", encoding="utf-8")
    assert {problem.split(":")[0] for problem in problems_of(folder)} == {"medicines.csv"}


def test_a_misspelt_file_name_is_not_passed_over(folder: Path) -> None:
    (folder / "interactions.csv").rename(folder / "interaction.csv")
    assert problems_of(folder) == ["interaction.csv:1: is no file the importer knows"]
