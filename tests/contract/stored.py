"""Everything the database holds about one patient: what a refused request must leave as it was."""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import sql

from tests.running_stack import RunningStack

_TABLES: LiteralString = """
    select table_name from information_schema.columns
    where table_schema = 'public' and column_name = 'patient_id'
      and table_name <> 'notifications' -- a schedule sends them, whenever a minute is over
    order by table_name
"""
_ROWS: LiteralString = """
    select coalesce(string_agg(t::text, chr(10) order by t::text), '')
    from public.{} as t
    where patient_id = %s
"""


def stored_about(stack: RunningStack, patient_id: str) -> dict[str, str]:
    """The patient's rows of each table, as text."""
    with psycopg.connect(stack.database_url) as database:
        found = {}
        for (table,) in database.execute(_TABLES).fetchall():
            rows = database.execute(sql.SQL(_ROWS).format(sql.Identifier(table)), [patient_id]).fetchone()
            assert rows
            found[table] = rows[0]
        return found
