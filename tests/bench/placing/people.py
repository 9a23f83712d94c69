"""A pharmacy with a crowd of patients, some of whom are about to buy something."""

from __future__ import annotations

from pathlib import Path

import psycopg

BUYERS = 6_000
"""At most; about three quarters of their carts may be sold to them."""

_HERE = Path(__file__).parent


def gather(connection: psycopg.Connection, patients: int) -> int:
    """Fill the seeded database with patients who have ten order lines each, and give some of them a cart.

    Needs autocommit. Returns how many carts there are, in `bench.turns`; `bench.order_verified()` places the
    next one.
    """
    crowd = (_HERE.parent / "crowd.sql").read_text()
    for statement in crowd.split(";\n\n"):
        connection.execute(statement.encode(), {"patients": patients} if "%(" in statement else None)
    connection.execute("select set_config('bench.buyers', %s, false)", [str(min(BUYERS, patients))])
    connection.execute((_HERE / "buyers.sql").read_bytes())
    connection.execute("vacuum analyze")
    row = connection.execute("select count(*) from bench.turns").fetchone()
    assert row is not None
    return int(row[0])
