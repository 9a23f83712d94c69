"""`make bench`: how fast the product is on this machine, as a table and as JSON.

Each part starts what it needs, on ports and data of its own. The exit code is 1 when a figure is not what it
must be.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench.measuring import Figure

PARTS = {"refills": "tests.bench.refills"}
"""Modules with `measure(scale) -> [Figure]`; `scale` is a share of the full size."""

PROJECT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which to run, of: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--scale", type=float, default=1, help="share of the full size (default: 1)")
    parser.add_argument("--json", type=Path, default=PROJECT / ".local" / "bench.json")
    wanted = parser.parse_args()
    if unknown := set(wanted.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")

    measured: dict[str, list[Figure]] = {}
    for part in wanted.parts or PARTS:
        measure: Callable[[float], list[Figure]] = importlib.import_module(PARTS[part]).measure
        measured[part] = measure(wanted.scale)
        print("\n".join(table(part, measured[part])), flush=True)

    wanted.json.parent.mkdir(parents=True, exist_ok=True)
    wanted.json.write_text(json.dumps(report(measured, wanted.scale), indent=1) + "\n")
    print(f"\nAs JSON: {wanted.json}")
    return 0 if all(figure.holds for figures in measured.values() for figure in figures) else 1


def table(part: str, figures: Iterable[Figure]) -> Iterable[str]:
    yield f"\n{part}"
    for figure in figures:
        verdict = "" if not figure.expected else "ok" if figure.holds else "NOT MET"
        yield (
            f"  {figure.name:<58} {figure.value:>12,.2f} {figure.unit:<14} {figure.expected:<10} {verdict}"
        ).rstrip()


def report(measured: dict[str, list[Figure]], scale: float) -> dict[str, object]:
    return {
        "machine": {"system": platform.platform(), "python": platform.python_version()},
        "scale": scale,
        "parts": {
            part: [
                {
                    "name": figure.name,
                    "value": round(figure.value, 4),
                    "unit": figure.unit,
                    "expected": figure.expected or None,
                    "holds": figure.holds,
                }
                for figure in figures
            ]
            for part, figures in measured.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main())
