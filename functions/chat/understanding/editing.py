"""Changes of the proposal on the table: more, less, only, without, another number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from functions.chat.context import TurnContext
from functions.chat.understanding.interpretation import Mention, Quantity
from functions.chat.understanding.quantities import (
    counts,
    quantity_of,
    refused_counts,
)
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    consists_of,
    contains_any,
    load_vocabulary,
    starts_with_any,
)


def is_edit(
    texts: Sequence[str],
    spoken: Sequence[str],
    mentions: Sequence[Mention],
    removed: Sequence[Mention],
    context: TurnContext,
) -> bool:
    """About the proposal on the table: something added, left out, or a new number for what is on it."""
    vocabulary = load_vocabulary()
    proposed = {item.product_id for item in context.proposed}
    goes_on = bool(spoken) and (spoken[0],) in vocabulary.separator  # "and limcee"
    if goes_on or contains_any(texts, vocabulary.add) or is_only(spoken, mentions, vocabulary):
        return True
    if any(proposed & set(mention.candidates) for mention in removed):
        return True
    return any(proposed & set(mention.candidates) for mention in mentions)


def is_only(texts: Sequence[str], mentions: Sequence[Mention], vocabulary: Vocabulary) -> bool:
    """ "Only dolo" leaves the rest out; "dolo one, that is enough" is about dolo."""
    first = next((p for p in range(len(texts)) if starts_with_any(texts, p, vocabulary.only)), None)
    if first is None:
        return False
    said = [mention.said.split()[0] for mention in mentions]
    is_behind = any(name in texts[:first] for name in said)
    return not (is_behind and any(mention.quantity for mention in mentions))


def is_reduction(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """ "One less", "ek kam karo", "reduce by one"; "reduce to one" says what shall be left."""
    for count in counts(texts, range(len(texts)), set(), vocabulary):
        end = count.place + count.length
        before = texts[max(0, count.place - 1) : count.place]
        if starts_with_any(texts, end, vocabulary.less) or contains_any(before, vocabulary.less):
            return True
        if list(before) == ["by"] and contains_any(texts, vocabulary.less):
            return True
    return False


def stated_factor(texts: Sequence[str], vocabulary: Vocabulary) -> int | None:
    """ "double it": how many times what there is."""
    said = [vocabulary.multipliers[text] for text in texts if text in vocabulary.multipliers]
    return said[0] if len(said) == 1 else None


def skipped_line(texts: Sequence[str], context: TurnContext, vocabulary: Vocabulary) -> Mention | None:
    """ "Skip number 2", "doosra wala hata do": a line of the card that is not wanted."""
    refuses = vocabulary.negation | vocabulary.negation_after | vocabulary.objection | vocabulary.less
    if not context.has_open_proposal or not contains_any(texts, refuses) or len(context.proposed) < 2:
        return None
    places = [vocabulary.ordinals[text] for text in texts if text in vocabulary.ordinals]
    for before, text in pairwise(texts):
        if before in ("no", "number", "item", "line") and text.isdigit():
            places.append(int(text))
    if len(places) != 1 or not 1 <= places[0] <= len(context.proposed):
        return None
    product_id = context.proposed[places[0] - 1].product_id
    return Mention(context.products[product_id].product_name, (product_id,))


def stated_quantity(texts: Sequence[str], is_expected: bool, vocabulary: Vocabulary) -> Quantity | None:
    """ "3", "make it two strips": a quantity and nothing that is about something else."""
    if not is_expected:
        return None
    found = counts(texts, range(len(texts)), set(), vocabulary, alone=True)
    counted = {place for count in found for place in range(count.place, count.place + count.length)}
    refused = {
        place
        for count in refused_counts(texts, vocabulary)
        for place in range(count.place, count.place + count.length)
    }
    units = {
        p
        for p in range(1, len(texts))
        if texts[p - 1] == "not" and starts_with_any(texts, p, vocabulary.pack_unit)
    }  # "3 tablets, not strips"
    refused |= units | {place - 1 for place in units}
    beside = [text for place, text in enumerate(texts) if place not in counted | refused]
    about_it = (
        vocabulary.filler
        | vocabulary.order
        | vocabulary.confirm_filler
        | vocabulary.change
        | vocabulary.only
        | vocabulary.more
        | vocabulary.less
        | vocabulary.each
        | vocabulary.address
        | vocabulary.separator
        | vocabulary.confirm
        | vocabulary.correction
        | vocabulary.opening
        | vocabulary.but
        | vocabulary.thanks
        | vocabulary.pack_unit
        | vocabulary.dose_unit
    )
    if refused:
        about_it = about_it | vocabulary.negation_after | vocabulary.negation | vocabulary.decline
    if beside and not consists_of(beside, about_it):
        return None
    return quantity_of(found)
