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

from functions.chat.understanding.sounds import sound_of
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
    allergy_word: Phrases
    health_word: Phrases
    """Illness in general: "no health problems"."""
    first_person: Phrases
    age_word: Phrases
    interrogative: Phrases
    """Asks, or only softens a request: "kya"."""
    address: Phrases
    """Other people by what the assistant is called as well: "bhai, dolo bhej do"."""
    possessive: Phrases
    case_after: Phrases
    """What follows a person who is spoken of: "bhai ko", "baba sathi"."""
    name_too: Phrases
    """Words that are also the name of a medicine."""
    alternative: Phrases
    as_is: Phrases
    """Lets something stay as it is: "wahi rehne do"."""
    mistake: Phrases
    """What stands with it was not meant: "chukun don lihla"."""
    before_one: Phrases
    """Behind these the English "one" points at something: "the old one"."""
    piece: Phrases
    being: Phrases
    """Says what somebody is: "I am", "hoon"."""
    but: Phrases
    keep: Phrases
    """Behind "only" and a name it keeps that one; elsewhere it lets go: "rehne do"."""
    genitive: Phrases
    """Joins a thing to what it is of: "zinc che patre"."""
    less: Phrases
    yes: Phrases
    """Agrees by itself; `confirm` also has what only places: "send it"."""
    act: Phrases
    conditional: Phrases
    """Makes a yes one for another time, or for something else."""
    thanks: Phrases
    ago: Phrases
    history: Phrases
    past_event: Phrases
    """A red flag unless it is told of years ago."""
    idiom: Phrases
    logistics: Phrases
    """How and when to deliver: said beside a yes it changes nothing of it."""
    availability: Phrases
    """Asks whether there is any; with a number it is an order: "एक मिळेल का"."""
    bystander: Phrases
    """What follows a person who only helps: "my son will collect it"."""
    verb_number: Phrases
    """Number words that are verbs as well."""
    opening: Phrases
    """Number words that also open a sentence: the Marathi "bara" is "well" as well as 12."""
    verb_stem: Phrases
    """What makes the number word after it a verb: "kar do"."""
    red_flag_groups: Groups
    question_groups: Groups
    track_groups: Groups
    refills_due_groups: Groups
    """Asks when own medicines run out, or which of them are due."""
    numbers: dict[str, int]
    forms: dict[str, tuple[str, ...]]
    ordinals: dict[str, int]
    durations: dict[str, int]
    """Days in a day, week, month."""
    fractions: dict[str, float]
    multipliers: dict[str, int]
    abbreviations: dict[str, str]
    shorthand: dict[str, str]
    """Of language; unlike an abbreviation it is read only where no name stands."""
    letters: dict[str, str]
    """Latin letters as a dictation writes them: "bee"."""
    frequencies: dict[tuple[str, ...], float]
    """Doses a day by how people say it."""
    hindi: frozenset[str]
    marathi: frozenset[str]
    """Words in Devanagari that only one of the two languages has."""
    words: frozenset[str]
    """Every single word of any list: what is never taken for a misspelt name."""
    english: frozenset[str]
    spelt: frozenset[str]
    """Those and the words of the groups: what is never respelt."""


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
    multipliers = {
        normalise(word): factor for table in tables for word, factor in table["multiplier"].items()
    }
    abbreviations = {word: name for table in tables for word, name in table.get("abbreviation", {}).items()}
    shorthand = {word: meant for table in tables for word, meant in table.get("shorthand", {}).items()}
    letters = {word: letter for table in tables for word, letter in table.get("letter", {}).items()}
    words = {word for listed in lists.values() for phrase in listed for word in phrase}
    grouped = {
        name: groups(name)
        for name in ("red_flag_groups", "question_groups", "track_groups", "refills_due_groups")
    }
    in_groups = {
        word
        for every in grouped.values()
        for group in every
        for part in group
        for phrase in part
        for word in phrase
    }
    every_word = frozenset(
        words
        | numbers.keys()
        | forms.keys()
        | ordinals.keys()
        | durations.keys()
        | multipliers.keys()
        | {word for phrase in frequencies for word in phrase}
    )
    return Vocabulary(
        **lists,
        red_flag_groups=grouped["red_flag_groups"],
        question_groups=grouped["question_groups"],
        track_groups=grouped["track_groups"],
        refills_due_groups=grouped["refills_due_groups"],
        numbers=numbers,
        forms=forms,
        ordinals=ordinals,
        hindi=hindi - marathi,
        marathi=marathi - hindi,
        durations=durations,
        fractions=fractions,
        multipliers=multipliers,
        abbreviations=abbreviations,
        shorthand=shorthand,
        letters=letters,
        frequencies=frequencies,
        words=every_word,
        english=frozenset(_every_word(tables[0])),
        spelt=every_word | in_groups,
    )


def _every_word(table: Mapping[str, Any]) -> set[str]:
    """The words of a language's lists and tables."""
    listed = [phrase for entries in table.values() for phrase in entries if isinstance(phrase, str)]
    return {word for phrase in listed for word in _words(phrase)}


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset((_FOLDER / "common.txt").read_text("utf-8").split())


def is_common(text: str) -> bool:
    """Whether a word is everyday English or Hindi: it has no meaning here, and is no name of a medicine."""
    return text in _common() or sound_of(text) in _common()


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


def without(words: Sequence[str], phrases: Phrases) -> list[str]:
    """The words that are part of no phrase of several words."""
    left: list[str] = []
    place = 0
    while place < len(words):
        length = starts_with_any(words, place, phrases)
        if length < 2:
            left.append(words[place])
        place += max(1, length if length > 1 else 1)
    return left


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
