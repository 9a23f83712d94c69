"""Placing an order in SQL, with its full verification, beside the same rows written by hand.

The transaction written by hand (`by_hand.sql`) verifies nothing and runs no trigger; its tables are the same
in everything else. Both are one call, in turns, from the same connections; the rows they write are counted,
and must be as many in every table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psycopg

from infra.local.reset import delete_data
from infra.local.stack import Stack
from tests.bench.measuring import Figure, percentile, with_tenths
from tests.bench.placing.clients import Comparison, Way, compare, let
from tests.bench.placing.people import gather
from tests.bench.scratch import scratch_settings

PATIENTS = 100_000
"""With ten order lines each."""
LEAST = 0.33
"""The share of the hand-written transaction's speed that must be reached by 8 clients."""

_CLIENTS = (1, 8, 32)
_ROUNDS = 6
_VERIFIED, _BY_HAND = "select bench.order_verified()", "select bench.order_by_hand()"
_TABLES = (
    "orders",
    "order_items",
    "order_allocations",
    "stock_movements",
    "product_batches",
    "prescription_items",
    "prescription_uses",
    "dispense_register",
    "notifications",
    "outbox_events",
    "decisions",
    "idempotency_keys",
    "audit_log",
    "order_counter",
)


def measure(scale: float) -> list[Figure]:
    patients = max(10_000, round(PATIENTS * scale))
    return with_tenths(_measured(patients, _CLIENTS), _measured(patients // 10, (8,)))


def _measured(patients: int, clients: Sequence[int]) -> list[Figure]:
    with _pharmacy(patients) as url:
        return [figure for number in clients for figure in _figures(number, _compared(url, number))]


def _figures(clients: int, compared: Comparison) -> Iterator[Figure]:
    of = "1 client" if clients == 1 else f"{clients} clients"
    least = LEAST if clients == 8 else None
    yield Figure(f"{of}: verified orders for one written by hand", compared.ratio, "times", at_least=least)
    yield Figure(f"{of}: orders", compared.one.a_second, "a second")
    yield Figure(f"{of}: orders written by hand", compared.other.a_second, "a second")
    for share in (0.5, 0.95):
        took = 1000 * percentile(compared.one.each, share)
        yield Figure(f"{of}: an order, p{round(100 * share)}", took, "ms")


@contextmanager
def _pharmacy(patients: int) -> Iterator[str]:
    """The address of a database with so many patients, and with what is compared."""
    settings = scratch_settings()
    delete_data(settings)
    with Stack(settings, until="seed", report=lambda _: None):
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            carts = gather(connection, patients)
            connection.execute("select set_config('bench.tables', %s, false)", [" ".join(_TABLES)])
            connection.execute((Path(__file__).parent / "by_hand.sql").read_bytes())
            connection.execute("vacuum analyze")
            connection.execute("checkpoint")  # or it would write what was filled in while we measure
            _require_same_rows(connection)
        print(f"  {patients:,} patients with {10 * patients:,} order lines, {carts:,} carts", flush=True)
        yield settings.database_url
    delete_data(settings)


def _compared(url: str, clients: int) -> Comparison:
    with ExitStack() as opened:
        connections = [
            opened.enter_context(psycopg.connect(url, autocommit=True, prepare_threshold=0))
            for _ in range(clients)
        ]
        verified = [_calling(connection, _VERIFIED) for connection in connections]
        by_hand = [_calling(connection, _BY_HAND) for connection in connections]
        # Plans are made once a connection, and gateways keep theirs.
        for ways in (verified, by_hand):
            for client in ways:
                let([client], times=6)
        return compare(Way(verified), Way(by_hand), times=max(40, 10 * clients), rounds=_ROUNDS)


def _calling(connection: psycopg.Connection, statement: str) -> Callable[[], object]:
    return partial(connection.execute, statement.encode())


def _require_same_rows(connection: psycopg.Connection) -> None:
    """A transaction that writes less is no measure."""
    written = {}
    for schema, statement in (("public", _VERIFIED), ("by_hand", _BY_HAND)):
        connection.execute(
            "select setval('bench.next_turn', 1, false), setval('bench.next_by_hand', 1, false)"
        )
        with connection.transaction(force_rollback=True):
            before = _rows_written(connection, schema)
            for _ in range(20):
                connection.execute(statement.encode())
            connection.execute("set constraints all immediate")
            after = _rows_written(connection, schema)
        written[schema] = {
            table: tuple(b - a for a, b in zip(before.get(table, (0, 0, 0)), counts, strict=True))
            for table, counts in after.items()
            if counts != before.get(table)
        }
    connection.execute("select setval('bench.next_turn', 1, false)")
    if written["public"] != written["by_hand"]:
        raise SystemExit(f"The transaction written by hand writes other rows: {written}")


def _rows_written(connection: psycopg.Connection, schema: str) -> dict[str, tuple[int, int, int]]:
    """By this transaction, in each table: inserted, updated, deleted."""
    rows = connection.execute(
        "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_xact_all_tables where schemaname = %s",
        [schema],
    )
    return {name: (inserted, updated, deleted) for name, inserted, updated, deleted in rows}
