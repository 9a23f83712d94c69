"""The limits themselves: never more than allowed in any period, however many ask at once; nothing stays."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.people import acting_as, patient, staff
from tests.running_stack import RunningStack

MOST, PERIOD = 3, 10


@pytest.fixture
def limited(database: psycopg.Connection) -> psycopg.Connection:
    """A limit of three in ten seconds, beside those that are delivered, all of them enforced."""
    database.execute("update public.rate_limits set enforced = true")
    database.execute(
        "insert into public.rate_limits (kind, most, per_seconds) values ('for_this_test', %s, %s)",
        [MOST, PERIOD],
    )
    return database


def take(database: psycopg.Connection, identity: str = "somebody") -> int | None:
    """Count one; the seconds to wait when it was one too many."""
    try:
        with database.transaction():
            database.execute("select private.take_rate('for_this_test', %s)", [identity])
    except psycopg.DatabaseError as refusal:
        if refusal.diag.sqlstate != "PT429":
            raise
        return int(json.loads(refusal.diag.message_hint or "")["retry_after"])
    return None


def pass_time(database: psycopg.Connection, seconds: float) -> None:
    database.execute(
        """
        update public.rate_counters set
          taken_at = array(select t - make_interval(secs => %(s)s) from unnest(taken_at) as t),
          expires_at = expires_at - make_interval(secs => %(s)s)
        """,
        {"s": seconds},
    )


def counters(database: psycopg.Connection) -> int:
    row = database.execute("select count(*) from public.rate_counters").fetchone()
    assert row is not None
    return int(row[0])


def test_one_too_many_is_refused_with_the_seconds_to_wait(limited: psycopg.Connection) -> None:
    assert [take(limited) for _ in range(MOST)] == [None] * MOST

    assert take(limited) == PERIOD
    pass_time(limited, 4)
    assert take(limited) == PERIOD - 4


def test_waiting_as_long_as_was_said_is_enough(limited: psycopg.Connection) -> None:
    for _ in range(MOST):
        take(limited)
    wait = take(limited)
    assert wait is not None

    pass_time(limited, wait)

    assert take(limited) is None


def test_each_identity_has_its_own_count(limited: psycopg.Connection) -> None:
    for _ in range(MOST + 1):
        take(limited, "one")

    assert take(limited, "another") is None


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(min_value=0, max_value=PERIOD), max_size=25))
def test_no_period_whenever_it_begins_holds_more_than_its_limit(
    limited: psycopg.Connection, pauses: list[int]
) -> None:
    """Whole seconds that pass between the attempts; the statements take a little time of their own."""
    identity = secrets.token_hex(8)
    now, taken = 0, list[int]()
    for pause in pauses:
        pass_time(limited, pause)
        now += pause
        expected = sum(at > now - PERIOD for at in taken) < MOST
        assert (take(limited, identity) is None) == expected
        if expected:
            taken.append(now)


def test_a_lowered_limit_holds_at_once(limited: psycopg.Connection) -> None:
    for _ in range(MOST):
        take(limited)
    limited.execute("update public.rate_limits set most = 1 where kind = 'for_this_test'")
    pass_time(limited, PERIOD - 1)

    assert take(limited) == 1


def test_counters_that_ran_out_are_removed(limited: psycopg.Connection) -> None:
    limited.execute("delete from public.rate_counters")
    for number in range(120):
        take(limited, f"passer-by {number}")
    pass_time(limited, PERIOD + 1)

    take(limited, "one")
    take(limited, "another")

    assert counters(limited) == 2


def test_a_limit_that_nobody_knows_lets_nobody_through(limited: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.NoDataFound):
        limited.execute("select private.take_rate('unheard of', 'somebody')")


def test_switched_off_nothing_is_counted(limited: psycopg.Connection) -> None:
    limited.execute("delete from public.rate_counters")
    limited.execute("update public.rate_limits set enforced = false")

    assert [take(limited) for _ in range(MOST + 2)] == [None] * (MOST + 2)
    assert counters(limited) == 0


def test_the_limits_are_those_that_were_promised(limited: psycopg.Connection) -> None:
    promised = {"chat": (60, 60), "upload": (20, 3600)}

    kept = {
        kind: (most, seconds)
        for kind, most, seconds in limited.execute("select kind, most, per_seconds from public.rate_limits")
    }

    assert {kind: kept[kind] for kind in promised} == promised


def test_a_patient_counts_for_nobody_else(limited: psycopg.Connection) -> None:
    anjali = patient(limited, "patient A", "anjali@example.com")
    rahul = patient(limited, "patient B", "rahul@example.com")
    pharmacist = staff(limited, "pharmacist")

    with pytest.raises(psycopg.Error, match="forbidden"), acting_as(limited, anjali):
        limited.execute("select public.take_rate('upload', %s)", [rahul.patient_id])
    with acting_as(limited, pharmacist):
        limited.execute("select public.take_rate('upload', %s)", [rahul.patient_id])
    with pytest.raises(psycopg.Error, match="unknown_limit"), acting_as(limited, anjali):
        limited.execute("select public.take_rate('sign_in_account')")

    identities = limited.execute("select identity from public.rate_counters where kind = 'upload'").fetchall()
    assert identities == [(rahul.patient_id,)]


@pytest.fixture
def committed_limit(stack: RunningStack) -> Iterator[str]:
    """A limit that several connections see."""
    kind = f"test_{secrets.token_hex(4)}"
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute("insert into public.rate_limits values (%s, %s, %s)", [kind, MOST, 60])
        yield kind
        database.execute("delete from public.rate_limits where kind = %s", [kind])


def test_a_crowd_at_once_gets_exactly_what_is_allowed(stack: RunningStack, committed_limit: str) -> None:
    def attempt(_: int) -> bool:
        with psycopg.connect(stack.database_url, autocommit=True) as database:
            try:
                database.execute("select private.take_rate(%s, 'somebody')", [committed_limit])
            except psycopg.DatabaseError as refusal:
                if refusal.diag.sqlstate != "PT429":
                    raise
                return False
        return True

    with ThreadPoolExecutor(10) as crowd:
        let_through = sum(crowd.map(attempt, range(20)))

    assert let_through == MOST
