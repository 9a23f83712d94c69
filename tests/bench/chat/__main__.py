"""`python -m tests.bench.chat`: how long a chat turn takes without a model, by the size of the catalogue.

Starts a Postgres of its own, makes a database of every size from the seeded one, and takes the turns of
`messages.py` in this process, as the Lambda would: once through PostgREST, once calling the SQL directly.
Prints medians and 95th percentiles in milliseconds, and the processor time of a turn in this process, the
gateway and Postgres together; writes them as JSON as well.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.local.reset import delete_data
from infra.local.settings import PROJECT, StackError
from infra.local.stack import Stack
from tests.bench.catalogues import catalogue_of
from tests.bench.chat.part import TARGET
from tests.bench.chat.sizes import measured
from tests.bench.scratch import scratch_settings

REPORT = PROJECT / ".local" / "bench-chat.json"
SIZES = (110, 2_500, 250_000)


def main() -> int:
    options = _options()
    os.environ["RATE_LIMITS"] = "off"
    settings = scratch_settings()
    figures = []
    try:
        delete_data(settings)
        with Stack(settings, until="seed") as stack:
            for size in options.sizes:
                with catalogue_of(settings, size) as url:
                    figures.append(measured(settings, stack.keys, url, size, options.rounds))
                print(_row(figures[-1]) if len(figures) > 1 else f"{_HEAD}\n{_row(figures[-1])}", flush=True)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("", _by_kind(figures), "", *map(_verdict, figures), sep="\n")
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chat", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="products (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often every turn is measured (default: 5)")
    parser.add_argument("--json", type=Path, default=REPORT, help="where the figures go")
    return parser.parse_args()


_HEAD = " ".join(
    f"{title:>15}"
    for title in ("ms, p50 / p95", "a turn", "chat_context", "its SQL", "chat_turn, SQL", "processor, mean")
)


def _row(figure: dict[str, Any]) -> str:
    columns = [_pair(figure[key]) for key in ("turn", "context", "context_sql", "turn_sql")]
    columns.append(f"{figure['processor']:.0f}")
    return " ".join(f"{column:>15}" for column in (f"{figure['products']:,}", *columns))


def _by_kind(figures: Sequence[dict[str, Any]]) -> str:
    head = f"{'a turn':>15} " + " ".join(f"{figure['products']:>15,}" for figure in figures)
    rows = (
        f"{kind:>15} " + " ".join(f"{_pair(f['kinds'][kind]['turn']):>15}" for f in figures)
        for kind in figures[0]["kinds"]
    )
    return "\n".join([head, *rows])


def _pair(spread: dict[str, float]) -> str:
    return f"{spread['p50']:.0f} / {spread['p95']:.0f}"


def _verdict(figure: dict[str, Any]) -> str:
    most = {key: value * (1 if figure["products"] <= SIZES[0] else 2) for key, value in TARGET.items()}
    is_met = all(figure["turn"][key] <= value for key, value in most.items())
    verdict = "met" if is_met else "MISSED"
    return f"{figure['products']:,} products: {_pair(figure['turn'])}, target {_pair(most)}: {verdict}"


if __name__ == "__main__":
    sys.exit(main())
