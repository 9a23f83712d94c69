"""What the database says of itself: its tables, their columns, and whose a row is."""

from __future__ import annotations

import psycopg

TABLES = """
    select c.relname from pg_catalog.pg_class as c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    order by c.relname
"""
COLUMNS = """
    select a.attname from pg_catalog.pg_attribute as a
    where a.attrelid = format('public.%%I', %(table)s::text)::regclass and a.attnum > 0 and not a.attisdropped
"""
PARENTS = """
    select
      p.relname,
      array(select a.attname from unnest(k.conkey) with ordinality as c (n, place)
        join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = c.n order by c.place),
      array(select a.attname from unnest(k.confkey) with ordinality as c (n, place)
        join pg_catalog.pg_attribute as a on a.attrelid = k.confrelid and a.attnum = c.n order by c.place)
    from pg_catalog.pg_constraint as k
    join pg_catalog.pg_class as p on p.oid = k.confrelid
    where k.conrelid = format('public.%%I', %(table)s::text)::regclass and k.contype = 'f'
      and p.relnamespace = 'public'::regnamespace and k.confrelid <> k.conrelid
    order by k.conname
"""


def tables(database: psycopg.Connection) -> list[str]:
    return [name for (name,) in database.execute(TABLES)]


def columns(database: psycopg.Connection, table: str) -> list[str]:
    return [name for (name,) in database.execute(COLUMNS, {"table": table})]


def owner(database: psycopg.Connection, table: str, alias: str = "t") -> str | None:
    """An SQL expression for the patient a row of the table belongs to: its own `patient_id`, or that of the
    row its foreign keys lead to. None when they lead to no patient.
    """
    if "patient_id" in columns(database, table):
        return f"{alias}.patient_id"
    for parent, here, there in database.execute(PARENTS, {"table": table}).fetchall():
        above = owner(database, parent, f"{alias}_{parent}")
        if above is not None:
            same = " and ".join(
                f"{alias}.{mine} = {alias}_{parent}.{theirs}"
                for mine, theirs in zip(here, there, strict=True)
            )
            return f"(select {above} from public.{parent} as {alias}_{parent} where {same})"
    return None
