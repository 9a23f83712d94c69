"""What an import did to one file's worth of data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Counts rows of a file; the rest of them were there already, unchanged."""

    subject: str
    rows: int
    added: int = 0
    changed: int = 0
    note: str = ""

    @property
    def wrote(self) -> bool:
        return bool(self.added or self.changed)

    def __str__(self) -> str:
        same = self.rows - self.added - self.changed
        counts = [(self.added, "added"), (self.changed, "changed"), (same, "unchanged")]
        text = ", ".join(f"{number:,} {word}" for number, word in counts if number)
        return f"{self.subject}: {text}{f' ({self.note})' if self.note else ''}"
