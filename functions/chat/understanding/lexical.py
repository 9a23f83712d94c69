"""The lexical interpreter: deterministic, offline, milliseconds.

A message is split into words; the database has said which runs of them are names; vocabularies say which
words are language. What remains is a small grammar: segments, quantities, and what the message is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.chat.context import TurnContext
from functions.chat.understanding.interpretation import Interpretation, Mention, Quantity
from functions.chat.understanding.quantities import counts, number_at, quantity_of
from functions.chat.understanding.reading import Reading
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    consists_of,
    contains_any,
    load_vocabulary,
    matches_any,
    starts_with_any,
)
from functions.chat.understanding.words import Word

_OLDEST = 120
_TOO_MANY_TABLETS = 8
"""More than anybody takes at once of anything sold here."""


def is_vocabulary(word: Word) -> bool:
    """Whether a word belongs to the language: the database never takes such a word for a misspelt name."""
    return word.text in load_vocabulary().words


def interpret(words: Sequence[Word], context: TurnContext) -> Interpretation:
    """What a message means. What could be dangerous or could place an order is looked at first and strictly;
    what is left over is never guessed at.
    """
    vocabulary = load_vocabulary()
    texts = [word.text for word in words]
    is_question = any(word.before_question_mark for word in words)

    if _is_red_flag(texts, vocabulary):
        return Interpretation("red_flag")
    if (answer := _profile_answer(words, context.awaiting, vocabulary)) is not None:
        return Interpretation("answer", profile=answer)
    if _is_confirmation(texts, vocabulary) and not is_question:
        return Interpretation("confirm")
    if _is_refusal(texts, vocabulary):
        return Interpretation("decline")
    if (
        quantity := _stated_quantity(texts, context.awaiting.get("kind") == "quantity", vocabulary)
    ) is not None:
        return Interpretation("choose", choice=0, quantity=quantity)
    if (choice := _choice(texts, context.awaiting, vocabulary)) is not None:
        return Interpretation("choose", choice=choice)
    if (chosen := _choice_with_quantity(texts, context.awaiting, vocabulary)) is not None:
        return chosen

    if contains_any(texts, vocabulary.track) or matches_any(texts, vocabulary.track_groups):
        return Interpretation("track")
    return _what_is_wanted(texts, Reading(words, context, vocabulary), context, is_question)


def _what_is_wanted(
    texts: Sequence[str], reading: Reading, context: TurnContext, is_question: bool
) -> Interpretation:
    vocabulary = load_vocabulary()
    mentions, symptoms, sure = reading.mentions(), reading.symptoms(), reading.explained()
    missing, removed = reading.missing(), reading.removed()
    orders = contains_any(texts, vocabulary.order)
    wants = bool(mentions or symptoms or missing) or orders
    if (wants or context.has_open_proposal) and _is_for_someone_else(texts, reading):
        return Interpretation("for_someone_else", mentions, confidence=sure)
    if contains_any(texts, vocabulary.product_question):
        return Interpretation("product_question", reading.named() or mentions, confidence=sure)
    if _asks_advice(texts) or (is_question and not orders and len(reading.named()) > 1):
        return Interpretation("question", reading.named(), confidence=sure)
    if is_question and mentions and not orders:
        return Interpretation("product_question", mentions, confidence=sure)
    if contains_any(texts, vocabulary.report) and not mentions:
        return Interpretation("report", confidence=sure)
    if context.has_open_proposal and (mentions or removed) and _is_edit(texts, mentions, removed, context):
        return Interpretation(
            "edit",
            mentions,
            removed=removed,
            is_addition=contains_any(texts, vocabulary.add | vocabulary.more),
            is_only=contains_any(texts, vocabulary.only),
            symptoms=symptoms,
            confidence=sure,
        )
    if mentions or symptoms or missing:
        return Interpretation("order", mentions, symptoms=symptoms, missing=missing, confidence=sure)
    if context.has_open_proposal and contains_any(texts, vocabulary.objection):
        return Interpretation("decline")
    if contains_any(texts, vocabulary.decline) and not orders:
        return Interpretation("decline")
    if contains_any(texts, vocabulary.refill):
        is_last_order = contains_any(texts, vocabulary.last_order)
        return Interpretation("refill", is_last_order=is_last_order, forms=reading.forms(), confidence=sure)
    is_asked_for_profile = context.awaiting.get("kind") == "profile"
    can_change = context.has_open_proposal and not is_question and not is_asked_for_profile
    if (quantity := _stated_quantity(texts, can_change, vocabulary)) is not None:
        return Interpretation(
            "change_quantity",
            quantity=quantity,
            is_addition=contains_any(texts, vocabulary.more),
            is_for_all=contains_any(texts, vocabulary.each),
        )
    if contains_any(texts, vocabulary.greeting):
        return Interpretation("greeting")
    return Interpretation("unclear", confidence=0.0)


def _is_for_someone_else(texts: Sequence[str], reading: Reading) -> bool:
    """A person is named, with or without a possessive s; "for me, not my mother" names one only to say no."""
    vocabulary = load_vocabulary()
    names_other = contains_any(texts, vocabulary.other_person) or any(
        (text.removesuffix("s"),) in vocabulary.other_person for text in texts
    )
    denies = contains_any(texts, vocabulary.negation | vocabulary.negation_after)
    said = " ".join(texts)
    for_them = any(f"for {word}" in said for word in ("my", "the", "her", "him"))
    is_for_self = contains_any(texts, vocabulary.for_self) and (denies or not for_them)
    is_for_self = is_for_self and "not for me" not in said
    return (names_other or reading.is_for_a_name()) and not is_for_self


def _asks_advice(texts: Sequence[str]) -> bool:
    vocabulary = load_vocabulary()
    return contains_any(texts, vocabulary.question) or matches_any(texts, vocabulary.question_groups)


def _is_edit(
    texts: Sequence[str], mentions: Sequence[Mention], removed: Sequence[Mention], context: TurnContext
) -> bool:
    """About the proposal on the table: something added, left out, or a new number for what is on it."""
    vocabulary = load_vocabulary()
    proposed = {item.product_id for item in context.proposed}
    if contains_any(texts, vocabulary.add | vocabulary.only):
        return True
    if any(proposed & set(mention.candidates) for mention in removed):
        return True
    return any(proposed & set(mention.candidates) for mention in mentions)


def spoken_digits(word: Word) -> str:
    """A word as it is looked up: "pan forty" is in the catalogue as "pan 40"."""
    number = load_vocabulary().numbers.get(word.text) if word.text.isascii() else None
    return str(number) if number is not None and not _is_word_first(word.text) else word.text


def _is_word_first(text: str) -> bool:
    vocabulary = load_vocabulary()
    return (text,) in vocabulary.filler | vocabulary.confirm_filler | vocabulary.order


def wants(words: Sequence[Word]) -> dict[str, bool]:
    """What else the context must hold for these words: the patient's own medicines, what the rules say."""
    vocabulary = load_vocabulary()
    texts = [word.text for word in words]
    return {
        "usual": contains_any(texts, vocabulary.refill),
        "advice": _asks_advice(texts) or any(word.before_question_mark for word in words),
    }


def _is_confirmation(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Only an unmistakable one: every word agrees or is polite, at least one agrees, none objects."""
    texts = _without_courtesy(texts, vocabulary)
    return (
        consists_of(texts, vocabulary.confirm, vocabulary.confirm_filler)
        and contains_any(texts, vocabulary.confirm)
        and not contains_any(texts, vocabulary.negation)
    )


def _without_courtesy(texts: Sequence[str], vocabulary: Vocabulary) -> Sequence[str]:
    """ "No problem, go ahead" objects to nothing."""
    length = starts_with_any(texts, 0, vocabulary.courtesy)
    return texts[length:]


def _is_refusal(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    return consists_of(texts, vocabulary.decline, vocabulary.confirm_filler) and contains_any(
        texts, vocabulary.decline
    )


def _is_red_flag(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    return (
        contains_any(texts, vocabulary.red_flag)
        or matches_any(texts, vocabulary.red_flag_groups)
        or _took_too_many(texts, vocabulary)
    )


def _took_too_many(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """ "I took 20 dolo tablets" is an overdose, whatever the tablets are."""
    if not contains_any(texts, vocabulary.took_many):
        return False
    taken = counts(texts, range(len(texts)), set(), vocabulary)
    return any(
        (count.value or 0) >= _TOO_MANY_TABLETS
        and (count.counted in ("units", "packs") or (count.counted == "bare" and (count.value or 0) < 100))
        for count in taken
    )


def _profile_answer(
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
        vocabulary.order | vocabulary.question | vocabulary.product_question | vocabulary.track
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
    return {field: _listed(words, vocabulary)}


def _stated_age(texts: Sequence[str], vocabulary: Vocabulary) -> dict[str, int | list[str]] | None:
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


def _listed(words: Sequence[Word], vocabulary: Vocabulary) -> list[str]:
    """ "i am allergic to penicillin, sulfa and dust" -> ["penicillin", "sulfa", "dust"]."""
    named: list[list[str]] = [[]]
    for word in words:
        if word.after_break or (word.text,) in vocabulary.separator:
            named.append([])
        if (word.text,) not in vocabulary.separator | vocabulary.filler | vocabulary.profile_word:
            named[-1].append(word.text)
    return [" ".join(texts) for texts in named if texts] or [" ".join(word.text for word in words)]


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


def _stated_quantity(texts: Sequence[str], is_expected: bool, vocabulary: Vocabulary) -> Quantity | None:
    """ "3", "make it two strips": a quantity and nothing that is about something else."""
    if not is_expected:
        return None
    found = counts(texts, range(len(texts)), set(), vocabulary)
    counted = {place for count in found for place in range(count.place, count.place + count.length)}
    if not found and texts and texts[0] in vocabulary.numbers:
        # "do kar do": the number word is a verb as well; in front of nothing but verbs it is the number.
        if consists_of(texts[1:], vocabulary.confirm_filler | vocabulary.change | vocabulary.pack_unit):
            return Quantity(vocabulary.numbers[texts[0]])
        return None
    beside = [text for place, text in enumerate(texts) if place not in counted]
    about_it = (
        vocabulary.filler
        | vocabulary.order
        | vocabulary.confirm_filler
        | vocabulary.change
        | vocabulary.only
        | vocabulary.more
        | vocabulary.each
        | vocabulary.separator
        | vocabulary.confirm
    )
    if beside and not consists_of(beside, about_it):
        return None
    return quantity_of(found)


def _choice_with_quantity(
    texts: Sequence[str], awaiting: Mapping[str, Any], vocabulary: Vocabulary
) -> Interpretation | None:
    """ "the second one, 2 strips": a choice beside a number with its unit."""
    said = [
        count
        for count in counts(texts, range(len(texts)), set(), vocabulary)
        if count.counted in ("packs", "units")
    ]
    counted = {place for count in said for place in range(count.place, count.place + count.length)}
    choice = _choice([text for place, text in enumerate(texts) if place not in counted], awaiting, vocabulary)
    if choice is None or not said:
        return None
    return Interpretation("choose", choice=choice, quantity=quantity_of(said))


def _choice(texts: Sequence[str], awaiting: Mapping[str, Any], vocabulary: Vocabulary) -> int | None:
    """Which offered option the message picks: its place, its strength or a word only its name has."""
    if awaiting.get("kind") != "choice":
        return None
    options: list[Mapping[str, Any]] = awaiting["options"]
    said = [
        text for text in texts if (text,) not in vocabulary.filler | vocabulary.confirm | vocabulary.separator
    ]
    said = [
        text for text in said if text not in ("one", "option", "number", "wala", "wali", "please")
    ] or said
    if not said or contains_any(texts, vocabulary.negation):
        return None
    if (compared := _compared(texts, options, vocabulary)) is not None:
        return compared
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
