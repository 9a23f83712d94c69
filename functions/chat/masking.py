"""What of a message may leave for a model or a trace: its words, never a person.

E-mail addresses, links, phone and other long numbers, the patient's own name, how somebody introduces
themselves and where they live are replaced. Names and places are told from medicines by the catalogue: a word
that fits one of its names stays.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from functions.chat.context import Span
from functions.chat.understanding.vocabulary import Phrases, load_vocabulary, starts_with_any
from functions.chat.understanding.words import normalise, split

_MARKER = re.compile(r"[<>\[\]{}]")
_PATTERNS = (
    ("[email]", re.compile(r"[^\s@]+\s?@\s?[^\s@]+")),
    ("[link]", re.compile(r"(?i)\b(?:https?://|www\.)\S+")),
    ("[number]", re.compile(r"\+?\(?\d(?:[\s().-]{0,2}\d){5,}")),
)
"""Six digits and more, however they are grouped: phones, PIN codes, identity and card numbers."""
_DEVANAGARI_DIGITS = str.maketrans("०१२३४५६७८९", "0123456789")
_CUT = re.compile(r"[,;\n|]|(?<!\d)\.(?=\s|$)")
_WORD = re.compile(r"\[\w+\]|[\w\u0900-\u097f.'’-]+")
_LONGEST_NAME = 4


def masked(message: str, spans: Sequence[Span], personal: Iterable[str] = ()) -> str:
    """The message without personal data. `spans` say which of its words fit names of the catalogue; the words
    of `personal`, such as the patient's name, go wherever they stand, in either script.
    """
    text = _MARKER.sub(" ", message.translate(_DEVANAGARI_DIGITS))
    for placeholder, pattern in _PATTERNS:
        text = pattern.sub(f" {placeholder} ", text)
    cuts = [0, *(match.end() for match in _CUT.finditer(text)), len(text)]
    parts = [_Part(text[start:end], _catalogue_words(message, spans)) for start, end in pairwise(cuts)]
    own = {word for known in personal for word in normalise(known).split() if len(word) > 1}
    is_beside_place = False
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        is_before_place = following is not None and following.is_place
        is_beside_place = part.hide_address(is_beside_place=is_beside_place or is_before_place)
        part.hide_name(own)
    return " ".join("".join(part.text() for part in parts).split())


class _Part:
    """The words between two commas, full stops or line ends."""

    def __init__(self, text: str, catalogue: set[str]) -> None:
        self._text = text
        self._catalogue = catalogue
        self._matches = list(_WORD.finditer(text))
        self._words = [match.group() for match in self._matches]
        self._texts = [normalise(word) for word in self._words]
        self._hidden: dict[int, str] = {}

    @property
    def is_place(self) -> bool:
        return any(starts_with_any([text], 0, _phrases("address")) for text in self._texts)

    def hide_address(self, *, is_beside_place: bool) -> bool:
        """In an address everything goes that is neither language nor a medicine, numbers too. Parts beside it
        are taken for more of it, unless they name a medicine or say nothing strange. Returns whether this one
        was.
        """
        names_medicine = any(piece in self._catalogue for text in self._texts for piece in text.split())
        strange = [place for place in range(len(self._words)) if self._is_strange(place)]
        if not self.is_place and not (is_beside_place and strange and not names_medicine):
            return False
        numbers = [place for place, text in enumerate(self._texts) if any(map(str.isdigit, text))]
        self._hidden |= dict.fromkeys([*strange, *numbers], "[address]")
        return True

    def hide_name(self, own: set[str]) -> None:
        """The patient's own name anywhere, and the strange words right behind an introduction."""
        for place, text in enumerate(self._texts):
            sounds = {_skeleton(word) for word in own}
            if own & set(text.split()) - self._catalogue or (
                self._is_strange(place) and _skeleton(text) in sounds
            ):
                self._hidden[place] = "[name]"
            length = starts_with_any(self._texts, place, _phrases("introduction"))
            for behind in range(place + length, place + length + _LONGEST_NAME) if length else ():
                if behind >= len(self._words) or not self._is_strange(behind):
                    break
                self._hidden[behind] = "[name]"

    def text(self) -> str:
        shown = self._text
        for place in sorted(self._hidden, reverse=True):
            match = self._matches[place]
            shown = shown[: match.start()] + self._hidden[place] + shown[match.end() :]
        return shown

    def _is_strange(self, place: int) -> bool:
        """No placeholder, no number, no word of the language and none of the catalogue."""
        known = self._catalogue | load_vocabulary().words
        is_placeholder = self._words[place].startswith("[")
        pieces = self._texts[place].split()
        return not is_placeholder and not all(piece in known or piece.isdigit() for piece in pieces)


def _catalogue_words(message: str, spans: Sequence[Span]) -> set[str]:
    words = [word.text for word in split(message)]
    # Only as it is spelt there: by ear a name of a person may be a medicine's.
    exact = [span for span in spans if span.distance == 0]
    return {text for span in exact for text in words[span.first : span.first + span.length]}


def _skeleton(word: str) -> str:
    """The consonants of a word, by which a name is the same in both scripts: "anjali" and "अंजली" are njl."""
    latin = "".join(
        letter if letter.isascii() else unicodedata.name(letter, "").replace("SIGN ANUSVARA", "N").split()[-1]
        for letter in word
        if letter.isascii() or unicodedata.category(letter) == "Lo" or letter == "\u0902"
    )
    consonants = re.sub(r"[^bcdfgjklmnpqrstvxz]", "", latin.lower().replace("w", "v"))
    return re.sub(r"(.)\1+", r"\1", consonants) or word


@lru_cache(maxsize=2)
def _phrases(key: str) -> Phrases:
    table = tomllib.loads(Path(__file__).with_name("personal_words.toml").read_text("utf-8"))
    return frozenset(tuple(normalise(phrase).split()) for phrase in table[key])
