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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
import psycopg
from psycopg import sql

from infra.local.reset import delete_data
from infra.local.settings import PROJECT, Keys, Port, StackError, StackSettings
from infra.local.stack import Stack
from infra.local.supabase import start_supabase, write_project
from tests.bench.chat.catalogue import make
from tests.bench.chat.measuring import Sample, in_sql, measure, through_postgrest
from tests.bench.chat.work import Work, server_of

REPORT = PROJECT / ".local" / "bench-chat.json"
SIZES = (110, 2_500, 250_000)
TARGET = {"p50": 30.0, "p95": 80.0}
"""Milliseconds of a whole turn; a catalogue larger than the seed's may take twice as long."""


def main() -> int:
    options = _options()
    os.environ["RATE_LIMITS"] = "off"
    settings = _settings()
    figures = []
    try:
        delete_data(settings)
        with Stack(settings, until="seed") as stack:
            for size in options.sizes:
                with _database(settings, size) as url:
                    figures.append(_measured(settings, stack.keys, url, size, options.rounds))
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


def _settings() -> StackSettings:
    def port(variable: str, default: int) -> Port:
        return Port(int(os.environ.get(variable, default)), variable)

    return StackSettings(
        data_dir=PROJECT / ".local" / "bench",
        api=port("NEXUS_BENCH_API_PORT", 17000),
        lambda_api=port("NEXUS_BENCH_LAMBDA_PORT", 17002),
        supabase=port("NEXUS_BENCH_SUPABASE_PORT", 17421),
        postgres=port("NEXUS_BENCH_POSTGRES_PORT", 17422),
        sqs=port("NEXUS_BENCH_SQS_PORT", 17424),
        external_database_url=None,
        durable=False,
    )


@contextmanager
def _database(settings: StackSettings, size: int) -> Iterator[str]:
    """The address of a copy of the seeded database with a catalogue of this size; dropped in the end."""
    name = sql.Identifier(f"bench_{size}")
    server = settings.database_url.removesuffix("/postgres")
    with psycopg.connect(f"{server}/template1", autocommit=True) as admin:
        # A database can be copied only while nobody uses it; the gateway to it connects again by itself.
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres'")
        admin.execute(sql.SQL("create database {} template postgres").format(name))
        url = f"{server}/bench_{size}"
        try:
            with psycopg.connect(url) as database:
                (seeds,) = database.execute("select count(*) from public.products").fetchone() or (0,)
                make(database, max(size - seeds, 0))
            yield url
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(name))


def _measured(settings: StackSettings, keys: Keys, url: str, size: int, rounds: int) -> dict[str, Any]:
    own = replace(
        settings,
        data_dir=settings.data_dir / f"bench_{size}",
        supabase=Port(settings.supabase.number + 1, settings.supabase.variable),
        external_database_url=url,
    )
    with psycopg.connect(url, autocommit=True) as admin, psycopg.connect(url, autocommit=True) as direct:
        admin.execute("update public.rate_limits set enforced = false")
        gateway = start_supabase(own, keys, write_project(own))
        try:
            as_the_lambda = through_postgrest(own.supabase_url, keys.publishable, keys.jwt_secret)
            work = Work([psutil.Process(gateway.pid), server_of(admin)])
            whole, spent = measure(admin, as_the_lambda, rounds, work)
        finally:
            gateway.stop()
        in_database, _ = measure(admin, in_sql(direct), rounds)
    kinds = dict.fromkeys(sample.kind for sample in whole)
    return {
        "products": size,
        "turn": _spread([s.whole for s in whole]),
        "processor": round(spent, 1),
        "context": _spread([s.context for s in whole]),
        "context_sql": _spread([s.context for s in in_database]),
        "turn_sql": _spread([s.turn for s in in_database]),
        "kinds": {
            kind: {
                "turn": _spread([s.whole for s in whole if s.kind == kind]),
                "context_sql": _spread([s.context for s in in_database if s.kind == kind]),
                "turn_sql": _spread([s.turn for s in in_database if s.kind == kind]),
            }
            for kind in kinds
        },
        "slowest": _slowest(whole),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(values, n=20, method="inclusive")
    return {"p50": round(median(values), 1), "p95": round(cuts[18], 1)}


def _slowest(samples: Sequence[Sample]) -> dict[str, float]:
    """The ten messages that took longest in the median."""
    by_message: dict[str, list[float]] = {}
    for sample in samples:
        by_message.setdefault(sample.message, []).append(sample.whole)
    took = sorted(((median(values), message) for message, values in by_message.items()), reverse=True)
    return {message: round(value, 1) for value, message in took[:10]}


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
