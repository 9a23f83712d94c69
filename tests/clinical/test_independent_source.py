"""Our interaction rules beside a source that others wrote: what both know, where we differ on purpose, and
what we lack. The verdicts are in independent_pairs.csv; docs/decisions/0006 says how they were made."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from tests.clinical.clinic import Clinic

SOURCE = "drug_interaction_mcp.interactions"

# Other names for what our catalogue holds. Names of classes ("nsaid") are left out: the source lists
# the members it means beside them.
SAME_SUBSTANCE = {
    "acetaminophen": "Paracetamol",
    "acetylsalicylic acid": "Aspirin",
    "aluminum hydroxide": "Aluminium Hydroxide",
    "birth control pill": "Ethinylestradiol",
    "calcium": "Calcium Carbonate",
    "calcium supplement": "Calcium Carbonate",
    "dxm": "Dextromethorphan",
    "ethinyl estradiol": "Ethinylestradiol",
    "folate": "Folic Acid",
    "hctz": "Hydrochlorothiazide",
    "insulin": "Insulin Glargine",
    "iron": "Ferrous Ascorbate",
    "iron supplement": "Ferrous Ascorbate",
    "isosorbide": "Isosorbide Mononitrate",
    "magnesium": "Magnesium Hydroxide",
    "magnesium supplement": "Magnesium Hydroxide",
    "oral contraceptive": "Ethinylestradiol",
    "thyroid hormone": "Levothyroxine",
    "vitamin d": "Cholecalciferol",
}


class Verdict(NamedTuple):
    """On a pair that the source knows, both of whose medicines we sell."""

    ingredient_a: str
    ingredient_b: str
    verdict: str
    reason: str

    @property
    def pair(self) -> frozenset[str]:
        return frozenset((self.ingredient_a, self.ingredient_b))


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    with (Path(__file__).parent / "independent_pairs.csv").open(newline="", encoding="utf-8") as file:
        return [Verdict(**row) for row in csv.DictReader(file)]


@pytest.fixture
def actions(clinic: Clinic) -> dict[frozenset[str], str]:
    """What our rules do about each pair."""
    return {
        frozenset((rule["ingredient_a"], rule["ingredient_b"])): rule["action"]
        for rule in clinic.rules("interaction_rules")
    }


@pytest.fixture(scope="module")
def source() -> ModuleType:
    try:
        return importlib.import_module(SOURCE)
    except ModuleNotFoundError:
        pytest.skip("pip install --no-deps drug-interaction-mcp==0.1.0, to compare with the source itself")


def test_each_verdict_is_one_of_three_and_has_its_reason(verdicts: list[Verdict]) -> None:
    assert {v.verdict for v in verdicts} <= {"covered", "different", "missing"}
    assert [v for v in verdicts if v.verdict != "covered" and not v.reason] == []
    assert len({v.pair for v in verdicts}) == len(verdicts)


def test_what_is_called_covered_has_a_rule_in_force_and_the_rest_has_none(
    verdicts: list[Verdict], actions: dict[frozenset[str], str]
) -> None:
    wrong = [v for v in verdicts if (v.pair in actions) != (v.verdict == "covered")]
    assert wrong == []


def test_every_pair_of_the_source_that_we_sell_has_a_verdict(
    clinic: Clinic, source: ModuleType, verdicts: list[Verdict]
) -> None:
    assert {tuple(sorted(pair)) for pair in pairs(clinic, source)} == {
        tuple(sorted(v.pair)) for v in verdicts
    }


def test_what_the_source_calls_dangerous_we_refuse(
    clinic: Clinic, source: ModuleType, verdicts: list[Verdict], actions: dict[frozenset[str], str]
) -> None:
    dangerous = {pair for pair, severity in pairs(clinic, source).items() if severity == "danger"}
    covered = {v.pair for v in verdicts if v.verdict == "covered"}
    assert dangerous & covered
    assert [sorted(pair) for pair in dangerous & covered if actions[pair] != "block"] == []


def pairs(clinic: Clinic, source: ModuleType) -> dict[frozenset[str], str]:
    """The source's pairs in our names, with the graver severity where it has several."""
    known = {ingredient.lower(): ingredient for p in clinic.products.values() for ingredient in p.ingredients}
    known |= SAME_SUBSTANCE
    gravity = {"caution": 0, "warning": 1, "danger": 2}
    found: dict[frozenset[str], str] = {}
    for interaction in source.INTERACTIONS:
        for a in {known[name] for name in interaction.drug_a if name in known}:
            for b in {known[name] for name in interaction.drug_b if name in known} - {a}:
                severities = [found.get(frozenset((a, b)), "caution"), interaction.severity.value]
                found[frozenset((a, b))] = max(severities, key=gravity.__getitem__)
    return found
