"""What a word of everyday language sounds like, however it is spelt and in whichever script.

Romanised Hindi and Marathi have no spelling: "chahiye", "chaiye", "chahie" and "चाहिए" are one word. Names of
medicines are compared by the SQL function `private.sound_key`, which is stricter about vowels.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CONSONANTS = dict(
    zip(
        "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहळ",
        [
            "k",
            "k",
            "g",
            "g",
            "n",
            "C",
            "C",
            "j",
            "j",
            "n",
            "t",
            "t",
            "d",
            "d",
            "n",
            "t",
            "t",
            "d",
            "d",
            "n",
            "p",
            "f",
            "b",
            "b",
            "m",
            "y",
            "r",
            "l",
            "v",
            "s",
            "s",
            "s",
            "h",
            "l",
        ],
        strict=True,
    )
)
_VOWELS = dict(
    zip(
        "अआइईउऊऋएऐओऔऑऍॲािीुूृेैोौॉॅ",
        [
            "a",
            "a",
            "i",
            "i",
            "u",
            "u",
            "ri",
            "e",
            "e",
            "o",
            "o",
            "o",
            "e",
            "e",
            "a",
            "i",
            "i",
            "u",
            "u",
            "ri",
            "e",
            "e",
            "o",
            "o",
            "o",
            "e",
        ],
        strict=True,
    )
)
_NASAL = "\u0901\u0902"
_HALF = "\u094d"
_MATRA = re.compile("[\u093e-\u094c\u094d]")
_STEPS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"(.)\1{2,}", r"\1"),  # "yesss", "pleeease"
        (r"c+h+", "C"),
        (r"ck|q", "k"),
        (r"x", "ks"),
        (r"c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"ph", "f"),
        (r"sh", "s"),
        (r"(?<=[^aeiou])h|(?<=.)h$", ""),
        (r"w", "v"),
        (r"z", "j"),
        (r"ee|ii|ie|iye|iy", "i"),
        (r"oo|uu", "u"),
        (r"ai|ay|ey|ei|ae", "e"),
        (r"au|ou|ow", "o"),
        (r"(?<=.)y(?![aeiou])", "i"),
        (r"m(?=[pbf])", "n"),
        (r"(.)\1+", r"\1"),
    )
)


@lru_cache(maxsize=8192)
def sound_of(word: str) -> str:
    """Latin letters for what is heard of one word."""
    key = _in_latin(word)
    for pattern, sound in _STEPS:
        key = pattern.sub(sound, key)
    return key


def skeleton(sound: str) -> str:
    """A sound without the vowels that the scripts disagree on."""
    return re.sub("^[aei]", "a", sound[:1]) + re.sub("[aey]", "", sound[1:])


def _in_latin(word: str) -> str:
    letters: list[str] = []
    for place, letter in enumerate(word):
        if letter in _CONSONANTS:
            following = word[place + 1 : place + 2]
            letters.append(_CONSONANTS[letter] + ("" if not following or _MATRA.match(following) else "a"))
        elif letter in _NASAL:
            letters.append("n")
        elif letter != _HALF:
            letters.append(_VOWELS.get(letter, letter))
    return "".join(letters)


def bones(word: str) -> str:
    """The consonants that are heard of a word."""
    return re.sub("[aeiou]", "", sound_of(word))
