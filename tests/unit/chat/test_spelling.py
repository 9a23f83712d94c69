"""Words as people spell them: by ear, in another script, with a slip, without vowels."""

from __future__ import annotations

import pytest

from functions.chat.understanding.sounds import skeleton, sound_of
from functions.chat.understanding.spelling import expanded, respelt
from functions.chat.understanding.words import split


def read(message: str) -> str:
    return " ".join(word.text for word in respelt(expanded(split(message))))


@pytest.mark.parametrize(
    ("one", "other"),
    [("chahiye", "चाहिए"), ("bhejo", "भेजो"), ("pathva", "pathvaa"), ("mangwa", "मंगवा"), ("yesss", "yes")],
)
def test_one_word_sounds_the_same_however_it_is_spelt(one: str, other: str) -> None:
    assert skeleton(sound_of(one)) == skeleton(sound_of(other))


@pytest.mark.parametrize(
    ("one", "other"), [("teen", "tees"), ("das", "do"), ("haan", "nahin"), ("don", "daha")]
)
def test_other_words_sound_otherwise(one: str, other: str) -> None:
    assert sound_of(one) != sound_of(other)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("confrim", "confirm"),
        ("tabelts", "tablets"),
        ("2 strps", "2 strips"),
        ("टॅब्लेट", "tablet"),
        ("vit c", "vitamin c"),
        ("vitamin dee", "vitamin d"),
        ("एकच", "एक"),
    ],
)
def test_a_misspelt_word_of_the_language_is_read(written: str, meant: str) -> None:
    assert read(written) == meant


def test_what_is_written_is_kept_for_the_record() -> None:
    [word] = respelt(split("confrim"))
    assert (word.text, word.as_written) == ("confirm", "confrim")


@pytest.mark.parametrize("name", ["dolo", "crocin", "zincovit", "shelcal", "telma", "okacet", "रोसुवास"])
def test_a_name_is_no_word_of_the_language(name: str) -> None:
    assert read(name) == name


def test_what_the_catalogue_knows_is_never_respelt() -> None:
    words = split("confrim")
    assert respelt(words, names={0}) == words
