"""What a part of the benchmark reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Figure:
    """One measured value; `limit` is what it must not pass, `at_least` what it must reach."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: float | None = None
    tenth: float | None = None
    """The same with a tenth of the data."""

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

    @property
    def verdict(self) -> str:
        return "" if not self.expected else "met" if self.holds else "NOT MET"

    @property
    def growth(self) -> float | None:
        """How many times the value with a tenth of the data."""
        return None if not self.tenth else self.value / self.tenth


def with_tenths(full: Iterable[Figure], tenth: Sequence[Figure]) -> list[Figure]:
    """The figures, each beside the one of the same name with a tenth of the data, where there is one."""
    small = {figure.name: figure.value for figure in tenth}
    return [replace(figure, tenth=small.get(figure.name)) for figure in full]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies, such as 0.95."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
