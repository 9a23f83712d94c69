"""What a patient reads, in one language. Apart from its making, which takes a cold start a while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What a patient reads. `title` and `line` may show on a locked screen and say nothing about health."""

    kind: str
    language: str
    title: str
    line: str
    details: str
    footer: str
    template: str
    """The sentence's name, for channels that keep the sentences themselves."""
    parameters: tuple[str, ...]
    """What that sentence is filled with, in order."""
