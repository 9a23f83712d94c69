"""A connection past every gateway, as the owner of the database; what a test does with it is undone."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.database.people import patient, staff
from tests.database.shelf import Shelf
from tests.running_stack import RunningStack


@pytest.fixture
def database(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_url) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def shelf(database: psycopg.Connection) -> Shelf:
    """An empty shelf of bandages; a patient who may buy them, and an admin."""
    product_id = "MED032"
    database.execute("update public.product_batches set quantity = 0 where product_id = %s", [product_id])
    return Shelf(
        database,
        patient=patient(database, "patient", "anjali@example.com"),
        staff=staff(database, "admin"),
        product_id=product_id,
    )
