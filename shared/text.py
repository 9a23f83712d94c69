"""Text that people send: trimmed, bounded, and free of what PostgreSQL or a screen cannot show."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_LAYOUT = "\t\n\r"
_LONGEST_SEARCH = 200


def without_control_characters(text: str) -> str:
    """Refuse NUL and other control characters (Cc) and lone surrogates (Cs); let layout through.

    Joiners and other format characters (Cf) stay: Devanagari and emoji need them.
    """
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in _LAYOUT:
            raise ValueError("must not contain control characters")
    return text


def _on_one_line(text: str) -> str:
    if any(character in _LAYOUT for character in text):
        raise ValueError("must be on one line")
    return text


Paragraph = Annotated[
    str, AfterValidator(without_control_characters), StringConstraints(strip_whitespace=True)
]
"""Free text of one or more lines, trimmed. Add a `Field(max_length=...)` where it is used."""

Line = Annotated[Paragraph, AfterValidator(_on_one_line)]
"""Text on one line, trimmed."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""An id shown to people, such as `PAT001`: opaque, safe in addresses and logs."""


def searchable(text: str | None) -> str | None:
    """What somebody looks for, on one line and without control characters, cut to the length of a long name.
    None when nothing is left."""
    shown = (" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in (text or "")[:_LONGEST_SEARCH])
    return "".join(shown).strip() or None
