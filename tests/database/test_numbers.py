"""The numbers that people see never run out of digits."""

from __future__ import annotations

import re

import psycopg
import pytest

NUMBERED = [("patients", "patient_id", "PAT"), ("prescriptions", "prescription_id", "RX")]


@pytest.mark.parametrize(
    ("number", "digits"), [(1, "001"), (42, "042"), (999, "999"), (1000, "1000"), (10**9, f"{10**9}")]
)
@pytest.mark.parametrize(("table", "column", "prefix"), NUMBERED)
def test_a_number_has_three_digits_or_more(
    database: psycopg.Connection, table: str, column: str, prefix: str, number: int, digits: str
) -> None:
    row = database.execute(
        """
        select pg_get_expr(d.adbin, d.adrelid)
        from pg_attrdef as d join pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where d.adrelid = %s::regclass and a.attname = %s
        """,
        [f"public.{table}", column],
    ).fetchone()
    assert row
    default, sequences = re.subn(r"nextval\('[^']+'::regclass\)", f"{number}::bigint", row[0])
    assert sequences == 1

    assert database.execute(f"select {default}".encode()).fetchone() == (prefix + digits,)
