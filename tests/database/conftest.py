"""A connection past every gateway, as the owner of the database; what a test does with it is undone."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.running_stack import RunningStack


@pytest.fixture
def database(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_url) as connection, connection.transaction(force_rollback=True):
        yield connection
