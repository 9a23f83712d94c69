"""What is wrong with the files, collected so that all of it is reported at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

PRINTED = 50
_LONGEST_QUOTE = 60


class ImportRefused(Exception):
    """Stops the import before or instead of writing; the message is for the person who ran it."""


def quoted(value: str) -> str:
    """The value as a message shows it: in quotes, control characters visible, shortened when long."""
    if len(value) > _LONGEST_QUOTE:
        value = value[: _LONGEST_QUOTE - 1] + "…"
    return json.dumps(value, ensure_ascii=False)


@dataclass
class Problems:
    """Counts every problem and keeps the first ones: a file may be wrong in each of its 250,000 lines."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, file: str, line: int, message: str, column: str | None = None) -> None:
        """Note one problem; it reads `medicines.csv:17: price_inr: "abc" is not an amount`."""
        self.count += 1
        if len(self.first) < PRINTED:
            self.first.append(
                f"{file}:{line}: {column}: {message}" if column else f"{file}:{line}: {message}"
            )

    def raise_if_any(self) -> None:
        """Raises ImportRefused with the report when there is anything to report."""
        if not self.count:
            return
        lines = list(self.first)
        if self.count > len(lines):
            lines.append(f"and {self.count - len(lines):,} more")
        lines.append(f"{self.count:,} problem{'s' if self.count > 1 else ''}: nothing was written.")
        raise ImportRefused("\n".join(lines))
