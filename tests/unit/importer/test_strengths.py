"""Printed strengths become milligrams in one unit of the pack."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.importer.strengths import Strength, UnreadableStrength, read_strengths


@pytest.mark.parametrize(
    ("printed", "unit", "milligrams"),
    [
        ("650 mg", "tablet", ["650"]),
        ("650mg", "tablet", ["650"]),
        ("1 g", "tablet", ["1000"]),
        ("1,500 mcg", "tablet", ["1.5"]),
        ("100 µg", "dose", ["0.1"]),
        ("0.25 mg", "tablet", ["0.25"]),
        ("500 mg + 125 mg", "tablet", ["500", "125"]),
        ("250 mg/5 ml", "ml", ["50"]),
        ("10 mg/ml", "ml", ["10"]),
        ("10 g/15 ml", "ml", ["666.666666667"]),
        ("2 mg + 10 mg per 5 ml", "ml", ["0.4", "2"]),
        ("30 mg/5 ml + 50 mg/10 ml", "ml", ["6", "5"]),
        ("1%", "g", ["10"]),
        ("0.05% w/v", "ml", ["0.5"]),
        ("1% w/w + 0.1% w/w", "g", ["10", "1"]),
        ("100 mcg/dose", "dose", ["0.1"]),
    ],
)
def test_a_mass_is_told_in_milligrams_a_unit(printed: str, unit: str, milligrams: list[str]) -> None:
    strengths = read_strengths(printed, len(milligrams), unit)
    assert [strength.mg_per_unit for strength in strengths] == [Decimal(amount) for amount in milligrams]


@pytest.mark.parametrize(
    ("printed", "unit"),
    [
        ("60000 IU", "capsule"),
        ("60,000 IU", "capsule"),
        ("100 IU/ml", "IU"),
        ("40 IU/ml", "ml"),
        ("0.5 mg/ml", "respule"),  # nobody says how many ml a respule holds
        ("1%", "sachet"),
        ("-", "tablet"),
    ],
)
def test_what_is_no_mass_in_a_unit_has_no_milligrams(printed: str, unit: str) -> None:
    assert read_strengths(printed, 1, unit) == (Strength(printed, None),)


def test_a_combination_may_mix_masses_and_international_units() -> None:
    calcium, vitamin_d = read_strengths("500 mg + 250 IU", 2, "tablet")
    assert (calcium.mg_per_unit, vitamin_d.mg_per_unit) == (Decimal(500), None)


def test_each_ingredient_keeps_its_own_printed_strength() -> None:
    assert [s.printed for s in read_strengths("2 mg + 10 mg per 5 ml", 2, "ml")] == [
        "2 mg per 5 ml",
        "10 mg per 5 ml",
    ]


def test_no_strength_stands_for_every_ingredient() -> None:
    assert read_strengths("-", 3, "ml") == (Strength("-", None),) * 3


@pytest.mark.parametrize(
    ("printed", "ingredients", "unit", "complaint"),
    [
        ("strong", 1, "tablet", 'cannot be read at "strong"'),
        ("650", 1, "tablet", 'cannot be read at "650"'),
        ("", 1, "tablet", 'cannot be read at ""'),
        ("500 mg and 125 mg", 2, "tablet", "names 1 strength for 2 ingredients"),
        ("500 mg + 125 mg", 1, "tablet", "names 2 strengths for 1 ingredient"),
        ("5 mg", 0, "piece", "names 1 strength for 0 ingredients"),
        ("500 mgs", 1, "tablet", 'has the unknown unit "mgs"'),
        ("0 mg", 1, "tablet", "contains a zero"),
        ("5 mg/0 ml", 1, "ml", "contains a zero"),
        ("110%", 1, "g", "is more than 100%"),
        # "250 mg" of a syrup could be in 5 ml or in the bottle: five times too much or far too little.
        ("250 mg", 1, "ml", "does not say in how many ml"),
        ("1.000,5 mg", 1, "tablet", "cannot be read"),
    ],
)
def test_a_strength_that_cannot_be_read_is_refused(
    printed: str, ingredients: int, unit: str, complaint: str
) -> None:
    with pytest.raises(UnreadableStrength, match=complaint.replace("(", r"\(")):
        read_strengths(printed, ingredients, unit)


amounts = st.decimals(min_value="0.001", max_value=9999, places=3)


@given(masses=st.lists(amounts, min_size=1, max_size=4), volume=st.integers(1, 200))
def test_a_volume_said_once_at_the_end_is_meant_for_all(masses: list[Decimal], volume: int) -> None:
    printed = " + ".join(f"{mass} mg" for mass in masses)
    once = read_strengths(f"{printed} per {volume} ml", len(masses), "ml")
    each = read_strengths(printed.replace(" mg", f" mg/{volume} ml"), len(masses), "ml")
    assert [s.mg_per_unit for s in once] == [s.mg_per_unit for s in each]
    assert [s.mg_per_unit for s in once] == [round(mass / volume, 9) for mass in masses]


@given(mass=amounts)
def test_the_unit_a_mass_is_written_in_does_not_matter(mass: Decimal) -> None:
    written = [f"{mass} g", f"{mass * 1000:f} mg", f"{mass * 1_000_000:f} mcg"]
    assert {read_strengths(text, 1, "tablet")[0].mg_per_unit for text in written} == {mass * 1000}


@given(
    printed=st.text(max_size=30), ingredients=st.integers(0, 3), unit=st.sampled_from(["tablet", "ml", "g"])
)
def test_any_text_is_read_or_refused(printed: str, ingredients: int, unit: str) -> None:
    try:
        strengths = read_strengths(printed, ingredients, unit)
    except UnreadableStrength:
        return
    assert len(strengths) == ingredients
    assert all(s.mg_per_unit is None or s.mg_per_unit > 0 for s in strengths)
