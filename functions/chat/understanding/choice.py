"""Which of the options that were offered is meant: by place, strength, price, name or what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.chat.context import TurnContext
from functions.chat.understanding.interpretation import Interpretation, Mention
from functions.chat.understanding.quantities import (
    LIKELY_PACKS,
    counts,
    number_at,
    quantity_of,
)
from functions.chat.understanding.sounds import skeleton, sound_of
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    contains_any,
    is_common,
    starts_with_any,
)
from functions.chat.understanding.words import Word


def offered_by_name(context: TurnContext) -> list[int] | None:
    """The offered options that the message names in full: none of them after "Pan-D?" "Pan 40". None without
    a full name.
    """
    offered = [option["product_id"] for option in context.awaiting.get("options", ())]
    named = [span for span in context.spans if span.kind in ("name", "alias") and span.distance <= 1]
    longest = max((span.length for span in named), default=0)
    meant = {span.product_id for span in named if span.length == longest}
    if longest < 2 or not meant:
        return None
    return [place for place, product_id in enumerate(offered) if product_id in meant]


def chosen_option(
    words: Sequence[Word], awaiting: Mapping[str, Any], vocabulary: Vocabulary
) -> Interpretation | None:
    """Which of the offered options is meant, and how much of it: "the second one, 2 strips". What is refused
    beside it ("no other, the 650") chooses nothing.
    """
    texts = [word.text for word in words]
    said = [
        count
        for count in counts(texts, range(len(texts)), set(), vocabulary)
        if count.counted in ("packs", "units")
    ]
    counted = {place for count in said for place in range(count.place, count.place + count.length)}
    left = [text for place, text in enumerate(texts) if place not in counted]
    if said and (choice := _choice(left, awaiting, vocabulary)) is not None:
        return Interpretation("choose", choice=choice, quantity=quantity_of(said))
    if (choice := _choice(texts, awaiting, vocabulary)) is not None:
        return Interpretation("choose", choice=choice)
    picked: set[int] = set()
    refused: set[int] = set()
    for part in _choosing_parts(words, vocabulary):
        is_refused = contains_any(part, vocabulary.negation | vocabulary.negation_after)
        plain = [
            text
            for text in part
            if not is_refused or (text,) not in vocabulary.negation_after | vocabulary.negation
        ]
        choice = _choice(plain, awaiting, vocabulary)
        if choice is not None:
            (refused if is_refused else picked).add(choice)
    other = set(range(len(awaiting.get("options", ())))) - refused
    if refused and len(other) == 1 and not picked - other:
        picked = other  # of two, not the one
    (choice,) = picked if len(picked) == 1 and not picked & refused else (None,)
    return Interpretation("choose", choice=choice) if choice is not None else None


def _choosing_parts(words: Sequence[Word], vocabulary: Vocabulary) -> list[list[str]]:
    """Cut at commas, behind what refuses ("500 nahi | 650 wali") and in front of "not"."""
    parts: list[list[str]] = [[]]
    texts = [word.text for word in words]
    for place, word in enumerate(words):
        if (
            word.after_break
            or word.text == "not"
            or (place and starts_with_any(texts, place - 1, vocabulary.negation_after) == 1)
        ):
            parts.append([])
        parts[-1].append(word.text)
    return [part for part in parts if part]


def named_choice(
    mentions: Sequence[Mention], symptoms: Sequence[Any], awaiting: Mapping[str, Any]
) -> Interpretation | None:
    """One of the offered options by any of its names."""
    if awaiting.get("kind") != "choice" or len(mentions) != 1 or symptoms:
        return None
    offered = [option["product_id"] for option in awaiting["options"]]
    meant = [place for place, product_id in enumerate(offered) if product_id in mentions[0].candidates]
    if len(meant) != 1:
        return None
    return Interpretation("choose", choice=meant[0], quantity=mentions[0].quantity)


def _choice(texts: Sequence[str], awaiting: Mapping[str, Any], vocabulary: Vocabulary) -> int | None:
    """Which offered option the message picks: its place, its strength or a word only its name has."""
    if awaiting.get("kind") != "choice":
        return None
    options: list[Mapping[str, Any]] = awaiting["options"]
    texts = _in_digits(texts, vocabulary)
    aside = vocabulary.filler | vocabulary.confirm | vocabulary.separator | vocabulary.order
    said = [text for text in texts if (text,) not in aside]
    said = [
        text for text in said if text not in ("one", "option", "number", "wala", "wali", "please")
    ] or said
    if not said or contains_any(texts, vocabulary.negation | vocabulary.negation_after):
        return None
    if (compared := _compared(texts, options, vocabulary)) is not None:
        return compared
    if len(said) == 1:
        place = vocabulary.ordinals.get(said[0])
        if place is not None and -1 <= place <= len(options):
            return len(options) - 1 if place == -1 else place - 1
    telling = [text for text in said if any(_is_heard_in(text, option["name_words"]) for option in options)]
    beside = [text for text in said if text not in telling]
    if telling and all(
        (text in vocabulary.words and not text.isdigit()) or is_common(text) for text in beside
    ):
        said = telling
    fits = [
        place
        for place, option in enumerate(options)
        if all(_is_heard_in(text, option["name_words"]) for text in said)
    ]
    if len(fits) == 1:
        return fits[0]
    if not fits and len(said) == 1 and said[0].isdigit() and 1 <= int(said[0]) <= len(options):
        return int(said[0]) - 1
    return None


def _compared(
    texts: Sequence[str], options: Sequence[Mapping[str, Any]], vocabulary: Vocabulary
) -> int | None:
    """ "The cheaper one", "kami power chi": the option at the end of the scale, when it is there alone."""

    def strength(option: Mapping[str, Any]) -> float:
        numbers = [word for word in str(option["strength"]).split() if word.replace(".", "", 1).isdigit()]
        return float(numbers[0]) if numbers else 0.0

    if contains_any(texts, vocabulary.cheapest):
        scale = [-float(option["price"]) for option in options]
    elif contains_any(texts, vocabulary.strongest):
        scale = [strength(option) for option in options]
    elif contains_any(texts, vocabulary.weakest):
        scale = [-strength(option) for option in options]
    else:
        return None
    return scale.index(max(scale)) if scale.count(max(scale)) == 1 else None


def _in_digits(texts: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    """ "paanch sau wali" as "500 wali"."""
    found: list[str] = []
    place = 0
    while place < len(texts):
        number = number_at(texts, place, vocabulary)
        is_strength = number is not None and (number.value or 0) > LIKELY_PACKS
        found.append(str(number.value) if number and is_strength else texts[place])
        place += number.length if number and is_strength else 1
    return found


def _is_heard_in(text: str, names: Sequence[str]) -> bool:
    """Whether one of the names is said, in whichever script."""
    if text in names:
        return True
    sound = sound_of(text)
    is_long = len(skeleton(sound)) >= 3
    return is_long and any(skeleton(sound) == skeleton(sound_of(name)) for name in names)
