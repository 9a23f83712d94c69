"""The lexical interpreter: deterministic, offline, milliseconds.

A message is split into words; the database has said which runs of them are names; vocabularies say which
words are language. What remains is a small grammar: segments, quantities, and what the message is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.chat.context import Candidate, Span, TurnContext
from functions.chat.understanding.interpretation import Interpretation, Mention, Quantity
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    consists_of,
    contains_any,
    load_vocabulary,
    starts_with_any,
)
from functions.chat.understanding.words import Word

_MOST_PACKS = 999
_LIKELY_PACKS = 30
"""A bare number after a name is a number of packs up to here; above, it is more likely a strength."""
_SURE_DISTANCE = 1
"""One sound off is a slip; two may be another medicine (prednisone, prednisolone), so we ask."""


def is_vocabulary(word: Word) -> bool:
    """Whether a word belongs to the language: the database never takes such a word for a misspelt name."""
    return word.text in load_vocabulary().words


def interpret(words: Sequence[Word], context: TurnContext) -> Interpretation:
    vocabulary = load_vocabulary()
    texts = [word.text for word in words]

    if contains_any(texts, vocabulary.red_flag):
        return Interpretation("red_flag")
    if (answer := _profile_answer(texts, context.awaiting, vocabulary)) is not None:
        return Interpretation("answer", profile=answer)
    if context.has_open_proposal and _is_confirmation(texts, vocabulary):
        return Interpretation("confirm")
    if consists_of(texts, vocabulary.decline) or (
        consists_of(texts, vocabulary.decline, vocabulary.confirm_filler)
        and contains_any(texts, vocabulary.decline)
    ):
        return Interpretation("decline")
    if (choice := _choice(texts, context.awaiting, vocabulary)) is not None:
        return Interpretation("choose", choice=choice)

    reading = _Reading(words, context, vocabulary)
    mentions = reading.mentions()
    if contains_any(texts, vocabulary.other_person) and (mentions or contains_any(texts, vocabulary.order)):
        return Interpretation("for_someone_else", mentions, confidence=reading.explained())
    if contains_any(texts, vocabulary.question):
        return Interpretation("question", mentions, confidence=reading.explained())
    if mentions:
        return Interpretation("order", mentions, confidence=reading.explained())
    if _is_confirmation(texts, vocabulary):
        return Interpretation("confirm")
    if contains_any(texts, vocabulary.greeting):
        return Interpretation("greeting")
    return Interpretation("unclear", confidence=0.0)


def _is_confirmation(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Only an unmistakable one: every word agrees or is polite, at least one agrees, none objects or asks."""
    return (
        consists_of(texts, vocabulary.confirm, vocabulary.confirm_filler)
        and contains_any(texts, vocabulary.confirm)
        and not contains_any(texts, vocabulary.negation)
    )


def _profile_answer(
    texts: Sequence[str], awaiting: Mapping[str, Any], vocabulary: Vocabulary
) -> dict[str, int | list[str]] | None:
    """What the message says about the profile field asked for; None when it is about something else."""
    if awaiting.get("kind") != "profile":
        return None
    field = awaiting["field"]
    if field == "age":
        numbers = [_number(text, vocabulary) for text in texts]
        ages = [number for number in numbers if number is not None and 0 < number <= 120]
        others = [text for text, number in zip(texts, numbers, strict=True) if number is None]
        age_words = vocabulary.filler | vocabulary.not_a_quantity | {("old",), ("age",)}
        if len(ages) == 1 and (not others or consists_of(others, age_words)):
            return {"age": ages[0]}
        return None
    if consists_of(texts, vocabulary.none):
        return {field: []}
    if (
        not texts
        or len(texts) > 30
        or any(text[0].isdigit() for text in texts)
        or contains_any(texts, vocabulary.order)
        or contains_any(texts, vocabulary.question)
        or consists_of(texts, vocabulary.confirm, vocabulary.confirm_filler, vocabulary.greeting)
    ):
        return None
    return {field: _listed(texts, vocabulary)}


def _listed(texts: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    """ "i am allergic to penicillin and sulfa" -> ["penicillin", "sulfa"]."""
    beside = vocabulary.filler | {
        ("allergic",),
        ("allergy",),
        ("allergies",),
        ("have",),
        ("from",),
        ("suffer",),
    }
    named: list[list[str]] = [[]]
    for text in texts:
        if (text,) in vocabulary.separator:
            named.append([])
        elif (text,) not in beside:
            named[-1].append(text)
    return [" ".join(words) for words in named if words] or [" ".join(texts)]


def _choice(texts: Sequence[str], awaiting: Mapping[str, Any], vocabulary: Vocabulary) -> int | None:
    """Which offered option the message picks: its place, its strength or a word only its name has."""
    if awaiting.get("kind") != "choice":
        return None
    options: list[Mapping[str, Any]] = awaiting["options"]
    said = [
        text for text in texts if (text,) not in vocabulary.filler | vocabulary.confirm | vocabulary.separator
    ]
    said = [text for text in said if text not in ("one", "option", "number", "wala", "wali")] or said
    if not said or contains_any(texts, vocabulary.negation):
        return None
    if len(said) == 1:
        place = vocabulary.ordinals.get(said[0])
        if place is not None and -1 <= place <= len(options):
            return len(options) - 1 if place == -1 else place - 1
    fits = [
        place for place, option in enumerate(options) if all(text in option["name_words"] for text in said)
    ]
    if len(fits) == 1:
        return fits[0]
    if not fits and len(said) == 1 and said[0].isdigit() and 1 <= int(said[0]) <= len(options):
        return int(said[0]) - 1
    return None


def _number(text: str, vocabulary: Vocabulary) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 6:
        return int(text)
    return vocabulary.numbers.get(text)


@dataclass(slots=True)
class _Found:
    """A mention while its quantity is still being looked for."""

    first: int
    last: int
    candidates: tuple[Candidate, ...]
    distance: int
    quantity: Quantity | None = None
    strength: str | None = None
    forms: tuple[str, ...] = ()


class _Reading:
    """One message with its spans: finds the mentions, then the quantity that belongs to each."""

    def __init__(self, words: Sequence[Word], context: TurnContext, vocabulary: Vocabulary) -> None:
        self._words = words
        self._texts = [word.text for word in words]
        self._context = context
        self._vocabulary = vocabulary
        self._used: set[int] = set()
        self._found = self._names()
        self._segments = self._cut()
        for found in self._found:
            self._read_strength(found)
        for found in self._found:
            self._read_quantity(found)

    def mentions(self) -> tuple[Mention, ...]:
        named = [
            (
                found.first,
                Mention(
                    said=" ".join(self._texts[found.first : found.last + 1]),
                    candidates=tuple(candidate.product_id for candidate in found.candidates),
                    quantity=found.quantity,
                    strength=found.strength,
                    forms=found.forms,
                    is_guess=found.distance > _SURE_DISTANCE,
                ),
            )
            for found in self._found
            if not self._is_negated(found)
        ]
        unknown = [(first, Mention(said=said, candidates=())) for first, said in self._unknown_names()]
        return tuple(mention for _, mention in sorted(named + unknown, key=lambda item: item[0]))

    def explained(self) -> float:
        """Share of the words that are language, a name, or part of a quantity."""
        known = sum(
            1
            for place, text in enumerate(self._texts)
            if place in self._used or text in self._vocabulary.words or text.isdigit()
        )
        return round(known / len(self._texts), 2) if self._texts else 0.0

    # Names

    def _names(self) -> list[_Found]:
        """The longest names from left to right. A number in front of a unit of packs or doses belongs to the
        quantity: "vitamin d 3 strips" asks for three strips of vitamin D."""
        by_run: dict[tuple[int, int], list[Span]] = {}
        for span in self._context.spans:
            by_run.setdefault((span.first, span.length), []).append(span)
        found: list[_Found] = []
        place = 0
        while place < len(self._texts):
            runs = [
                (length, spans)
                for (first, length), spans in by_run.items()
                if first == place and not self._ends_in_quantity(first, length)
            ]
            if not runs:
                place += 1
                continue
            length, spans = max(runs, key=lambda run: (run[0], -min(span.distance for span in run[1])))
            candidates = self._one_medicine(spans)
            found.append(
                _Found(place, place + length - 1, candidates, distance=min(span.distance for span in spans))
            )
            self._used.update(range(place, place + length))
            place += length
        return found

    def _ends_in_quantity(self, first: int, length: int) -> bool:
        end = first + length
        if end >= len(self._texts) or length == 1 or not self._texts[end - 1].isdigit():
            return False
        units = self._vocabulary.pack_unit | self._vocabulary.dose_unit
        return starts_with_any(self._texts, end, units) > 0

    def _one_medicine(self, spans: Sequence[Span]) -> tuple[Candidate, ...]:
        """A full name settles the product. Another exact name settles the medicine: its variants are those
        with the same ingredients, and a combination is no variant of its single ingredient. Beginnings of
        names settle nothing by themselves."""
        nearest = min(span.distance for span in spans)
        near = [span for span in spans if span.distance == nearest]
        products = self._context.products
        named = [span.product_id for span in near if span.kind == "name"]
        if named:
            return tuple(products[product_id] for product_id in dict.fromkeys(named))
        exact = [span.product_id for span in near if span.kind in ("alias", "ingredient")]
        every = [products[product_id] for product_id in dict.fromkeys(span.product_id for span in near)]
        if not exact:
            return tuple(every)
        ingredients = {products[product_id].active_ingredient for product_id in exact}
        return tuple(
            candidate
            for candidate in every
            if candidate.active_ingredient in ingredients
            and (candidate.active_ingredient != "-" or candidate.product_id in exact)
        )

    # Segments

    def _cut(self) -> list[int]:
        """The segment each word belongs to: commas, line ends and words like "and" separate, not in names."""
        inside = {place for found in self._found for place in range(found.first + 1, found.last + 1)}
        segments: list[int] = []
        current = 0
        for place, word in enumerate(self._words):
            if place not in inside and place > 0:
                is_separator = (word.text,) in self._vocabulary.separator and place not in self._used
                if word.after_break or is_separator:
                    current += 1
            segments.append(current)
        return segments

    def _window(self, found: _Found) -> tuple[range, range]:
        """The words before and after a mention up to the next mention or the end of its segment."""
        segment = self._segments[found.first]
        before_end = found.first
        before_start = before_end
        while (
            before_start > 0
            and self._segments[before_start - 1] == segment
            and before_start - 1 not in self._used
        ):
            before_start -= 1
        after_start = found.last + 1
        after_end = after_start
        while (
            after_end < len(self._texts)
            and self._segments[after_end] == segment
            and after_end not in self._used
        ):
            after_end += 1
        return range(before_start, before_end), range(after_start, after_end)

    def _is_negated(self, found: _Found) -> bool:
        before, after = self._window(found)
        around = [self._texts[place] for place in (*before, *after)]
        return contains_any(around, self._vocabulary.negation)

    # Strengths and quantities

    def _read_strength(self, found: _Found) -> None:
        """A number right behind the name that is one of its strengths, or that carries a unit of strength."""
        _, after = self._window(found)
        for place in after[:1]:
            text = self._texts[place]
            if not text.replace(".", "", 1).isdigit():
                continue
            unit = starts_with_any(self._texts, place + 1, self._vocabulary.strength_unit)
            fits = any(text in _strength_numbers(candidate) for candidate in found.candidates)
            followed_by_pack = starts_with_any(
                self._texts, place + 1, self._vocabulary.pack_unit | self._vocabulary.dose_unit
            )
            is_too_many = text.isdigit() and int(text) > _LIKELY_PACKS and not followed_by_pack
            if unit or (fits and not followed_by_pack) or is_too_many:
                found.strength = text
                self._used.update(range(place, place + 1 + unit))
                found.last = place + unit
        _, after = self._window(found)
        for place in after:
            if self._texts[place] in self._vocabulary.forms:
                found.forms = self._vocabulary.forms[self._texts[place]]

    def _read_quantity(self, found: _Found) -> None:
        before, after = self._window(found)
        for places in (list(reversed(before)), list(after)):
            for place in places:
                quantity, length = self._quantity_at(place)
                if quantity is not None:
                    found.quantity = quantity
                    self._used.update(range(place, place + length))
                    return
        # "dolo, 2 strips": a segment without a name of its own says how much of the one before.
        if after.stop < len(self._texts) and after.stop not in self._used:
            segment = self._segments[after.stop]
            rest = [
                place for place in range(after.stop, len(self._texts)) if self._segments[place] == segment
            ]
            if not any(place in self._used for place in rest):
                for place in rest:
                    quantity, length = self._quantity_at(place)
                    if quantity is not None:
                        found.quantity = quantity
                        self._used.update(range(place, place + length))
                        return

    def _quantity_at(self, place: int) -> tuple[Quantity | None, int]:
        """The quantity that starts at a word, with its length in words: "2", "two strips", "30 tablets"."""
        number = _number(self._texts[place], self._vocabulary)
        if number is None or not 0 < number <= _MOST_PACKS:
            return None, 0
        vocabulary = self._vocabulary
        if starts_with_any(self._texts, place + 1, vocabulary.strength_unit):
            return None, 0
        if starts_with_any(self._texts, place + 1, vocabulary.not_a_quantity):
            return None, 0
        packs = starts_with_any(self._texts, place + 1, vocabulary.pack_unit)
        doses = starts_with_any(self._texts, place + 1, vocabulary.dose_unit)
        if not (packs or doses) and self._is_word_first(place):
            return None, 0
        if doses and not packs:
            return Quantity(number, of="units"), 1 + doses
        return Quantity(number), 1 + packs

    def _is_word_first(self, place: int) -> bool:
        """Some number words are verbs or articles more often ("do", "ek"): they count only before a unit."""
        text = (self._texts[place],)
        vocabulary = self._vocabulary
        return text in vocabulary.filler | vocabulary.confirm_filler | vocabulary.order

    # What nothing explains

    def _unknown_names(self) -> list[tuple[int, str]]:
        """Words in segments without a known name that are no language either, where a quantity or an order
        verb says that something is wanted."""
        vocabulary = self._vocabulary
        wants = contains_any(self._texts, vocabulary.order)
        unknown: list[tuple[int, str]] = []
        for segment in sorted(set(self._segments)):
            places = [place for place, own in enumerate(self._segments) if own == segment]
            if any(place in self._used for place in places):
                continue
            strange = [
                place
                for place in places
                if self._texts[place] not in vocabulary.words
                and not self._texts[place].replace(".", "").isdigit()
                and len(self._texts[place]) >= 3
            ]
            has_number = any(self._quantity_at(place)[0] is not None for place in places)
            if strange and (wants or has_number):
                unknown.append((strange[0], " ".join(self._texts[place] for place in strange)))
        return unknown


def _strength_numbers(candidate: Candidate) -> set[str]:
    """The numbers by which people tell a product's strength: those printed, and their sum for combinations
    sold under it (500 mg + 125 mg is "625")."""
    numbers = [
        part for part in candidate.strength.replace("/", " ").split() if part.replace(".", "", 1).isdigit()
    ]
    said = set(numbers)
    said.update(part for part in candidate.product_name.split() if part.isdigit())
    if len(numbers) > 1 and all(number.isdigit() for number in numbers):
        said.add(str(sum(int(number) for number in numbers)))
    return said


def with_strength(mention: Mention, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that have the strength and form that were said."""
    fits = tuple(candidates)
    if mention.strength is not None:
        fits = tuple(candidate for candidate in fits if mention.strength in _strength_numbers(candidate))
    if mention.forms:
        fits = tuple(candidate for candidate in fits if candidate.form in mention.forms)
    return fits
