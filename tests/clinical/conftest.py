"""The clinic: a connection to the seeded database whose transaction is undone after each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from tests.clinical.clinic import Clinic


@pytest.fixture(scope="session")
def clinic_database(request: pytest.FixtureRequest) -> str:
    """The address of a seeded database: that of the test stack, or one that is up already."""
    url = os.environ.get("NEXUS_CLINICAL_DATABASE_URL")
    return url or str(request.getfixturevalue("stack").database_url)


@pytest.fixture
def clinic(clinic_database: str) -> Iterator[Clinic]:
    with psycopg.connect(clinic_database) as connection, connection.transaction(force_rollback=True):
        yield Clinic(connection)
