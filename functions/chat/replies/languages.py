"""Which language an answer is given in."""

from __future__ import annotations

from functions.chat.state import Language
from functions.chat.understanding.words import is_devanagari


def reply_language(text: str, asked: Language, preferred: str) -> Language:
    """The language asked for, unless the script of the message says otherwise: Devanagari in, Devanagari out.

    Hindi and Marathi share the script; where English was asked for, the patient's own language decides.
    """
    if asked == "en" and is_devanagari(text):
        return "mr" if preferred == "mr" else "hi"
    return asked
