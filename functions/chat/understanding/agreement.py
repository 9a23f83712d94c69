"""Yes and no. A confirmation is only an unmistakable one: what places an order is read most strictly."""

from __future__ import annotations

from collections.abc import Sequence

from functions.chat.context import TurnContext
from functions.chat.understanding.persons import names_other
from functions.chat.understanding.quantities import (
    counts,
)
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    consists_of,
    contains_any,
    without,
)
from functions.chat.understanding.words import Word


def confirms(words: Sequence[Word], context: TurnContext, vocabulary: Vocabulary) -> bool:
    """Whether the message agrees and names nothing, or nothing but all that is on the card."""
    texts = [word.text for word in words]
    exact = [span for span in context.spans if span.distance == 0]
    if not context.terms and not exact:
        return _is_confirmation(texts, vocabulary) or _confirms_with_a_wish(words, vocabulary)
    proposed = {item.product_id for item in context.proposed}
    places = {place for span in exact for place in range(span.first, span.first + span.length)}
    named = proposed & {span.product_id for span in exact}
    left = [text for place, text in enumerate(texts) if place not in places]
    is_all = bool(proposed) and named == proposed and not context.terms
    return is_all and _is_confirmation(left, vocabulary, strictly=True)


def _confirms_with_a_wish(words: Sequence[Word], vocabulary: Vocabulary) -> bool:
    """ "Yes, go ahead. Please deliver after 6": a yes, and how to bring it."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word.after_break:
            parts.append([])
        parts[-1].append(word.text)
    agreed = [part for part in parts if _is_confirmation(part, vocabulary, strictly=True)]
    wishes = [part for part in parts if part not in agreed]
    changes = (
        vocabulary.negation
        | vocabulary.negation_after
        | vocabulary.decline
        | vocabulary.question
        | vocabulary.interrogative
        | vocabulary.product_question
        | vocabulary.add
        | vocabulary.more
        | vocabulary.less
        | vocabulary.unsure
    )
    return bool(agreed) and all(
        contains_any(part, vocabulary.logistics)
        and not contains_any(part, changes)
        and not any(
            c.counted in ("packs", "units") for c in counts(part, range(len(part)), set(), vocabulary)
        )
        for part in wishes
    )


def _is_confirmation(texts: Sequence[str], vocabulary: Vocabulary, *, strictly: bool = False) -> bool:
    """Only an unmistakable one: every word agrees or is polite, at least one agrees, none objects."""
    texts = _without_courtesy(texts, vocabulary)
    said = counts(texts, range(len(texts)), set(), vocabulary)
    if any(count.counted != "nothing" for count in said) or contains_any(texts, vocabulary.negation):
        return False
    if names_other(texts, vocabulary):
        return False  # "yes, for my brother"
    beside = (vocabulary.confirm_filler, vocabulary.address, vocabulary.thanks)
    return (consists_of(texts, vocabulary.confirm, *beside) and contains_any(texts, vocabulary.confirm)) or (
        not strictly and _agrees_and_orders(texts, vocabulary)
    )


def _agrees_and_orders(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """ "Haan pata hai, bhej do": a yes and the order to send, and no word that makes it anything else."""
    other = (
        vocabulary.negation_after
        | vocabulary.objection
        | vocabulary.decline
        | vocabulary.question
        | vocabulary.interrogative
        | vocabulary.product_question
        | vocabulary.unsure
        | vocabulary.conditional
        | vocabulary.add
        | vocabulary.more
        | vocabulary.less
        | vocabulary.report
        | vocabulary.took_many
    )
    return (
        contains_any(texts, vocabulary.yes)
        and contains_any(texts, vocabulary.act | vocabulary.order)
        and not contains_any(texts, other)
        and not any(text in vocabulary.multipliers for text in texts)
    )


def _without_courtesy(texts: Sequence[str], vocabulary: Vocabulary) -> Sequence[str]:
    """ "No problem, go ahead" objects to nothing."""
    return without(texts, vocabulary.courtesy)


def refuses_first(words: Sequence[Word], context: TurnContext, vocabulary: Vocabulary) -> bool:
    """ "Nako, I still have some": a no, and then no other medicine and no number instead."""
    end = next((place for place, word in enumerate(words) if place and word.after_break), len(words))
    texts = [word.text for word in words]
    named = {span.product_id for span in context.spans if span.distance == 0}
    repeats_no = contains_any(texts[end:], vocabulary.decline)  # "no, I have dolo at home, don't want any"
    is_known = repeats_no and named <= {item.product_id for item in context.proposed}
    is_more = bool(named and not is_known) or bool(context.terms)
    counted = counts(texts[end:], range(len(texts) - end), set(), vocabulary)
    is_choosing = context.awaiting.get("kind") in ("choice", "quantity")
    says_more = is_more or is_choosing or any(count.counted != "nothing" for count in counted)
    return (
        end < len(words)
        and not says_more
        and is_refusal(texts[:end], vocabulary)
        and context.has_open_proposal
    )


def is_refusal(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    if list(texts) == ["n"]:
        return True
    beside = (vocabulary.confirm_filler, vocabulary.address, vocabulary.thanks)
    return consists_of(texts, vocabulary.decline, *beside) and contains_any(texts, vocabulary.decline)
