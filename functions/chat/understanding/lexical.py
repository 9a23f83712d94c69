"""The lexical interpreter: deterministic, offline, milliseconds.

A message is split into words; the database has said which runs of them are names; vocabularies say which
words are language. What remains is a small grammar: segments, quantities, and what the message is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from functions.chat.context import TurnContext
from functions.chat.understanding.agreement import confirms, is_refusal, refuses_first
from functions.chat.understanding.choice import chosen_option, named_choice, offered_by_name
from functions.chat.understanding.editing import (
    is_edit,
    is_only,
    is_reduction,
    skipped_line,
    stated_factor,
    stated_quantity,
)
from functions.chat.understanding.interpretation import Interpretation, Mention
from functions.chat.understanding.persons import is_for_someone_else
from functions.chat.understanding.profile import Facts, profile_answer, stated_facts
from functions.chat.understanding.quantities import (
    is_verb_too,
)
from functions.chat.understanding.reading import Reading
from functions.chat.understanding.red_flags import is_red_flag
from functions.chat.understanding.spelling import respelt, sounds_like_language
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    contains_any,
    load_vocabulary,
    matches_any,
    starts_with_any,
    without,
)
from functions.chat.understanding.words import Word

_OPENING = 4
"""Words in which a question begins to be one: "ok so tell me what"."""


def is_vocabulary(word: Word) -> bool:
    """Whether a word belongs to the language: the database never takes such a word for a misspelt name."""
    return sounds_like_language(word)


def interpret(words: Sequence[Word], context: TurnContext) -> Interpretation:
    """What a message means. What could be dangerous or could place an order is looked at first and strictly;
    what is left over is never guessed at.
    """
    vocabulary = load_vocabulary()
    names = _names(context)
    words = respelt(words, names)
    texts = [word.text for word in words]
    is_question = any(word.before_question_mark for word in words)

    if is_red_flag(texts, vocabulary):
        return Interpretation("red_flag")
    asked = context.awaiting["field"] if context.awaiting.get("kind") == "profile" else None
    if facts := stated_facts(words, asked):
        wanted = _what_is_wanted(texts, Reading(words, context, vocabulary), context, is_question)
        return _with_facts(words, facts, wanted, is_asked=asked is not None)
    if (answer := profile_answer(words, context.awaiting, vocabulary)) is not None:
        return Interpretation("answer", profile=answer)
    if not is_question and confirms(words, context, vocabulary):
        return Interpretation("confirm")
    if is_refusal(texts, vocabulary) or refuses_first(words, context, vocabulary):
        return Interpretation("decline")
    if (
        quantity := stated_quantity(texts, context.awaiting.get("kind") == "quantity", vocabulary)
    ) is not None:
        return Interpretation("choose", choice=0, quantity=quantity)
    if len(context.awaiting.get("options", ())) == 1 and (
        (quantity := stated_quantity(texts, True, vocabulary)) is not None
    ):
        return Interpretation("choose", choice=0, quantity=quantity)
    if (
        context.awaiting.get("kind") == "choice"
        and offered_by_name(context) is None
        and (chosen := chosen_option(words, context.awaiting, vocabulary)) is not None
    ):
        return chosen

    if contains_any(texts, vocabulary.track) or matches_any(texts, vocabulary.track_groups):
        return Interpretation("track")
    return _what_is_wanted(texts, Reading(words, context, vocabulary), context, is_question)


def _with_facts(
    words: Sequence[Word], facts: Facts, wanted: Interpretation, *, is_asked: bool
) -> Interpretation:
    """What the patient tells of themselves beside what they want, or instead of it."""
    allergies = facts.get("allergies", [])
    told = {word for one in allergies for word in one.split()} if isinstance(allergies, list) else set()
    mentions = tuple(mention for mention in wanted.mentions if not set(mention.said.split()) <= told)
    if not mentions and not wanted.symptoms and wanted.intent in ("order", "edit"):
        return Interpretation("answer", profile=facts)  # "I am allergic to aspirin, note it"
    wanted = replace(wanted, mentions=mentions)
    if is_asked and not any(mention.candidates for mention in wanted.mentions):
        return Interpretation("answer", profile=facts)
    if wanted.intent in ("question", "product_question", "for_someone_else"):
        return wanted
    is_told = wanted.intent == "refill" and contains_any(
        [word.text for word in words], load_vocabulary().being
    )
    if wanted.intent in ("order", "edit", "refill") and not is_told:
        return replace(wanted, profile=facts)
    return Interpretation("answer", profile=facts)


def _names(context: TurnContext) -> set[int]:
    """The places of the words that the catalogue or the rules know by a name."""
    known = [(span.first, span.length) for span in context.spans]
    known += [(term.first, term.length) for term in context.terms]
    return {place for first, length in known for place in range(first, first + length)}


def _what_is_wanted(
    texts: Sequence[str], reading: Reading, context: TurnContext, is_question: bool
) -> Interpretation:
    vocabulary = load_vocabulary()
    spoken, texts = texts, reading.plain_texts()
    mentions, symptoms, sure = reading.mentions(), reading.symptoms(), reading.explained()
    missing, removed = reading.missing(), reading.removed()
    orders = contains_any(texts, vocabulary.order)
    wants = bool(mentions or symptoms or missing) or orders
    if (wants or context.has_open_proposal) and is_for_someone_else(texts, reading):
        return Interpretation("for_someone_else", mentions, confidence=sure)
    asks_facts = contains_any(texts, vocabulary.product_question - vocabulary.availability)
    if symptoms and not reading.named() and not asks_facts:
        return Interpretation("order", mentions, symptoms=symptoms, missing=missing, confidence=sure)
    if _asks_about_product(texts, mentions, vocabulary):
        return Interpretation("product_question", reading.named() or mentions, confidence=sure)
    if context.refills is not None and matches_any(texts, vocabulary.refills_due_groups):
        return Interpretation("refills_due", reading.named(), confidence=sure)
    counted = any(mention.quantity and mention.quantity.of == "packs" for mention in mentions)
    if counted and contains_any(texts, vocabulary.pack_unit) and not _asks_use(texts, vocabulary):
        orders = True  # "could 2 strips of it be arranged?"
        is_question = False
    asks_for = bool(mentions) and (orders or any(mention.quantity for mention in mentions))
    if _asks_advice(texts, orders=asks_for and not is_question) or (
        is_question and not orders and len(reading.named()) > 1
    ):
        return Interpretation("question", reading.named(), confidence=sure)
    if is_question and mentions and not orders:
        return Interpretation("product_question", mentions, confidence=sure)
    if contains_any(texts, vocabulary.report) and not mentions and not missing:
        return Interpretation("report", confidence=sure)
    if (
        context.has_open_proposal
        and (mentions or removed)
        and is_edit(texts, spoken, mentions, removed, context)
    ):
        return Interpretation(
            "edit",
            mentions,
            removed=removed,
            is_addition=contains_any(texts, vocabulary.add | vocabulary.more),
            is_reduction=is_reduction(texts, vocabulary),
            factor=stated_factor(texts, vocabulary),
            is_only=is_only(spoken, mentions, vocabulary),
            symptoms=symptoms,
            confidence=sure,
        )
    is_asked_for_profile = context.awaiting.get("kind") == "profile"
    can_change = context.has_open_proposal and not is_question and not is_asked_for_profile
    if (
        quantity := stated_quantity(texts, can_change and not any(m.candidates for m in mentions), vocabulary)
    ) is not None:
        return Interpretation(
            "change_quantity",
            quantity=quantity,
            is_addition=contains_any(texts, vocabulary.more),
            is_reduction=is_reduction(texts, vocabulary),
            is_for_all=contains_any(texts, vocabulary.each),
        )
    if (skipped := skipped_line(texts, context, vocabulary)) is not None:
        return Interpretation("edit", removed=(skipped,), confidence=sure)
    is_withdrawn = context.has_open_proposal and contains_any(
        texts, vocabulary.decline | vocabulary.objection
    )
    if is_withdrawn and not symptoms and not missing and not any(mention.candidates for mention in mentions):
        return Interpretation("decline")
    if (chosen := named_choice(mentions, symptoms, context.awaiting)) is not None:
        return chosen
    if mentions or symptoms or missing:
        if not reading.is_asked_for():
            mentions = tuple(replace(mention, is_unasked=not mention.is_refill) for mention in mentions)
        return Interpretation("order", mentions, symptoms=symptoms, missing=missing, confidence=sure)
    if context.has_open_proposal and contains_any(texts, vocabulary.objection):
        return Interpretation("decline")
    if (contains_any(texts, vocabulary.decline) and not orders) or (
        removed and not context.has_open_proposal
    ):
        return Interpretation("decline")
    if contains_any(texts, vocabulary.refill):
        is_last_order = contains_any(texts, vocabulary.last_order)
        return Interpretation("refill", is_last_order=is_last_order, forms=reading.forms(), confidence=sure)
    if can_change and (factor := stated_factor(texts, vocabulary)) is not None and reading.explained() == 1:
        return Interpretation("change_quantity", factor=factor, is_for_all=True)
    if context.topic and (quantity := stated_quantity(texts, True, vocabulary)) is not None:
        topic = Mention(context.products[context.topic].product_name, (context.topic,), quantity)
        return Interpretation("order", (topic,), confidence=sure)
    if contains_any(texts, vocabulary.greeting):
        return Interpretation("greeting")
    return Interpretation("unclear", confidence=0.0)


def _asks_about_product(texts: Sequence[str], mentions: Sequence[Mention], vocabulary: Vocabulary) -> bool:
    """Its price, composition or stock. "Is there crocin? Send one" asks for it."""
    compares = contains_any(texts, vocabulary.cheapest) and _asks_advice(texts)
    if any(mention.quantity for mention in mentions) or contains_any(texts, vocabulary.refill):
        return contains_any(texts, vocabulary.product_question - vocabulary.availability)
    if compares:
        return True
    return contains_any(texts, vocabulary.product_question | vocabulary.availability)


def _asks_use(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether it may be taken, and how."""
    return contains_any(without(texts, vocabulary.idiom), vocabulary.question)


def _asks_advice(texts: Sequence[str], *, orders: bool = False) -> bool:
    """Whether a question is asked. "Kya" asks unless something is ordered with it: then it only softens."""
    vocabulary = load_vocabulary()
    texts = without(texts, vocabulary.idiom)
    if contains_any(texts, vocabulary.question) or matches_any(texts, vocabulary.question_groups):
        return True
    # "What", "when" ask where a sentence starts; "kya" and "kay" also where it ends.
    asks = [place for place in range(len(texts)) if starts_with_any(texts, place, vocabulary.interrogative)]
    return not orders and any(
        place < _OPENING
        or not texts[place].isascii()
        or place == len(texts) - 1
        or texts[place] in ("kya", "kay")
        for place in asks
    )


def spoken_digits(word: Word) -> str:
    """A word as it is looked up: "pan forty" is in the catalogue as "pan 40"."""
    [heard] = respelt([word])
    number = load_vocabulary().numbers.get(heard.text)
    return str(number) if number is not None and not is_verb_too(heard.text, load_vocabulary()) else word.text


def spoken(words: Sequence[Word]) -> list[tuple[str, bool]]:
    """The words as they are looked up, each with whether it is language: the database takes none of those for
    a misspelt name. A name that is a word too ("pan") is one where it is counted or asked for.
    """
    texts = [word.text for word in respelt(words)]
    return [
        (spoken_digits(word), is_vocabulary(word) and not _stands_as_name(words, texts, place))
        for place, word in enumerate(words)
    ]


def _stands_as_name(words: Sequence[Word], texts: Sequence[str], place: int) -> bool:
    vocabulary = load_vocabulary()
    if (words[place].text,) not in vocabulary.name_too:
        return False
    before, after = texts[max(0, place - 1) : place], texts[place + 1 : place + 2]
    asks = vocabulary.order | vocabulary.pack_unit | vocabulary.separator | vocabulary.genitive
    leads = not before or words[place].after_break or contains_any(before, asks) or before[0].isdigit()
    counted = vocabulary.genitive | vocabulary.pack_unit | vocabulary.dose_unit | vocabulary.order
    ends = not after or words[place + 1].after_break
    return leads and (
        ends or after[0].isdigit() or contains_any(after, counted) or after[0] in vocabulary.numbers
    )


def wants(words: Sequence[Word]) -> dict[str, bool]:
    """What else the context must hold for these words: the patient's own medicines, what the rules say."""
    vocabulary = load_vocabulary()
    texts = [word.text for word in respelt(words)]
    return {
        "usual": contains_any(texts, vocabulary.refill),
        "refills": matches_any(texts, vocabulary.refills_due_groups),
        "advice": _asks_advice(texts) or any(word.before_question_mark for word in words),
    }
