"""Numbers in a message, and what each of them counts.

A number that is there but is no whole number of 1 to 9999 ("half", "1.5", "2-3", "0") is *unclear*: we ask,
and it never turns into a default.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from functions.chat.understanding.interpretation import Quantity
from functions.chat.understanding.vocabulary import Vocabulary, contains_any, starts_with_any

_MOST = 9999
_LONGEST = 4
"""Digits of a number that counts something; a longer one is a telephone, a pin code."""
LIKELY_PACKS = 30
"""A bare number is one of packs up to here; above, it is more likely a strength or an address."""
_DOZEN = 12
_LARGEST_DOSE = 4
"""Tablets at once; more is a number of something else."""
_HALF = frozenset({"half", "adha", "aadha", "आधा", "ardha", "अर्धा"})
_AFTER_A_VERB = frozenset(
    (word,) for word in ("it", "that", "this", "you", "not", "the", "i", "we", "please")
)
"""What follows the English "do"."""
_SCALES = (_DOZEN, 100, 1000)
_MONTH = 30

Counted = Literal["packs", "units", "days", "pieces", "bare", "strength", "nothing"]


@dataclass(frozen=True, slots=True)
class Number:
    """`length` words that are one number; `value` is None when it is unclear."""

    value: int | None
    length: int


@dataclass(frozen=True, slots=True)
class Count:
    """A number with what it counts, over `length` words from `place`."""

    place: int
    length: int
    value: int | None
    counted: Counted


def number_at(
    texts: Sequence[str], place: int, vocabulary: Vocabulary, strengths: Collection[str] = ()
) -> Number | None:
    """The number that starts at a word: "2", "2.0", "twenty two", "one hundred", "2 to 3", "half"."""
    if place >= len(texts) or _points(texts, place, vocabulary):
        return None
    if texts[place] in vocabulary.fractions and texts[place] not in _HALF:
        dozen = _plain_number(texts, place + 1, vocabulary)
        if dozen and dozen.value == _DOZEN:  # "dedh darjan"
            return Number(round(vocabulary.fractions[texts[place]] * _DOZEN), 1 + dozen.length)
    if (texts[place],) in vocabulary.unclear_number:
        article = 1 if place + 1 < len(texts) and texts[place + 1] == "a" else 0
        following = _plain_number(texts, place + 1 + article, vocabulary)
        if texts[place] in _HALF and following and following.value == _DOZEN:
            return Number(_DOZEN // 2, 1 + article + following.length)
        return Number(None, 1 + (following.length if following and not article else 0))
    first = _plain_number(texts, place, vocabulary, strengths)
    if first is None or str(first.value) in strengths:
        return first
    # "2 to 3", "2 or 3", "do teen": a range, however it is said.
    end = place + first.length
    joint = 1 if end < len(texts) and (texts[end],) in vocabulary.range_word else 0
    second = _plain_number(texts, end + joint, vocabulary)
    if second and not joint and texts[place] == texts[end] and not texts[place].isdigit():
        return Number(first.value, first.length + second.length)  # "ek ek": one of each
    if second and (joint or not (texts[place].isdigit() or texts[end].isdigit())):
        return Number(None, first.length + joint + second.length)
    return first


def _plain_number(
    texts: Sequence[str], place: int, vocabulary: Vocabulary, strengths: Collection[str] = ()
) -> Number | None:
    """Digits, or the number words from here on. They stop where a strength is complete: of a medicine of
    650 mg "six fifty two strips" is 650, and two strips.
    """
    if place >= len(texts):
        return None
    text = texts[place]
    if text in vocabulary.multipliers and starts_with_any(texts, place + 1, vocabulary.pack_unit):
        return Number(vocabulary.multipliers[text], 1)  # "a double strip"
    if text.replace(".", "", 1).isdigit() and text.isascii():
        units = vocabulary.pack_unit | vocabulary.dose_unit
        if len(text) > _LONGEST and not starts_with_any(texts, place + 1, units):
            return None
        whole = float(text).is_integer() and 0 < float(text) <= _MOST
        scale = vocabulary.numbers.get(texts[place + 1], 0) if place + 1 < len(texts) else 0
        if whole and scale in _SCALES:  # "1 dozen"
            return Number(int(float(text)) * scale, 2)
        return Number(int(float(text)) if whole else None, 1)
    if text not in vocabulary.numbers or _is_verb(texts, place, vocabulary):
        return None
    value, length = vocabulary.numbers[text], 1
    while (text := texts[place + length] if place + length < len(texts) else "") in vocabulary.numbers:
        following = vocabulary.numbers[text]
        if str(value) in strengths:
            break
        if following in _SCALES and value < following:
            value *= following
        elif (value % 100 == 0 and following < 100) or (
            value % 100 >= 20 and value % 10 == 0 and following < 10
        ):
            value += following
        elif length == 1 and value < 10 and 10 <= following < 100 and text in vocabulary.english:
            value = value * 100 + following  # spoken strengths: "six fifty"
        else:
            break
        length += 1
    return Number(value if value <= _MOST else None, length)


def _points(texts: Sequence[str], place: int, vocabulary: Vocabulary) -> bool:
    """ "All three", "that one", "too many": no number of anything."""
    before = texts[place - 1] if place > 0 else ""
    return (
        before == "all"
        or (texts[place] == "one" and (before,) in vocabulary.before_one)
        or (before == "the" and texts[place + 1 : place + 2] == ["of"])
        or (texts[place] == "many" and before in ("too", "so", "that"))
    )


def _is_verb(texts: Sequence[str], place: int, vocabulary: Vocabulary) -> bool:
    """The "do" of "bhej do" is no two."""
    if (texts[place],) in vocabulary.opening and place + 1 < len(texts):  # "bara, one then": well, one then
        after = texts[place + 1]
        is_language = after in vocabulary.words and not starts_with_any(
            texts, place + 1, vocabulary.pack_unit | vocabulary.dose_unit
        )
        if place == 0 or is_language:
            return place > 0 or not starts_with_any(texts, 1, vocabulary.pack_unit | vocabulary.dose_unit)
    if place == 0:
        return False
    return is_verb_too(texts[place], vocabulary) and (texts[place - 1],) in vocabulary.verb_stem


def is_verb_too(text: str, vocabulary: Vocabulary) -> bool:
    """Whether a number word is a verb or an article more often: "do", "ek", "one"."""
    return (text,) in (vocabulary.filler | vocabulary.confirm_filler | vocabulary.order | vocabulary.confirm)


def counts(
    texts: Sequence[str],
    places: Sequence[int],
    strengths: Collection[str],
    vocabulary: Vocabulary,
    *,
    alone: bool = False,
) -> list[Count]:
    """Every number among the places of one window, with what it counts, but for those that are refused
    beside another ("not five, three"). `strengths` are the numbers by which the strength of the medicine
    named there is told; `alone` says that the window is only about a number, so that "do" is two.
    """
    found = _all_counts(texts, places, strengths, vocabulary, alone=alone)
    refused = _refused(found, texts, vocabulary)
    return [count for count in found if count not in refused]


def refused_counts(texts: Sequence[str], vocabulary: Vocabulary) -> list[Count]:
    """The numbers that a message about a number refuses."""
    return _refused(_all_counts(texts, range(len(texts)), set(), vocabulary, alone=True), texts, vocabulary)


def _all_counts(
    texts: Sequence[str],
    places: Sequence[int],
    strengths: Collection[str],
    vocabulary: Vocabulary,
    *,
    alone: bool,
) -> list[Count]:
    found: list[Count] = []
    allowed = set(places)
    place = places[0] if places else 0
    while places and place <= places[-1]:
        count = _count_at(texts, place, strengths, vocabulary, alone=alone) if place in allowed else None
        if count:
            found.append(count)
        place += count.length if count else 1
    return found


def _refused(found: Sequence[Count], texts: Sequence[str], vocabulary: Vocabulary) -> list[Count]:
    """ "Not five, three", "paanch nahi teen", "two, no wait, three": all but the one that is meant."""
    refuses = vocabulary.negation_after | vocabulary.correction | vocabulary.decline
    refused: list[Count] = []
    for count, after in pairwise(found):
        between = texts[count.place + count.length : after.place]
        if list(between[-1:]) == ["not"]:
            refused.append(after)
        elif contains_any(between, refuses) or (count.place > 0 and texts[count.place - 1] == "not"):
            refused.append(count)
    refused += [
        count
        for count in found
        if count not in refused
        and contains_any(texts[max(0, count.place - 2) : count.place], vocabulary.mistake)
    ]
    if found and starts_with_any(texts, found[-1].place + found[-1].length, vocabulary.negation_after):
        refused.append(found[-1])  # "one is enough, two nako"
    return refused if len(refused) < len(found) else []


def _count_at(
    texts: Sequence[str], place: int, strengths: Collection[str], vocabulary: Vocabulary, *, alone: bool
) -> Count | None:
    number = number_at(texts, place, vocabulary, strengths)
    if number is None and texts[place].isdigit() and int(texts[place]) > _MOST:
        return Count(place, 1, None, "nothing")  # a pin code, a telephone
    if number is None:
        return _month_at(texts, place, vocabulary)
    end = place + number.length
    if length := starts_with_any(texts, end, vocabulary.strength_unit):
        return Count(place, number.length + length, number.value, "strength")
    after_first = vocabulary.durations.get(texts[place + 1]) if place + 1 < len(texts) else None
    if after_first is not None and texts[place] in vocabulary.fractions:  # "dedh mahina": 45 days
        return Count(place, 2, round(after_first * vocabulary.fractions[texts[place]]), "days")
    days = vocabulary.durations.get(texts[end]) if end < len(texts) else None
    if days is not None and starts_with_any(texts, end + 1, vocabulary.ago):
        return Count(place, number.length + 2, number.value, "nothing")  # "three weeks ago"
    if days is not None:
        return Count(place, number.length + 1, number.value and number.value * days, "days")
    if length := starts_with_any(texts, end, vocabulary.not_a_quantity):
        return Count(place, number.length + length, number.value, "nothing")
    if str(number.value) in strengths and (number.value or 0) > LIKELY_PACKS:
        return Count(place, number.length, number.value, "strength")  # "telma 80 strip"
    if length := starts_with_any(texts, end, vocabulary.piece):
        return Count(place, number.length + length, number.value, "pieces")
    if length := starts_with_any(texts, end, vocabulary.pack_unit):
        described = _pack_description(texts, end + length, vocabulary)
        return Count(place, number.length + length + described, number.value, "packs")
    if length := starts_with_any(texts, end, vocabulary.dose_unit):
        return Count(place, number.length + length, number.value, "units")
    if place > 0 and (texts[place - 1],) in vocabulary.before_a_number:
        return Count(place, number.length, number.value, "nothing")  # "flat 12", "age 45"
    if end < len(texts) and texts[end] in ("st", "nd", "rd", "th"):
        return Count(place, number.length + 1, number.value, "nothing")  # "3rd floor"
    if place > 0 and texts[place - 1] == "to" and (number.value or _MOST) > LIKELY_PACKS:
        return Count(place, number.length, number.value, "nothing")  # "to 302 Sai Heights"
    if _is_times(texts, place - 1) or _is_times(texts, end):
        return Count(place, number.length, number.value, "packs")  # "x 2", "2x"
    if str(number.value) in strengths or (texts[place] in strengths and number.length == 1):
        return Count(place, number.length, number.value, "strength")
    if place > 0 and (texts[place - 1],) in vocabulary.dose_unit:
        return Count(place, number.length, number.value, "units")  # "tab 20"
    if not texts[place].isascii() or not texts[place].replace(".", "").isdigit():
        # Some number words are verbs or articles more often ("do", "ek"): they count only before a unit.
        following = texts[end : end + 1]
        is_counted = contains_any(following, vocabulary.more | vocabulary.less | vocabulary.verb_stem)
        is_counted |= alone and tuple(following) not in _AFTER_A_VERB
        if number.length == 1 and not is_counted and is_verb_too(texts[place], vocabulary):
            return None
    return Count(place, number.length, number.value, "bare")


def _month_at(texts: Sequence[str], place: int, vocabulary: Vocabulary) -> Count | None:
    """ "for a month" is a number too; "last month" and "every month" are not."""
    days = vocabulary.durations.get(texts[place], 0)
    is_other = place > 0 and texts[place - 1] in ("last", "every", "next", "per", "this", "har", "pichle")
    return Count(place, 1, days, "days") if days >= _MONTH and not is_other else None


def _pack_description(texts: Sequence[str], place: int, vocabulary: Vocabulary) -> int:
    """The length of "of 15 tablets" after "2 strips": it describes the strip and counts nothing."""
    if place >= len(texts) or texts[place] != "of":
        return 0
    number = number_at(texts, place + 1, vocabulary)
    if number is None:
        return 0
    end = place + 1 + number.length
    if starts_with_any(texts, end, vocabulary.strength_unit):
        return 0
    return 1 + number.length + starts_with_any(texts, end, vocabulary.dose_unit)


def _is_times(texts: Sequence[str], place: int) -> bool:
    return 0 <= place < len(texts) and texts[place] == "x"


def quantity_of(found: Sequence[Count]) -> Quantity | None:
    """The quantity that the counts of one mention come to: packs before units before bare numbers. Two that
    disagree, or one that is no whole number, are unclear; no number at all is None."""
    kinds: tuple[Literal["packs", "units", "pieces", "days", "bare"], ...] = (
        "packs",
        "units",
        "pieces",
        "days",
        "bare",
    )
    for kind in kinds:
        values = {count.value for count in found if count.counted == kind}
        if not values:
            continue
        others = {count.value for count in found if count.counted == "bare"} if kind == "packs" else set()
        (value,) = values if len(values | others) == 1 else (None,)
        return Quantity(value, of="packs" if kind == "bare" else kind)
    return None


@dataclass(frozen=True, slots=True)
class Frequency:
    """`length` words from `place` that say how often a day something is taken."""

    place: int
    length: int
    doses_per_day: float
    units_per_dose: int = 1


def _dose_a_day(
    texts: Sequence[str], place: int, end: int, value: int, vocabulary: Vocabulary
) -> list[Frequency]:
    """ "one capsule daily", "रोज एक गोळी": so many units a day, not so many units."""
    for phrase, often in vocabulary.frequencies.items():
        if tuple(texts[end : end + len(phrase)]) == phrase:  # "two tablets twice a day"
            return [Frequency(place, end + len(phrase) - place, often, value)]
    number = number_at(texts, end, vocabulary)
    if (
        number
        and number.value
        and (times := starts_with_any(texts, end + number.length, vocabulary.times_a_day))
    ):
        return [Frequency(place, end + number.length + times - place, number.value, value)]
    if daily := starts_with_any(texts, end, vocabulary.daily):
        return [Frequency(place, end + daily - place, value)]
    for length in (1, 2, 3):  # "roz raat ko ek"
        if place >= length and tuple(texts[place - length : place]) in vocabulary.daily:
            return [Frequency(place, end - place, value)]
    return []


def _with_dose(texts: Sequence[str], often: Frequency, vocabulary: Vocabulary) -> Frequency:
    """ "Din mein do baar, ek ek": what stands right behind is the dose."""
    end = often.place + often.length
    number = number_at(texts, end, vocabulary)
    if number is None or not number.value or number.value > _LARGEST_DOSE or often.units_per_dose > 1:
        return often
    after = end + number.length
    if starts_with_any(texts, after, vocabulary.pack_unit) or (
        after < len(texts) and texts[after] in vocabulary.durations
    ):
        return often
    return Frequency(often.place, often.length + number.length, often.doses_per_day, number.value)


def frequencies(texts: Sequence[str], vocabulary: Vocabulary) -> list[Frequency]:
    """ "twice a day", "3 times daily", "bd", "1-0-1": where the message says how often."""
    found: list[Frequency] = []
    for place in range(len(texts)):
        fits = [
            Frequency(place, len(phrase), often)
            for phrase, often in vocabulary.frequencies.items()
            if tuple(texts[place : place + len(phrase)]) == phrase
        ]
        number = number_at(texts, place, vocabulary)
        if number and number.value:
            end = place + number.length
            if times := starts_with_any(texts, end, vocabulary.times_a_day):
                fits.append(Frequency(place, number.length + times, number.value))
            doses = starts_with_any(texts, end, vocabulary.dose_unit)
            fits += _dose_a_day(texts, place, end + doses, number.value, vocabulary)
        fits = [_with_dose(texts, often, vocabulary) for often in fits]
        if fits and (not found or place >= found[-1].place + found[-1].length):
            found.append(max(fits, key=lambda frequency: frequency.length))
    return found
