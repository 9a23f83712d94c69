"""What is read on a prescription: strengths, directions and amounts, and what is left open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.prescriptions.reading import Line, read


def line(text: str) -> Line:
    [found] = read(text)
    return found


def directions(text: str) -> tuple[Any, ...]:
    found = line(text)
    return found.dosage_frequency, found.units_per_dose, found.units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tab. Metformin 500 mg 1-0-1 x 30 days", ("twice_daily", 1, 60)),
        ("Tab Metformin 500mg 1 - 1 - 1 for 2 weeks", ("three_times_daily", 1, 42)),
        ("Tab Telmisartan 40 mg ½-0-½ x 30 days", ("twice_daily", 0.5, 30)),
        ("Tab Telmisartan 40 mg 1/2-0-0 x 30 days", ("once_daily", 0.5, 15)),
        ("Tab Amoxicillin 500 mg 1-1-1-1 x 5 days", ("four_times_daily", 1, 20)),
        ("Tab Atorvastatin 10 mg HS x 1 month", ("once_daily", 1, 30)),
        ("Cap. Omeprazole 20 mg O.D. before breakfast x 10 days", ("once_daily", 1, 10)),
        ("Tab Cefixime 200 mg b.i.d. 5/7", ("twice_daily", 1, 10)),
        ("Tab Azithromycin 500 mg 1 tab once daily, Qty: 3", ("once_daily", 1, 3)),
        ("Tab Paracetamol 650 mg SOS, 10 tablets", ("as_needed", 1, 10)),
        ("Tab Paracetamol 650 mg SOS", ("as_needed", 1, None)),
        ("Syp Paracetamol 250 mg/5 ml 5 ml TDS x 3 days", ("three_times_daily", 5, 45)),
        ("Vitamin D3 60K once a week x 8 weeks", ("once_weekly", 1, 8)),
        ("Tab Methotrexate 7.5 mg weekly for 30 days", ("once_weekly", 1, 5)),
        ("Tab Prednisolone 5 mg alternate days x 15 days", ("alternate_days", 1, 8)),
        ("Tab Aspirin 75 mg every day for 30 days", ("once_daily", 1, 30)),
        ("Inj Insulin Glargine 100 IU/ml 10 units at bedtime", ("once_daily", 10, None)),
        ("Tab Metformin 500 mg", (None, None, None)),
    ],
)
def test_directions_and_amounts(text: str, expected: tuple[Any, ...]) -> None:
    assert directions(text) == expected
    assert line(text).is_clear is (expected[0] is not None)


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("Tab Metformin 500mg OD", "500 mg"),
        ("Tab Thyroxine 50 mcg OD", "50 mcg"),
        ("Tab Levetiracetam 0.5 gm BD", "0.5 g"),
        ("Cap Vitamin D3 60K weekly", "60000 IU"),
        ("Cap Vitamin D3 60000 IU weekly", "60000 IU"),
        ("Gel Diclofenac 1% BD", "1%"),
        ("Syp Paracetamol 250mg/5ml 5 ml TDS", "250 mg/5 ml"),
        ("Inj Insulin 100 IU/ml 4 units BD", "100 IU/ml"),
        ("Tab Amoxicillin 500 mg + Clavulanic Acid 125 mg BD", "500 mg + 125 mg"),
        ("Tab Dolo 650 SOS", None),
    ],
)
def test_strengths_are_written_as_in_the_catalogue(text: str, strength: str | None) -> None:
    assert line(text).strength == strength


@pytest.mark.parametrize(
    "text",
    [
        "Tab Glimepiride 2 mg 1-0-1 or TDS x 5 days",
        "Tab Prednisolone 5 mg 2-0-2 x 5 days then 1-0-1 x 5 days",
        "Tab Prednisolone 5 mg OD x 5 days then BD",
        "Tab Metformin 500 mg OD x 5 days, x 10 days",
        "Tab Metformin 500 mg OD Qty 10, 30 tablets",
        "Tab Metformin 500 mg 1 tab OD 2 tab x 5 days",
    ],
)
def test_what_is_said_in_two_ways_is_not_clear(text: str) -> None:
    assert not line(text).is_clear


def test_unequal_doses_have_no_single_dose() -> None:
    found = line("Tab Glimepiride 2 mg 1-0-2 x 30 days")

    assert (found.dosage_frequency, found.units_per_dose, found.units) == ("twice_daily", None, None)


@pytest.mark.parametrize(
    "text",
    [
        "Stop Tab Aspirin 75 mg OD",
        "Tab Metformin SR 500 mg OD",
        "Tab Metformin 500 mg not OD",
        "Tab Metformin 500 mg OD x 2-3 days",
        "Tab Metformin 500 mg 1-2 tab OD",
        "Tab Metformin 500 mg, Tab Aspirin 75 mg OD",
    ],
)
def test_a_word_that_may_change_everything_stays_visible(text: str) -> None:
    """The database is certain only when every word besides the name is one of the usual ones."""
    found = line(text)

    besides = [word for word, usual in zip(found.words, found.is_vocabulary, strict=True) if not usual]
    assert len(besides) > 1


def test_only_lines_that_name_medicines_count() -> None:
    text = """
    City Clinic, 12 Main Road, Pune 411001
    Dr. S. Mehta MBBS   Reg. 12345
    Patient: Anjali Gupta, 29 years
    1) Tab. Dolo 650 1-0-1 x 3 days
    Review after 5 days
    """
    assert [found.said for found in read(text)] == ["1) Tab. Dolo 650 1-0-1 x 3 days"]


def test_directions_on_lines_of_their_own_belong_to_the_medicine_before() -> None:
    found = line("Cefixime 200mg Tablet\n1 - 0 - 1\nAfter Food\n5 days\nSignature")

    assert found.said == "Cefixime 200mg Tablet 1 - 0 - 1 After Food 5 days"
    assert (found.dosage_frequency, found.units) == ("twice_daily", 10)


USUAL = ["1-0-1", "x", "5", "days", "mg", "500", "Tab", "BD", "½", "/", "60k", "Qty", "0", "9" * 60, "0-0-0"]


@given(st.text(max_size=400) | st.lists(st.sampled_from(USUAL)).map(" ".join))
@example("Tab X 99999-0-99999 x 30 days")
@example(f"Tab X {'9' * 150}k {'9' * 40}-0-0 x {'9' * 40} days")
@example("Tab X 500 mg 0 tab OD x 0 days")
def test_whatever_is_read_can_be_stored(text: str) -> None:
    for found in read(text):
        assert len(found.words) == len(found.is_vocabulary) > 0
        assert found.units is None or 0 < found.units <= 100_000
        assert found.units_per_dose is None or 0 < found.units_per_dose <= 100
        assert len(found.strength or "") <= 50
        assert 0 < len(found.said) <= 400


def test_a_text_without_end_is_cut() -> None:
    assert len(read("Tab Metformin 500 mg OD\n" * 1000)) == 40
