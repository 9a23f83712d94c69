"""Databases of a scratch stack with catalogues of any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from infra.local.settings import StackSettings
from tests.bench.chat.catalogue import make


@contextmanager
def catalogue_of(settings: StackSettings, size: int) -> Iterator[str]:
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
