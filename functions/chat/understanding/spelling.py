"""From the words as they were written to the words of the vocabulary: script, sound, slips of the hand.

Nobody spells romanised Hindi or Marathi the same way twice, English comes in Devanagari too, and thumbs slip.
What the catalogue knows as a name is never respelt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz.distance import OSA

from functions.chat.understanding.sounds import skeleton, sound_of
from functions.chat.understanding.vocabulary import load_vocabulary
from functions.chat.understanding.words import Word, is_devanagari

_SHORTEST = 4
"""Letters. In a shorter word one sound is another word."""
_SHORTEST_SLIP = 6
_SHORTEST_BONES = 3
_FEWEST_CONSONANTS = 4
_VOWEL = re.compile("[aeiou]")
_DRAWN_OUT = re.compile(r"([aeiou])\1+")
_LONG = 9
"""Letters from which two slips leave a word recognisable."""


@dataclass(frozen=True, slots=True)
class _Index:
    by_sound: Mapping[str, tuple[str, ...]]
    by_skeleton: Mapping[str, tuple[str, ...]]
    by_letter: Mapping[str, tuple[str, ...]]
    """English words long enough to be recognised with a slip, by their first letter. In Hindi and Marathi one
    letter is another ending."""
    by_bones: Mapping[str, tuple[str, ...]]
    """Latin words by their letters without the vowels."""
    numbers: Mapping[str, int]


def expanded(words: Sequence[Word]) -> list[Word]:
    """With what people shorten written out, as the catalogue has it: "vit c" is vitamin C."""
    vocabulary = load_vocabulary()
    words = _with_figures(words)
    found: list[Word] = []
    for place, word in enumerate(words):
        after = found[-1].text if found else ""
        text = vocabulary.abbreviations.get(word.text)
        before_a_number = place + 1 < len(words) and words[place + 1].text.isdigit()
        if before_a_number or after in ("vitamin", "विटामिन", "व्हिटॅमिन"):  # "vitamin bee twelve", "एन ९५"
            text = vocabulary.letters.get(word.text, text)
        found.append(replace(word, text=text, written=word.text) if text else word)
    return found


def _with_figures(words: Sequence[Word]) -> list[Word]:
    """A letter and a number of two words, as a dictation says a name: "n ninety five" is N 95."""
    numbers, letters = load_vocabulary().numbers, load_vocabulary().letters
    found: list[Word] = []
    for word in words:
        tens = numbers.get(found[-1].text, 0) if found else 0
        unit = numbers.get(word.text, 0)
        is_letter = len(found) > 1 and (len(found[-2].text) == 1 or found[-2].text in letters)
        if is_letter and 20 <= tens <= 90 and tens % 10 == 0 and 0 < unit < 10 and not word.after_break:
            found[-1] = replace(found[-1], text=str(tens + unit), written=f"{found[-1].text} {word.text}")
        else:
            found.append(word)
    return found


def respelt(words: Sequence[Word], names: Collection[int] = ()) -> list[Word]:
    """The words as the vocabulary spells them; those at the places `names` stay, and what is unknown too."""
    index = _index()
    return [word if place in names else _respelt(word, index) for place, word in enumerate(words)]


def sounds_like_language(word: Word) -> bool:
    """Whether a word is one of the vocabulary, or by ear one in the same script: it is no misspelt name."""
    if word.text in load_vocabulary().words:
        return True
    heard = _by_ear(word.text, _index())
    return heard is not None and is_devanagari(heard) == is_devanagari(word.text)


def _respelt(word: Word, index: _Index) -> Word:
    text = word.text
    if text in load_vocabulary().shorthand:
        return replace(word, text=load_vocabulary().shorthand[text], written=text)
    if text in load_vocabulary().spelt or not text[0].isalpha():
        return word
    if (plain := _without_emphasis(text) or _without_length(text)) is not None:
        return replace(word, text=plain, written=text)
    found = (
        _by_ear(text, index)
        or _by_skeleton(text, index)
        or _by_slip(text, index)
        or _without_vowels(text, index)
        or _by_consonants(text, index)
    )
    return replace(word, text=found, written=text) if found else word


def _without_emphasis(text: str) -> str | None:
    """Marathi stresses a word by an ending: "एकच", "tevdhach"."""
    words = load_vocabulary().words
    stems = [text.removesuffix(ending) for ending in ("च", "ach", "ch", "ही") if text.endswith(ending)]
    return next((stem for stem in stems if stem in words), None)


def _without_length(text: str) -> str | None:
    """ "kaa", "koo", "naa": short words drawn out."""
    plain = _DRAWN_OUT.sub(r"\1", text)
    return plain if plain != text and plain in load_vocabulary().words else None


def _by_ear(text: str, index: _Index) -> str | None:
    if len(text) < _SHORTEST:
        return None
    return _nearest(text, index.by_sound.get(sound_of(text), ()), index)


def _by_skeleton(text: str, index: _Index) -> str | None:
    """Devanagari writes the vowels of an English word in many ways: "कैंसिल", "टॅबलेट"."""
    bones = skeleton(sound_of(text))
    if len(bones) < 3 or len(text) < _SHORTEST or not is_devanagari(text):
        return None
    fits = [known for known in index.by_skeleton.get(bones, ()) if not is_devanagari(known)]
    return _nearest(text, fits, index)


def _by_slip(text: str, index: _Index) -> str | None:
    if len(text) < _SHORTEST_SLIP or not text.isascii():
        return None
    slips = 2 if len(text) >= _LONG else 1
    fits = [
        known
        for known in index.by_letter.get(text[0], ())
        if abs(len(known) - len(text)) <= slips
        and OSA.distance(text, known, score_cutoff=slips) <= slips
        and known not in index.numbers
    ]
    return _nearest(text, fits, index)


def _without_vowels(text: str, index: _Index) -> str | None:
    """ "strps", "snd", "bhj": what thumbs leave of a word."""
    if len(text) < _SHORTEST_BONES or not text.isascii() or _VOWEL.search(text):
        return None
    return _nearest(text, index.by_bones.get(text, ()), index)


def _by_consonants(text: str, index: _Index) -> str | None:
    """ "tablt", "capsul": only vowels of an English word are missing or wrong."""
    consonants = _VOWEL.sub("", text)
    if len(consonants) < _FEWEST_CONSONANTS or not text.isascii():
        return None
    english = load_vocabulary().english
    fits = [
        known
        for known in index.by_bones.get(consonants, ())
        if known in english and abs(len(known) - len(text)) <= 1
    ]
    return _nearest(text, fits, index)


def _nearest(text: str, fits: Iterable[str], index: _Index) -> str | None:
    """The one that is written most alike; numbers that sound the same and are not are none of them."""
    sound = sound_of(text)
    found = sorted(
        fits, key=lambda known: (OSA.distance(text, known), OSA.distance(sound, sound_of(known)), known)
    )
    if len({index.numbers.get(known) for known in found}) > 1 and any(
        known in index.numbers for known in found
    ):
        return None
    return found[0] if found else None


@lru_cache(maxsize=1)
def _index() -> _Index:
    vocabulary = load_vocabulary()
    by_sound: dict[str, list[str]] = defaultdict(list)
    by_skeleton: dict[str, list[str]] = defaultdict(list)
    by_letter: dict[str, list[str]] = defaultdict(list)
    by_bones: dict[str, list[str]] = defaultdict(list)
    for known in sorted(vocabulary.words):
        if not known[0].isalpha() or len(known) < _SHORTEST:
            continue
        sound = sound_of(known)
        by_sound[sound].append(known)
        by_skeleton[skeleton(sound)].append(known)
        if known.isascii():
            by_bones[_VOWEL.sub("", known)].append(known)
        if known in vocabulary.english and len(known) >= _SHORTEST_SLIP:
            by_letter[known[0]].append(known)
    return _Index(
        by_sound={key: tuple(words) for key, words in by_sound.items()},
        by_skeleton={key: tuple(words) for key, words in by_skeleton.items()},
        by_letter={key: tuple(words) for key, words in by_letter.items()},
        by_bones={key: tuple(words) for key, words in by_bones.items()},
        numbers=vocabulary.numbers,
    )
