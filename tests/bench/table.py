"""The benchmark's table, and the same as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence

from tests.bench.measuring import Figure

Measured = Mapping[str, Sequence[Figure]]
"""The figures of each part."""

_WIDTHS = (11, 62, 12, 13, 8, 8, 12, 7)
_HEAD = ("part", "what", "value", "unit", "target", "", "at a tenth", "growth")


def table(measured: Measured) -> Iterator[str]:
    """A head and a line for each figure."""
    yield _line(_HEAD)
    for part, figures in measured.items():
        for figure in figures:
            yield _line(
                (
                    part,
                    figure.name,
                    f"{figure.value:,.2f}",
                    figure.unit,
                    figure.expected,
                    figure.verdict,
                    "" if figure.tenth is None else f"{figure.tenth:,.2f}",
                    "" if figure.growth is None else f"x {figure.growth:.2f}",
                )
            )


def report(measured: Measured, scale: float) -> dict[str, object]:
    return {
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load_average": [round(each, 1) for each in os.getloadavg()],
        },
        "scale": scale,
        "parts": {
            part: [
                {
                    "name": figure.name,
                    "value": round(figure.value, 4),
                    "unit": figure.unit,
                    "expected": figure.expected or None,
                    "holds": figure.holds,
                    "at_a_tenth": None if figure.tenth is None else round(figure.tenth, 4),
                    "growth": None if figure.growth is None else round(figure.growth, 3),
                }
                for figure in figures
            ]
            for part, figures in measured.items()
        },
    }


def _line(cells: Sequence[str]) -> str:
    right = {2, 6, 7}
    padded = (
        cell.rjust(width) if place in right else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    )
    return " ".join(padded).rstrip()
