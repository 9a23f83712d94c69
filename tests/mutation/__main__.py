"""`make mutants`: change what decides about medicines in small ways, and see whether a test notices.

Each mutant has one change. One that no test notices is printed; the exit code is 1 unless `explained.txt`
says of each why no test can.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_EXPLAINED = Path(__file__).parent / "explained.txt"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("kind", choices=("sql", "python"), nargs="?", default="sql")
    parser.add_argument("--sample", type=int, default=30, help="how many to try (default: 30); 0: all, hours")
    parser.add_argument("--seed", type=int, default=1, help="another seed takes other ones")
    parser.add_argument("--only", nargs="+", default=(), help="functions of the SQL, or modules")
    wanted = parser.parse_args()
    explained = read_explanations(_EXPLAINED.read_text())

    started, noticed, unexplained, known = time.monotonic(), 0, [], 0
    for name, survived in _tried(wanted.kind, wanted.sample or None, wanted.seed, wanted.only):
        if not survived:
            noticed += 1
        elif name in explained:
            known += 1
        else:
            unexplained.append(name)
            print(f"not noticed: {name}", flush=True)
    print(
        f"{noticed} noticed, {known} not noticed and explained, {len(unexplained)} not noticed; "
        f"{time.monotonic() - started:.0f} s"
    )
    return 1 if unexplained else 0


def _tried(kind: str, sample: int | None, seed: int, only: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    if kind == "python":
        from tests.mutation import python

        yield from python.survivors(sample, seed, only)
    else:
        from tests.mutation import sql

        for mutant, survived in sql.survivors(sample, seed, only):
            yield mutant.name, survived


def read_explanations(text: str) -> dict[str, str]:
    """Mutant -> why no test can notice it: the name is a line of its own, the reason is indented below."""
    reasons: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("    "):
            reasons[name] = f"{reasons[name]} {line.strip()}".strip()
        elif line and not line.startswith("#"):
            name = line
            reasons[name] = ""
    return reasons


if __name__ == "__main__":
    sys.exit(main())
