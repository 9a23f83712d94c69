"""Messages as words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.chat.understanding.words import is_devanagari, normalise, split


def texts(message: str) -> list[str]:
    return [word.text for word in split(message)]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Dolo-650", "dolo 650"),
        ("DOLO650", "dolo 650"),
        ("  Pan-D ", "pan d"),
        ("Vitamin D3 60K", "vitamin d 3 60 k"),
        ("0.25 mg", "0.25 mg"),
        ("end.", "end"),
        ("ｄｏｌｏ ６５０", "dolo 650"),
        ("क्रोसिन", "क्रोसिन"),
        ("ज़िंक", "जिंक"),
        ("डोलो650", "डोलो 650"),
        ("dolo\u200b", "dolo"),
        ("💊", ""),
    ],
)
def test_names_are_compared_in_one_form(written: str, name: str) -> None:
    assert normalise(written) == name


@given(st.text())
def test_the_form_is_final(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=300))
def test_any_message_has_words(message: str) -> None:
    assert all(word.text and " " not in word.text for word in split(message))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("1,000 tablets", ["1000", "tablets"]),
        ("2,5 strips", ["2.5", "strips"]),
        ("2-3 strips", ["2", "to", "3", "strips"]),
        ("२ पत्ते", ["2", "पत्ते"]),
        ("don't", ["dont"]),
    ],
)
def test_numbers_and_contractions_stay_whole(message: str, words: list[str]) -> None:
    assert texts(message) == words


def test_commas_and_lines_break_a_message() -> None:
    assert [word.text for word in split("dolo, crocin\npan") if word.after_break] == ["crocin", "pan"]


def test_a_question_mark_is_remembered() -> None:
    assert [word.before_question_mark for word in split("yes?")] == [True]


def test_the_script_is_seen() -> None:
    assert is_devanagari("mujhe डोलो chahiye")
    assert not is_devanagari("mujhe dolo chahiye")
