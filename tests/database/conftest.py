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
    """The empty shelf of a product of its own; a patient who may buy it, and an admin."""
    product_id = "TEST-SHELF"
    database.execute(
        """
        insert into public.products (
          product_id, product_name, active_ingredient, strength, form, pack_unit, units_per_pack, unit,
          package_size, price, prescription_required, schedule, category, manufacturer
        )
        values (
          %s, 'Bandage for this test', '-', '-', 'device', 'roll', 1, 'roll', '1 Roll', 40, false, 'OTC',
          'First Aid', 'Test'
        )
        """,
        [product_id],
    )
    return Shelf(
        database,
        patient=patient(database, "patient", "anjali@example.com"),
        staff=staff(database, "admin"),
        product_id=product_id,
    )
