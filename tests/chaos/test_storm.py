"""A small storm, the same one each time; `make chaos` is the large one."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.chaos.accounting import account
from tests.chaos.storm import rage
from tests.integration.fulfilment import quiet_outbox
from tests.running_stack import RunningStack


def test_in_bad_weather_nothing_is_lost_and_nothing_is_twice(stack: RunningStack, tmp_path: Path) -> None:
    quiet_outbox(stack)

    storm, taken = rage(stack, 30, seed=7, books=tmp_path / "partner.sqlite3", seconds=150, say=print)

    with psycopg.connect(stack.database_url) as database:
        found = account(database, storm, taken)
    print(found.table())
    assert found.wrong == []
    assert found.counts["orders placed"] == 30
    assert storm.killed
    assert found.counts["attempts that failed"]
