"""Whether a message is about somebody else: for them nothing is sold without their own profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from functions.chat.understanding.reading import Reading
from functions.chat.understanding.vocabulary import (
    Vocabulary,
    contains_any,
    load_vocabulary,
    starts_with_any,
)

_CASES = ("sathi", "saathi", "साठी", "la", "ला", "chi", "chya", "na", "ना", "साठीच")
_PRONOUNS = frozenset({"he", "her", "him"})


def _stems(text: str) -> Iterator[tuple[str, bool]]:
    """A word, and without the ending of a case, if it has one: "brothers", "aajobansathi", "काकूंना". With it a
    person is spoken of.
    """
    yield text, False
    yield text.removesuffix("s"), False
    for ending in _CASES:
        if text.endswith(ending) and len(text) > len(ending) + 2:
            stem = text.removesuffix(ending)
            for oblique in ("", "n", "an", "chya", "च्या", "ं"):
                if stem.endswith(oblique):
                    yield stem.removesuffix(oblique), True


def names_other(texts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Somebody is spoken of. "Bhai, dolo bhej do" speaks to somebody, "bhai ko" of him."""
    foreign = sum(text in vocabulary.words and text not in vocabulary.english for text in texts)
    for place, text in enumerate(texts):
        if text in _PRONOUNS and foreign > 1:
            continue  # the Marathi "he" is "this", the Hindi "her" is "each"
        for stem, is_spoken_of in _stems(text):
            said = [*texts[:place], stem, *texts[place + 1 :]]
            length = starts_with_any(said, place, vocabulary.other_person)
            if not length or (stem != text and length > 1):
                continue
            end = place + length
            spoken_of = (
                is_spoken_of
                or (place > 0 and (texts[place - 1],) in vocabulary.possessive)
                or (end < len(texts) and (texts[end],) in vocabulary.case_after)
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
