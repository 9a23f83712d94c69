"""What a part of the benchmark reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value; `limit` is what it must not pass, `at_least` what it must reach."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        return (self.limit is None or self.value <= self.limit) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def expected(self) -> str:
        if self.limit is not None:
            return f"<= {self.limit:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""
