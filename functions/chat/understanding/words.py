"""Messages as words, in the form in which the database compares names.

`normalise` does what the SQL function `private.normalise_name` does; a test holds the two together.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_DECIMAL_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])")
_DOSING = re.compile(r"(?<![0-9-])([0-2])\s*-\s*([0-2])\s*-\s*([0-2])(?![0-9-])")
_RANGE = re.compile(r"(?<=[0-9])\s*[-–—]\s*(?=[0-9])")
_MINUS = re.compile(r"(?<![\w-])[-–—](?=[0-9])")
_BLOOD_PRESSURE = re.compile(
    r"(?<![0-9])(?:9[0-9]|1[0-9]{2}|2[0-2][0-9])\s*/\s*(?:[5-9][0-9]|1[0-3][0-9])(?![0-9])"
)
_LIST_NUMBER = re.compile(r"(?:^|(?<=[\s,;]))([0-9]{1,2})[.)]\s+")
_APOSTROPHE = re.compile(r"(?<=\w)['’‘`](?=\w)")
_SPOKEN_STOP = re.compile(r"\b(?:full stop|fullstop|comma)\b", re.IGNORECASE)
_DASH = re.compile(r"\s[-–—]+\s")
_STOP = re.compile(r"[,;\n•|]|[.:](?![0-9])")
_JOINT = re.compile(r"[+&/]")
_NOT_A_NAME = re.compile(r"[^a-z0-9.\u0900-\u097f]+|\.(?![0-9])|[\u0964\u0965]")
_LETTER_DIGIT = re.compile(r"(?<=[0-9])(?=[a-z\u0900-\u0965])|(?<=[a-z\u0900-\u0965])(?=[0-9])")
_QUESTION = re.compile(r"[?？]+")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_DEVANAGARI_DIGITS = str.maketrans("०१२३४५६७८९", "0123456789")
_CASE_ENDINGS = ("साठी", "च्या", "ची", "चे", "चा", "चं", "ला")
_OBLIQUE = re.compile(r"(?<!्य)ा$")
"""The ending a noun takes before them: "हृदया ची" of "हृदय"."""
_NUQTA = "\u093c"
_DOT_ABOVE = "\u0307"
"""What lower-casing leaves of a Turkish İ."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    after_break: bool = False
    """A comma, a full stop, a line end or a plus stands before it."""
    after_stop: bool = False
    """One that no name goes across: "metformin, glimepiride" are two, "calcium + vitamin d3" is one."""
    before_question_mark: bool = False
    written: str = ""
    """As it stands in the message, when `text` is the vocabulary's spelling of it."""

    @property
    def as_written(self) -> str:
        return self.written or self.text


def normalise(text: str) -> str:
    """Lower case, punctuation as space, letters and digits apart; Devanagari kept, its nuqta dropped."""
    folded = unicodedata.normalize("NFKC", text).lower()
    folded = folded.replace(_NUQTA, "").replace(_DOT_ABOVE, "")
    spaced = _LETTER_DIGIT.sub(" ", _NOT_A_NAME.sub(" ", folded))
    return " ".join(spaced.split())


def split(message: str) -> list[Word]:
    """The words of a message. Devanagari digits become ASCII, "1,000" one number, "2-3" a range and "-1" a
    number with a sign; the numbers of a list ("1. dolo 2. crocin") separate and count nothing.
    """
    text = _APOSTROPHE.sub("", unicodedata.normalize("NFKC", message)).translate(_DEVANAGARI_DIGITS)
    text = _without_list_numbers(_DECIMAL_COMMA.sub(".", _THOUSANDS.sub("", text)))
    text = _BLOOD_PRESSURE.sub(" ", text)
    text = _DOSING.sub(r"\1 \2 \3", text)  # "1-0-1": morning, noon, night
    text = _MINUS.sub(" minus ", _RANGE.sub(" to ", text))
    text = _DASH.sub(",", _SPOKEN_STOP.sub(",", text))
    words: list[Word] = []
    for part in _STOP.split(text):
        for place, piece in enumerate(_JOINT.split(part)):
            *questions, rest = _QUESTION.split(piece)
            for question in questions:
                words += _words_of(question, after=words, is_stop=place == 0, is_asked=True)
            words += _words_of(rest, after=words, is_stop=place == 0, is_asked=False)
    return words


def _without_case_ending(text: str) -> list[str]:
    """Marathi writes its postpositions onto the noun: "डोकेदुखीसाठी" is "डोकेदुखी साठी"."""
    for ending in _CASE_ENDINGS:
        if text.endswith(ending) and len(text) >= len(ending) + 2:
            return [_OBLIQUE.sub("", text.removesuffix(ending)), ending]
    return [text]


def _words_of(part: str, *, after: list[Word], is_stop: bool, is_asked: bool) -> list[Word]:
    texts = [piece for text in normalise(part).split() for piece in _without_case_ending(text)]
    last = len(texts) - 1
    return [
        Word(
            text,
            after_break=place == 0 and bool(after),
            after_stop=place == 0 and bool(after) and is_stop,
            before_question_mark=is_asked and place == last,
        )
        for place, text in enumerate(texts)
    ]


def _without_list_numbers(text: str) -> str:
    numbers = [int(number) for number in _LIST_NUMBER.findall(text)]
    is_list = len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1))
    return _LIST_NUMBER.sub("\n", text) if is_list else text


def is_devanagari(message: str) -> bool:
    return _DEVANAGARI.search(message) is not None
