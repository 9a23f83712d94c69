"""The words of English, Hindi and Marathi that are language and not medicines: data, one file a language.

All three are read together, because people mix them in one sentence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from functions.chat.understanding.words import is_devanagari, normalise, split

_FOLDER = Path(__file__).parent / "languages"
_LONGEST_PHRASE = 5

Phrases = frozenset[tuple[str, ...]]
Groups = tuple[tuple[Phrases, ...], ...]
"""Each group matches a message that has a phrase of every one of its lists, in any order."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    order: Phrases
    confirm: Phrases
    confirm_filler: Phrases
    decline: Phrases
    negation: Phrases
    separator: Phrases
    filler: Phrases
    pack_unit: Phrases
    dose_unit: Phrases
    strength_unit: Phrases
    before_a_number: Phrases
    unclear_number: Phrases
    range_word: Phrases
    each: Phrases
    profile_word: Phrases
    not_a_quantity: Phrases
    question: Phrases
    product_question: Phrases
    other_person: Phrases
    greeting: Phrases
    none: Phrases
    red_flag: Phrases
    report: Phrases
    took_many: Phrases
    add: Phrases
    change: Phrases
    objection: Phrases
    refill: Phrases
    last_order: Phrases
    something: Phrases
    track: Phrases
    only: Phrases
    more: Phrases
    correction: Phrases
    unsure: Phrases
    daily: Phrases
    past: Phrases
    negation_after: Phrases
    own: Phrases
    courtesy: Phrases
    cheapest: Phrases
    strongest: Phrases
    weakest: Phrases
    illness: Phrases
    none_about: Phrases
    for_self: Phrases
    times_a_day: Phrases
    red_flag_groups: Groups
    question_groups: Groups
    track_groups: Groups
    numbers: dict[str, int]
    forms: dict[str, tuple[str, ...]]
    ordinals: dict[str, int]
    durations: dict[str, int]
    """Days in a day, week, month."""
    fractions: dict[str, float]
    frequencies: dict[tuple[str, ...], float]
    """Doses a day by how people say it."""
    hindi: frozenset[str]
    marathi: frozenset[str]
    """Words in Devanagari that only one of the two languages has."""
    words: frozenset[str]
    """Every single word of any list: what is never taken for a misspelt name."""


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    tables = [
        tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8")) for language in ("en", "hi", "mr")
    ]

    def phrases(key: str) -> Phrases:
        return frozenset(_words(phrase) for table in tables for phrase in table[key])

    lists = {field.name: phrases(field.name) for field in fields(Vocabulary) if field.type == "Phrases"}

    def groups(key: str) -> Groups:
        return tuple(
            tuple(frozenset(_words(phrase) for phrase in part) for part in group)
            for table in tables
            for group in table[key]
        )

    hindi, marathi = (_devanagari(table) for table in tables[1:])
    numbers = {normalise(word): number for table in tables for word, number in table["number"].items()}
    forms = {normalise(word): tuple(names) for table in tables for word, names in table["form"].items()}
    ordinals = {normalise(word): place for table in tables for word, place in table["ordinal"].items()}
    durations = {normalise(word): days for table in tables for word, days in table["duration"].items()}
    fractions = {normalise(word): part for table in tables for word, part in table["fraction"].items()}
    frequencies = {
        _words(phrase): float(often) for table in tables for phrase, often in table["frequency"].items()
    }
    words = {word for listed in lists.values() for phrase in listed for word in phrase}
    return Vocabulary(
        **lists,
        red_flag_groups=groups("red_flag_groups"),
        question_groups=groups("question_groups"),
        track_groups=groups("track_groups"),
        numbers=numbers,
        forms=forms,
        ordinals=ordinals,
        hindi=hindi - marathi,
        marathi=marathi - hindi,
        durations=durations,
        fractions=fractions,
        frequencies=frequencies,
        words=frozenset(
            words
            | numbers.keys()
            | forms.keys()
            | ordinals.keys()
            | durations.keys()
            | {word for phrase in frequencies for word in phrase}
        ),
    )


def _words(phrase: str) -> tuple[str, ...]:
    """A phrase as a message with it would be split."""
    return tuple(word.text for word in split(phrase))


def _devanagari(table: Mapping[str, Any]) -> frozenset[str]:
    phrases = [phrase for listed in table.values() for phrase in listed if isinstance(phrase, str)]
    return frozenset(word for phrase in phrases for word in normalise(phrase).split() if is_devanagari(word))


def starts_with_any(words: Sequence[str], place: int, phrases: Phrases) -> int:
    """The length of the longest phrase that starts at `place`, or 0."""
    for length in range(min(_LONGEST_PHRASE, len(words) - place), 0, -1):
        if tuple(words[place : place + length]) in phrases:
            return length
    return 0


def contains_any(words: Sequence[str], phrases: Phrases) -> bool:
    return any(starts_with_any(words, place, phrases) for place in range(len(words)))


def matches_any(words: Sequence[str], groups: Groups) -> bool:
    return any(all(contains_any(words, part) for part in group) for group in groups)


def consists_of(words: Sequence[str], *allowed: Phrases) -> bool:
    """Whether phrases of the allowed lists cover the words without a gap, whichever way they are cut."""
    every: set[tuple[str, ...]] = set().union(*allowed)
    reachable = {0}
    for place in range(len(words)):
        if place in reachable:
            reachable |= {
                place + length
                for length in range(1, _LONGEST_PHRASE + 1)
                if tuple(words[place : place + length]) in every and place + length <= len(words)
            }
    return bool(words) and len(words) in reachable
