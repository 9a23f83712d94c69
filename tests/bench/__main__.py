"""`make bench`: how fast the product is on this machine, as one table and as JSON.

Each part starts what it needs, on ports and data of its own. The exit code is 1 when a figure is not what it
must be.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.bench.measuring import Figure
from tests.bench.table import report, table

PARTS = {
    "placing": "tests.bench.placing.in_sql",
    "api": "tests.bench.placing.over_http",
    "chat": "tests.bench.chat.part",
    "search": "tests.bench.search",
    "refills": "tests.bench.refills",
    "outbox": "tests.bench.outbox",
    "cold_starts": "tests.bench.cold_starts",
}
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
    if not 0 < wanted.scale <= 1:
        parser.error("the scale is a share: more than 0, at most 1")

    measured: dict[str, list[Figure]] = {}
    failed: list[str] = []
    for part in wanted.parts or PARTS:
        measure: Callable[[float], list[Figure]] = importlib.import_module(PARTS[part]).measure
        print(f"{part} ...", flush=True)
        started = time.monotonic()
        try:
            measured[part] = measure(wanted.scale)
        except Exception:  # hours of other parts are not thrown away for one
            traceback.print_exc()
            failed.append(part)
        print(f"{part}: {time.monotonic() - started:.0f} s", flush=True)

    print("", *table(measured), sep="\n")
    wanted.json.parent.mkdir(parents=True, exist_ok=True)
    wanted.json.write_text(json.dumps(report(measured, wanted.scale), indent=1) + "\n")
    print(f"\nAs JSON: {wanted.json}")
    if failed:
        print(f"Not measured: {', '.join(failed)}", file=sys.stderr)
    return 0 if not failed and all(figure.holds for figures in measured.values() for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
