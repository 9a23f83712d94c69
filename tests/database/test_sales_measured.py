"""How many orders and refusals there were since somebody last asked."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from tests.database.people import patient


def measured(database: psycopg.Connection) -> dict[str, Any]:
    row = database.execute("select public.measure_sales()").fetchone()
    assert row is not None
    sales: dict[str, Any] = row[0]
    return sales


def ago(database: psycopg.Connection, seconds: int, *codes: str) -> None:
    """An order placed so long ago, and a decision that refused something for each of these codes, twice."""
    anjali = patient(database, "patient", "anjali@example.com").patient_id
    database.execute(
        """
        insert into public.orders (order_id, patient_id, status, total, placed_at)
        values (%s, %s, 'processing', 10, now() - make_interval(secs => %s))
        """,
        [f"T{uuid4().hex}", anjali, seconds],
    )
    findings = [{"code": code, "severity": "block"} for code in codes] * 2 + [
        {"code": "age", "severity": "warn"}
    ]
    database.execute(
        """
        insert into public.decisions (trace_id, patient_id, kind, request, outcome, findings, decided_at)
        values (gen_random_uuid(), %s, 'order', '{}', 'refused', %s, now() - make_interval(secs => %s))
        """,
        [anjali, Jsonb(findings), seconds],
    )


def test_each_moment_is_counted_once_and_the_last_half_minute_later(database: psycopg.Connection) -> None:
    database.execute("update public.sales_measured set until = now() - interval '10 minutes'")
    before = measured(database)
    database.execute("update public.sales_measured set until = now() - interval '10 minutes'")
    ago(database, 60, "allergy", "interaction")
    ago(database, 45, "allergy")
    ago(database, 10, "out_of_stock")
    ago(database, 3600, "out_of_stock")

    sales = measured(database)

    assert sales["orders"] == before["orders"] + 2
    for code, number in (("allergy", 2), ("interaction", 1), ("out_of_stock", 0), ("age", 0)):
        assert sales["refusals"].get(code, 0) == before["refusals"].get(code, 0) + number
    assert measured(database) == {"orders": 0, "refusals": {}}


def test_what_was_imported_is_no_sale(database: psycopg.Connection) -> None:
    database.execute("update public.sales_measured set until = now() - interval '10 minutes'")
    before = measured(database)["orders"]
    database.execute("update public.sales_measured set until = now() - interval '10 minutes'")
    ago(database, 60)
    database.execute("update public.orders set placed_by = 'import' where order_id like 'T%'")

    assert measured(database)["orders"] == before
