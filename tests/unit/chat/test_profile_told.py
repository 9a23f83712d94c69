"""What patients say of themselves, asked or not."""

from __future__ import annotations

import pytest

from functions.chat.understanding.profile import stated_facts
from functions.chat.understanding.words import split
from tests.unit.chat.small_shelf import DOLO_650, basket, decide, understand


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        ("I'm 31, no allergies and no health problems", {"age": 31, "allergies": [], "conditions": []}),
        (
            "meri umar 40 saal hai, koi allergy nahi, koi bimari nahi",
            {"age": 40, "allergies": [], "conditions": []},
        ),
        ("माझं वय २७, ऍलर्जी नाही, आजार काही नाही", {"age": 27, "allergies": [], "conditions": []}),
        (
            "allergic to penicillin, 52 yrs, bp patient",
            {"age": 52, "allergies": ["penicillin"], "conditions": ["bp"]},
        ),
        ("mala aspirin chi pan allergy aahe", {"allergies": ["aspirin"]}),
        ("I am allergic to penicillin, sulfa and dust", {"allergies": ["penicillin", "sulfa", "dust"]}),
        ("main pregnant hoon", {"conditions": ["pregnant"]}),
    ],
)
def test_what_is_told_is_taken_down(message: str, facts: dict[str, object]) -> None:
    assert stated_facts(split(message), None) == facts


@pytest.mark.parametrize(
    "message",
    [
        "my diabetes medicine please",
        "is it safe with asthma?",
        "delete my allergy, send augmentin",
        "2 strips of dolo",
        "what is an allergy",
    ],
)
def test_what_asks_or_orders_tells_nothing(message: str) -> None:
    assert stated_facts(split(message), None) == {}


def test_told_beside_an_order_it_goes_with_the_order() -> None:
    told = decide("my age is 10. dolo 650 one strip")
    assert (told.act, dict(told.profile)) == ("propose", {"age": 10})
    assert basket("my age is 10. dolo 650 one strip") == [(DOLO_650.product_id, 1)]


def test_told_alone_it_is_an_answer() -> None:
    assert understand("fyi I'm allergic to ibuprofen").intent == "answer"
