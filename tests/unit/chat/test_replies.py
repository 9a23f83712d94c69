"""Replies: every sentence there is in every language, with the same arguments, and rendering never fails."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as fluent
from hypothesis import given
from hypothesis import strategies as st

from functions.chat.replies.languages import reply_language
from functions.chat.replies.render import render_card, render_reply
from functions.chat.state import Language

CHAT = Path(__file__).parents[3] / "functions" / "chat"
MIGRATIONS = Path(__file__).parents[3] / "migrations"
LANGUAGES: tuple[Language, ...] = ("en", "hi", "mr")
NOTHING_SAID: dict[str, list[Any]] = {"said": [], "notes": []}


def messages(language: str) -> dict[str, set[str]]:
    """Each message of a catalogue with the arguments it uses."""
    resource = FluentParser().parse((CHAT / "replies" / f"{language}.ftl").read_text("utf-8"))
    junk = [entry for entry in resource.body if isinstance(entry, fluent.Junk)]
    assert junk == []
    return {entry.id.name: _arguments(entry) for entry in resource.body if isinstance(entry, fluent.Message)}


def _arguments(node: Any) -> set[str]:
    if isinstance(node, fluent.VariableReference):
        return {node.id.name}
    if isinstance(node, fluent.BaseNode):
        return set().union(*(_arguments(value) for value in vars(node).values())) if vars(node) else set()
    if isinstance(node, list):
        return set().union(*(_arguments(value) for value in node)) if node else set()
    return set()


def keys_in_code() -> set[str]:
    """The keys that the code names in full: the first argument of Said(...), _say(...) and _text(...)."""
    keys = set()
    for path in CHAT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            place = {"Said": 0, "_say": 0, "_text": 1}.get(node.func.id)
            if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                keys.add(str(ast.literal_eval(node.args[place])))
    return keys


@pytest.mark.parametrize("language", ["hi", "mr"])
def test_what_is_said_in_english_is_said_in_every_language_with_the_same_facts(language: str) -> None:
    english, other = messages("en"), messages(language)

    assert english.keys() - other.keys() == set()
    # English passes on the database's own sentence about a finding; the others build theirs from its parts.
    own_words = {
        key for key in english if key.startswith("advice-") and key not in ("advice-ask", "advice-none")
    }
    assert {key for key in english.keys() - own_words if other[key] != english[key]} == set()
    assert {key for key in other.keys() - english.keys() if not key.startswith("finding-")} == set()


def test_every_key_the_code_uses_exists() -> None:
    used = keys_in_code()

    assert len(used) > 20
    assert used - messages("en").keys() == set()


@pytest.mark.parametrize("language", ["hi", "mr"])
def test_every_finding_has_a_sentence(language: str) -> None:
    text = "\n".join(path.read_text("utf-8") for path in sorted(MIGRATIONS.glob("*.sql")))
    ranks = re.search(r"function private\.finding_rank.*?array_position\(array\[(.*?)\]", text, re.DOTALL)
    assert ranks is not None
    codes = re.findall(r"'([a-z_]+)'", ranks.group(1))

    assert "allergy" in codes
    assert {code for code in codes if f"finding-{code.replace('_', '-')}" not in messages(language)} == set()


WORDS = st.text(max_size=30)
MONEY = st.decimals(0, 10**6, places=2, allow_nan=False)
FINDING = st.fixed_dictionaries(
    {
        "code": st.sampled_from(
            ["allergy", "age", "interaction", "out_of_stock", "quantity_limit", "new_code"]
        ),
        "severity": st.sampled_from(["block", "warn"]),
        "message": WORDS,
        "reason": WORDS,
        "subject": st.none() | WORDS,
        "source": WORDS,
        "product_name": st.none() | WORDS,
        "alternatives": st.lists(st.fixed_dictionaries({"product_name": WORDS}), max_size=2),
    }
)
ITEM = st.fixed_dictionaries(
    {
        "product_name": WORDS,
        "qty": st.integers(1, 9999),
        "line_total": MONEY.map(float),
        "warnings": st.lists(FINDING, max_size=2),
    }
)
CARD = st.fixed_dictionaries(
    {
        "type": st.just("order_confirmation"),
        "items": st.lists(ITEM, min_size=1, max_size=3),
        "total": MONEY.map(float),
        "warnings": st.lists(FINDING, max_size=3),
        "awaits_pharmacist": st.booleans(),
        "rejected_items": st.lists(FINDING, max_size=3),
    }
)
QUESTIONS = st.lists(st.sampled_from(["age", "allergies", "conditions"]), max_size=3, unique=True)


@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from(["proposed", "changed", "expired"]),
    QUESTIONS,
    CARD,
)
def test_any_card_can_be_said(
    language: str, outcome: str, questions: list[str], card: dict[str, Any]
) -> None:
    record = {"outcome": outcome, "questions": questions, "said": NOTHING_SAID}

    reply, shown = render_reply(language, record, card), render_card(language, record, card)

    assert reply
    assert shown is not None
    assert [item["qty"] for item in shown["items"]] == [item["qty"] for item in card["items"]]
    assert shown["total"] == card["total"]


@given(st.sampled_from(LANGUAGES), st.lists(FINDING, min_size=1, max_size=4))
def test_any_refusal_can_be_said(language: str, rejected: list[dict[str, Any]]) -> None:
    record = {"outcome": "refused", "questions": None, "said": NOTHING_SAID}
    card = {"type": "safety_alert", "rejected_items": rejected}

    shown = render_card(language, record, card)

    assert shown is not None
    assert shown["message"] == render_reply(language, record, card)
    assert len(shown["rejected_items"]) == len(rejected)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", ["said", "noted", "questions", "nothing_open"])
def test_an_answer_without_a_card_has_no_card(language: str, outcome: str) -> None:
    record = {"outcome": outcome, "questions": ["age"], "said": NOTHING_SAID}

    assert render_reply(language, record, None)
    assert render_card(language, record, None) is None


def test_a_card_that_still_asks_does_not_ask_for_a_yes() -> None:
    card = {"type": "order_confirmation", "items": [], "total": 0, "warnings": []}

    asks = render_reply("en", {"outcome": "proposed", "questions": ["age"], "said": NOTHING_SAID}, card)
    ready = render_reply("en", {"outcome": "proposed", "questions": [], "said": NOTHING_SAID}, card)

    assert "how old" in asks
    assert "say yes" not in asks
    assert "say yes" in ready


@pytest.mark.parametrize(
    ("text", "asked", "preferred", "language"),
    [
        ("dolo 650", "en", "hi", "en"),
        ("dolo 650", "hi", "en", "hi"),
        ("dolo 650", "mr", "en", "mr"),
        ("डोलो 650", "en", "en", "hi"),
        ("डोलो 650", "en", "mr", "mr"),
        ("डोलो 650", "mr", "hi", "mr"),
        ("डोलो 650", "hi", "mr", "hi"),
        ("मला डोलो हवे आहे", "en", "en", "mr"),
    ],
)
def test_the_script_of_the_message_wins(text: str, asked: Language, preferred: str, language: str) -> None:
    assert reply_language(text, asked, preferred) == language
