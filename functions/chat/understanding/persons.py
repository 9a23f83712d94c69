"""Whether a message is about somebody else: for them nothing is sold without their own profile."""

from __future__ import annotations

from collections.abc import Sequence

from functions.chat.understanding.reading import Reading
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    contains_any,
    load_vocabulary,
    starts_with_any,
)


def names_other(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Somebody is spoken of. "Bhai, dolo bhej do" speaks to somebody, "bhai ko" of him."""
    for place, text in enumerate(texts):
        for said in (texts, [*texts[:place], text.removesuffix("s"), *texts[place + 1 :]]):
            length = starts_with_any(said, place, vocabulary.other_person)
            if not length or (said is not texts and length > 1):
                continue
            end = place + length
            spoken_of = (place > 0 and (texts[place - 1],) in vocabulary.possessive) or (
                end < len(texts) and (texts[end],) in vocabulary.case_after
            )
            helps = starts_with_any(texts, end, vocabulary.bystander) > 0
            if not helps and (tuple(said[place:end]) not in vocabulary.address or spoken_of):
                return True
    return False


def is_for_someone_else(texts: Sequence[str], reading: Reading) -> bool:
    """A person is named, with or without a possessive s; "for me, not my mother" names one only to say no."""
    vocabulary = load_vocabulary()
    is_named = names_other(texts, vocabulary)
    denies = contains_any(texts, vocabulary.negation | vocabulary.negation_after)
    said = " ".join(texts)
    for_them = any(f"for {word}" in said for word in ("my", "the", "her", "him"))
    is_for_self = contains_any(texts, vocabulary.for_self) and (denies or not for_them)
    is_for_self = is_for_self and "not for me" not in said
    return (is_named or reading.is_for_a_name()) and not is_for_self
