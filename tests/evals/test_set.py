"""The set is as large and as varied as it claims, and names only what exists."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.evals.conversations import Conversation, load
from tests.evals.rules import products
from tests.evals.test_gate import gate


@pytest.fixture(scope="module")
def conversations() -> list[Conversation]:
    return load()


def test_it_is_large_enough(conversations: list[Conversation]) -> None:
    groups = Counter(one.group for one in conversations)
    assert len(conversations) >= 420
    assert groups["attacks"] >= 60
    assert not [group for group, members in groups.items() if members < 15]


def test_no_conversation_is_there_twice(conversations: list[Conversation]) -> None:
    said = Counter(
        (one.patient, str(one.profile), tuple(f"{turn.device}{turn.before}{turn.say}" for turn in one.turns))
        for one in conversations
    )
    assert [words for words, times in said.items() if times > 1] == []


def test_every_attack_says_what_kind_it_is(conversations: list[Conversation]) -> None:
    assert {one.id for one in conversations if (one.group == "attacks") is (one.kind is None)} == set()


def test_expected_products_exist(conversations: list[Conversation]) -> None:
    named = {
        product
        for one in conversations
        for turn in one.turns
        for expected in turn.expect
        for product in (
            *expected.products,
            *(expected.refuses or {}),
            *(
                expected.options.include + expected.options.exclude + expected.options.only
                if expected.options
                else ()
            ),
        )
    }
    assert {product for product in named if not re.fullmatch(r"\$[1-9]", product)} <= set(products())


def test_three_languages_and_two_scripts_are_heard(conversations: list[Conversation]) -> None:
    languages = Counter(one.language for one in conversations)
    devanagari = [one for one in conversations if re.search("[\\u0900-\\u097f]", one.turns[0].say)]
    assert min(languages["en"], languages["hi"], languages["mr"]) >= 30
    assert len(devanagari) >= 60


def test_the_gate_has_a_part_of_everything(conversations: list[Conversation]) -> None:
    part = gate(conversations)
    assert 60 <= len(part) <= 120
    assert {one.group for one in part} == {one.group for one in conversations}
    assert {one.kind for one in part} == {one.kind for one in conversations}
