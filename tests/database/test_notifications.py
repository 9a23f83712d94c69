"""Queueing what patients are told: once a key, with the transaction, and never at night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.errors import CheckViolation, ForeignKeyViolation

from tests.database.people import patient
from tests.running_stack import RunningStack

INDIA = ZoneInfo("Asia/Kolkata")
QUEUE = "select private.queue_notification(%s, %s, %s, %s, %s, %s)"


@pytest.fixture
def anjali(database: psycopg.Connection) -> str:
    patient_id = patient(database, "patient", "anjali@example.com").patient_id
    assert patient_id
    database.execute("delete from public.notifications where patient_id = %s", [patient_id])
    return patient_id


def queue(
    database: psycopg.Connection,
    patient_id: str,
    key: str,
    *,
    kind: str = "refill.due",
    not_before: datetime | None = None,
) -> object:
    row = database.execute(QUEUE, [patient_id, kind, "refill:1", "{}", key, not_before]).fetchone()
    assert row is not None
    return row[0]


def queued(database: psycopg.Connection, patient_id: str) -> list[tuple[str, datetime]]:
    """(status, when it may leave) of each notification of the patient."""
    return database.execute(
        """
        select n.status, e.available_at
        from public.notifications as n join public.outbox_events as e using (notification_id)
        where n.patient_id = %s and e.delivered_at is null order by n.created_at
        """,
        [patient_id],
    ).fetchall()


def test_the_same_key_is_queued_once_and_answers_with_the_first(
    database: psycopg.Connection, anjali: str
) -> None:
    first = queue(database, anjali, "refill:1:7")

    assert queue(database, anjali, "refill:1:7", kind="order.failed") == first
    assert len(queued(database, anjali)) == 1
    assert queue(database, anjali, "refill:1:3") != first
    assert len(queued(database, anjali)) == 2


def test_what_is_undone_tells_nobody(database: psycopg.Connection, anjali: str) -> None:
    with database.transaction(force_rollback=True):
        queue(database, anjali, "refill:1:7")

    assert queued(database, anjali) == []


def test_an_unknown_kind_and_arguments_that_are_no_object_are_refused(
    database: psycopg.Connection, anjali: str
) -> None:
    with pytest.raises(ForeignKeyViolation), database.transaction():
        queue(database, anjali, "k", kind="order.shiped")
    with pytest.raises(CheckViolation), database.transaction():
        database.execute(QUEUE, [anjali, "refill.due", "x", "[]", "k", None])


def test_nothing_leaves_before_its_time(database: psycopg.Connection, anjali: str) -> None:
    tomorrow_noon = datetime.combine(datetime.now(INDIA).date() + timedelta(days=1), time(12), INDIA)

    queue(database, anjali, "k", not_before=tomorrow_noon)

    assert queued(database, anjali) == [("queued", tomorrow_noon)]


@pytest.mark.parametrize(
    ("local", "leaves"),
    [
        ("2026-07-01T20:59:59", "2026-07-01T20:59:59"),
        ("2026-07-01T21:00:00", "2026-07-02T09:00:00"),
        ("2026-07-01T23:30:00", "2026-07-02T09:00:00"),
        ("2026-07-02T00:00:00", "2026-07-02T09:00:00"),
        ("2026-07-02T08:59:59", "2026-07-02T09:00:00"),
        ("2026-07-02T09:00:00", "2026-07-02T09:00:00"),
        ("2026-12-31T22:00:00", "2027-01-01T09:00:00"),
    ],
)
def test_the_night_is_quiet_in_india(
    database: psycopg.Connection, anjali: str, local: str, leaves: str
) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=INDIA)

    assert after_quiet_hours(database, anjali, at) == datetime.fromisoformat(leaves).replace(tzinfo=INDIA)


def after_quiet_hours(database: psycopg.Connection, patient_id: str, at: datetime) -> datetime:
    row = database.execute("select private.after_quiet_hours(%s, %s)", [patient_id, at]).fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


@pytest.fixture(scope="module")
def clocks(stack: RunningStack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.database_url) as connection, connection.transaction(force_rollback=True):
        yield connection


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ["Asia/Kolkata", "America/New_York", "Europe/London", "Pacific/Auckland", "Asia/Kathmandu", "UTC"]


@given(
    at=st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: NEW_YEAR + timedelta(minutes=minutes)),
    zone=st.sampled_from(ZONES),
    hours=st.tuples(st.integers(0, 23), st.integers(0, 23)),
)
def test_a_moment_outside_the_quiet_hours_stands_and_one_inside_moves_to_their_end(
    clocks: psycopg.Connection, at: datetime, zone: str, hours: tuple[int, int]
) -> None:
    quiet_from, quiet_until = time(hours[0]), time(hours[1])
    row = clocks.execute("select min(patient_id) from public.patients").fetchone()
    assert row is not None
    clocks.execute(
        """
        insert into public.notification_preferences (patient_id, time_zone, quiet_from, quiet_until)
        values (%s, %s, %s, %s)
        on conflict (patient_id) do update set time_zone = excluded.time_zone,
          quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until
        """,
        [row[0], zone, quiet_from, quiet_until],
    )

    leaves = after_quiet_hours(clocks, row[0], at)

    def quiet(moment: datetime) -> bool:
        local = moment.astimezone(ZoneInfo(zone)).time()
        if quiet_from <= quiet_until:
            return quiet_from <= local < quiet_until
        return local >= quiet_from or local < quiet_until

    if not quiet(at):
        assert leaves == at
    else:
        assert at < leaves <= at + timedelta(hours=25)
        assert not quiet(leaves)
        assert leaves.astimezone(ZoneInfo(zone)).time() >= quiet_until  # later only where a clock skips it
