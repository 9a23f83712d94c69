"""Which language an answer is given in."""

from __future__ import annotations

from functions.chat.state import Language
from functions.chat.understanding.vocabulary import load_vocabulary
from functions.chat.understanding.words import is_devanagari, split


def reply_language(text: str, asked: Language, preferred: str) -> Language:
    """The language asked for, unless the script of the message says otherwise: Devanagari in, Devanagari out.

    Hindi and Marathi share the script; where English was asked for, the words tell them apart, and where they
    do not, the patient's own language decides.
    """
    if asked != "en" or not is_devanagari(text):
        return asked
    vocabulary = load_vocabulary()
    words = {word.text for word in split(text)}
    hindi, marathi = len(words & vocabulary.hindi), len(words & vocabulary.marathi)
    if hindi == marathi:
        return "mr" if preferred == "mr" else "hi"
    return "mr" if marathi > hindi else "hi"
