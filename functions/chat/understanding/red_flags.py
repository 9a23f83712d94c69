"""What stops a sale: signs of an emergency."""

from __future__ import annotations

from collections.abc import Sequence

from functions.chat.understanding.quantities import (
    counts,
)
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    contains_any,
    matches_any,
    starts_with_any,
    without,
)

_TOO_MANY_TABLETS = 8
"""More than anybody takes at once of anything sold here."""


def is_red_flag(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    texts = without(texts, vocabulary.idiom)
    if contains_any(texts, vocabulary.history):
        texts = [
            text
            for place, text in enumerate(texts)
            if not starts_with_any(texts, place, vocabulary.past_event)
        ]
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
