"""What patients say of themselves: age, allergies, illnesses. Asked for or not, it decides what is safe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.chat.understanding.interpretation import ProfileField
from functions.chat.understanding.quantities import number_at
from functions.chat.understanding.vocabulary import (
    Phrases,
    Vocabulary,
    consists_of,
    contains_any,
    load_vocabulary,
    starts_with_any,
)
from functions.chat.understanding.words import Word

_OLDEST = 120
_REACH = 3
"""Words between "no" and what there is none of."""

_NOT = frozenset((word,) for word in ("not", "without", "never"))

Facts = dict[str, int | list[str]]


@dataclass(frozen=True, slots=True)
class _Cue:
    """A word that says what a part of a sentence is about."""

    field: ProfileField
    place: int
    length: int
    is_general: bool = False
    """It stands for any illness or allergy, not for one."""


def stated_facts(words: Sequence[Word], asked: str | None) -> Facts:
    """{"age": years, "allergies": [...], "conditions": [...]} as far as the message states them of the
    patient; an empty list is "none". `asked` is the field that was asked for last, if any.

    >>> stated_facts(split("I'm 31, no allergies and no health problems"), None)
    {'age': 31, 'allergies': [], 'conditions': []}
    """
    vocabulary = load_vocabulary()
    texts = [word.text for word in words]
    if any(word.before_question_mark for word in words) or contains_any(texts, vocabulary.question):
        return {}
    is_about_self = asked is not None or contains_any(
        texts, vocabulary.first_person | vocabulary.profile_word
    )
    facts: Facts = {}
    for part in _clauses(words, vocabulary):
        texts_of_part = [word.text for word in part]
        is_range = contains_any(texts, vocabulary.range_word | vocabulary.alternative)
        if asked == "age" and not is_range and (age := _stated_age(texts_of_part, vocabulary)):
            _add(facts, "age", age["age"])
            continue
        cues = list(_cues(texts_of_part, vocabulary))
        for place, cue in enumerate(cues):
            start = cues[place - 1].place + cues[place - 1].length if place else 0
            end = cues[place + 1].place if place + 1 < len(cues) else len(part)
            for field, value in _fact(part, cue, start, end, is_about_self, asked is not None, vocabulary):
                _add(facts, field, value)
        if not cues and facts:
            _continue_list(facts, part, vocabulary)
    return facts


def _add(facts: Facts, field: str, value: int | list[str]) -> None:
    known = facts.get(field)
    if isinstance(known, list) and isinstance(value, list):
        facts[field] = [*known, *(one for one in value if one not in known)]
    elif field not in facts:
        facts[field] = value


def _clauses(words: Sequence[Word], vocabulary: Vocabulary) -> list[list[Word]]:
    parts: list[list[Word]] = [[]]
    for word in words:
        if word.after_break or (word.text,) in vocabulary.separator:
            parts.append([])
        if (word.text,) not in vocabulary.separator:
            parts[-1].append(word)
    return [part for part in parts if part]


def _cues(texts: Sequence[str], vocabulary: Vocabulary) -> Iterator[_Cue]:
    place = 0
    kinds: tuple[tuple[Phrases, ProfileField, bool], ...] = (
        (vocabulary.allergy_word, "allergies", True),
        (vocabulary.health_word, "conditions", True),
        (vocabulary.illness, "conditions", False),
    )
    while place < len(texts):
        fits = [(starts_with_any(texts, place, words), field, general) for words, field, general in kinds]
        length, field, general = max(fits, key=lambda fit: fit[0])
        if length:
            yield _Cue(field, place, length, general)
            place += length
            continue
        number = number_at(texts, place, vocabulary)
        if (
            number is not None
            and number.value is not None
            and _is_age(texts, place, number.length, vocabulary)
        ):
            yield _Cue("age", place, number.length)
            place += number.length
            continue
        place += 1


def _is_age(texts: Sequence[str], place: int, length: int, vocabulary: Vocabulary) -> bool:
    before, after = texts[max(0, place - 3) : place], texts[place + length : place + length + 2]
    says_years = starts_with_any(after, 0, vocabulary.age_word) > 0
    says_age = contains_any(before, vocabulary.age_word)
    return says_age or says_years or (list(before[-1:]) in (["im"], ["am"]) and not after)


def _fact(
    part: Sequence[Word],
    cue: _Cue,
    start: int,
    end: int,
    is_about_self: bool,
    is_asked: bool,
    vocabulary: Vocabulary,
) -> Iterator[tuple[str, int | list[str]]]:
    texts = [word.text for word in part]
    if cue.field == "age":
        number = number_at(texts, cue.place, vocabulary)
        if is_about_self and number and number.value and number.value <= _OLDEST:
            yield "age", number.value
        return
    before, after = texts[max(start, cue.place - _REACH) : cue.place], texts[cue.place + cue.length : end]
    is_denied = contains_any(before, vocabulary.none | _NOT) or contains_any(
        after[:_REACH], vocabulary.none | vocabulary.negation_after
    )
    if cue.field == "allergies":
        named = _listed(
            [part[p] for p in _named_with(texts, cue, start, end, is_asked, vocabulary)], vocabulary
        )
        if named and not is_denied:
            yield "allergies", named
        elif is_denied and not named:
            yield "allergies", []
    elif cue.is_general and is_denied:
        yield "conditions", []
    elif not cue.is_general and not is_denied and is_about_self and not _wants(texts, vocabulary):
        yield "conditions", [" ".join(word.as_written for word in part[cue.place : cue.place + cue.length])]


def _named_with(
    texts: Sequence[str], cue: _Cue, start: int, end: int, is_asked: bool, vocabulary: Vocabulary
) -> list[int]:
    """Where what somebody is allergic to stands. Unasked only what is tied to the word: "allergic to X",
    "X se allergy"; "delete my allergy, send X" tells nothing.
    """
    behind = cue.place + cue.length
    if is_asked:
        return [place for place in range(start, end) if not cue.place <= place < behind]
    if texts[behind : behind + 1] in (["to"], ["from"]):
        return list(range(behind + 1, end))
    end_of_name = cue.place - 1
    while end_of_name > start and (texts[end_of_name],) in vocabulary.add:
        end_of_name -= 1  # "aspirin chi pan allergy"
    if end_of_name <= start or (texts[end_of_name],) not in vocabulary.case_after:
        return []
    place = end_of_name
    while place > start and texts[place - 1] not in vocabulary.words:
        place -= 1
    return list(range(place, end_of_name))


def _wants(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """ "my diabetes stuff" asks for medicines and tells nothing."""
    asks = vocabulary.order | vocabulary.something
    is_refill = contains_any(texts, vocabulary.refill - vocabulary.past)
    return contains_any(texts, asks) or (is_refill and not contains_any(texts, vocabulary.being))


def _continue_list(facts: Facts, part: Sequence[Word], vocabulary: Vocabulary) -> None:
    """ "allergic to penicillin, sulfa and dust": more of what was listed last."""
    field = list(facts)[-1]
    listed = facts[field]
    named = _listed(part, vocabulary)
    is_short = len(part) <= _REACH and not any(word.text[0].isdigit() for word in part)
    if isinstance(listed, list) and listed and field == "allergies" and len(named) == 1 and is_short:
        _add(facts, field, named)


def _listed(words: Sequence[Word], vocabulary: Vocabulary) -> list[str]:
    """The words that are no language, those side by side together."""
    named: list[list[str]] = [[]]
    for word in words:
        if word.text in vocabulary.words or word.text.replace(".", "").isdigit():
            named.append([])
        else:
            named[-1].append(word.as_written)
    return [" ".join(texts) for texts in named if texts]


def profile_answer(
    words: Sequence[Word], awaiting: Mapping[str, Any], vocabulary: Vocabulary
) -> dict[str, int | list[str]] | None:
    """What the message says about the profile field asked for; None when it is about something else."""
    if awaiting.get("kind") != "profile":
        return None
    field, texts = awaiting["field"], [word.text for word in words]
    if field == "age":
        return _stated_age(texts, vocabulary)
    says_none = contains_any(texts, vocabulary.none)
    if consists_of(texts, vocabulary.none) or (
        says_none and consists_of(texts, vocabulary.none | vocabulary.none_about | vocabulary.filler)
    ):
        return {field: []}
    # An answer to the other question is an answer all the same.
    is_allergy = contains_any(texts, vocabulary.profile_word) and any("llerg" in text for text in texts)
    about_something_else = (
        vocabulary.order
        | vocabulary.question
        | vocabulary.interrogative
        | vocabulary.product_question
        | vocabulary.track
    )
    if (
        not texts
        or len(texts) > 30
        or any(text[0].isdigit() for text in texts)
        or contains_any(texts, about_something_else | vocabulary.objection | vocabulary.unsure)
        or consists_of(texts, vocabulary.confirm, vocabulary.confirm_filler, vocabulary.greeting)
    ):
        return None
    if field == "allergies" and contains_any(texts, vocabulary.illness) and not is_allergy:
        field = "conditions"
    elif field == "conditions" and is_allergy:
        field = "allergies"
    return {field: _listed_names(words, vocabulary)}


def _stated_age(texts: Sequence[str], vocabulary: Vocabulary) -> Facts | None:
    """ "34", "i am thirty four years old": one number, and nothing that is about something else."""
    for place in range(len(texts)):
        number = number_at(texts, place, vocabulary)
        if number is not None:
            beside = [*texts[:place], *texts[place + number.length :]]
            about_age = vocabulary.filler | vocabulary.not_a_quantity | vocabulary.before_a_number
            if (
                number.value is None
                or number.value > _OLDEST
                or (beside and not consists_of(beside, about_age))
            ):
                return None
            return {"age": number.value}
    return None


def _listed_names(words: Sequence[Word], vocabulary: Vocabulary) -> list[str]:
    """ "i am allergic to penicillin, sulfa and dust" -> ["penicillin", "sulfa", "dust"]."""
    named: list[list[str]] = [[]]
    for word in words:
        if word.after_break or (word.text,) in vocabulary.separator:
            named.append([])
        if (word.text,) not in vocabulary.separator | vocabulary.filler | vocabulary.profile_word:
            named[-1].append(word.as_written)
    return [" ".join(texts) for texts in named if texts] or [" ".join(word.as_written for word in words)]
