"""Text that people send: trimmed, bounded, and free of what PostgreSQL or a screen cannot show."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue

_LAYOUT = "\t\n\r"
_LONGEST_SEARCH = 200
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_CONTROLS_BUT_LAYOUT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"


@dataclass(frozen=True, slots=True)
class Shown:
    """Shows in JSON Schema a pattern that a validator keeps; `filled` when the text may not be blank."""

    pattern: str
    filled: str | None = None

    def __get_pydantic_json_schema__(
        self, core_schema: Any, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        needs_content = self.filled is not None and schema.get("minLength", 0) > 0
        return {**schema, "pattern": self.filled if needs_content else self.pattern}


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
    str,
    AfterValidator(without_control_characters),
    StringConstraints(strip_whitespace=True),
    Shown(
        rf"^[^{_CONTROLS_BUT_LAYOUT}]*$",
        filled=rf"^[^{_CONTROLS_BUT_LAYOUT}]*[^{_CONTROLS_BUT_LAYOUT}\s][^{_CONTROLS_BUT_LAYOUT}]*$",
    ),
]
"""Free text of one or more lines, trimmed. Add a `Field(max_length=...)` where it is used."""

CLEAN = Shown(rf"^[^{_CONTROLS_BUT_LAYOUT}]*$")
"""For text that is checked with `without_control_characters` and not trimmed, such as a password."""

Line = Annotated[
    str,
    AfterValidator(without_control_characters),
    AfterValidator(_on_one_line),
    StringConstraints(strip_whitespace=True),
    Shown(
        rf"^[^{_CONTROLS}]*$",
        filled=rf"^[^{_CONTROLS}]*[^{_CONTROLS}\s][^{_CONTROLS}]*$",
    ),
]
"""Text on one line, trimmed."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""An id shown to people, such as `PAT001`: opaque, safe in addresses and logs."""


def searchable(text: str | None) -> str | None:
    """What somebody looks for, on one line and without control characters, cut to the length of a long name.
    None when nothing is left."""
    shown = (" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in (text or "")[:_LONGEST_SEARCH])
    return "".join(shown).strip() or None


def readable(text: str) -> str:
    """Text that a program found somewhere, without what cannot be stored or shown: nothing is refused."""
    return "".join(
        character
        for character in text
        if character in _LAYOUT or unicodedata.category(character) not in ("Cc", "Cs")
    ).strip()
