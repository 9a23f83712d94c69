"""What is not needed any more is forgotten after its period, no sooner, and in bounded steps."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.database.people import GUEST, acting_as, patient
from tests.database.test_access import Cast, cast  # noqa: F401 - the fixture with a row in every table

Json = dict[str, Any]

AGES = {
    "conversations": "update public.conversations set last_turn_at = now() - %s::interval",
    "unfinished_uploads": """
        with untied as (update public.prescriptions set file_path = null)
        update public.prescription_uploads
        set prescription_id = null, expires_at = now() - %s::interval
    """,
    "notifications": """
        update public.notifications
        set status = case when sent_at is null then 'unwanted' else status end,
          created_at = now() - %s::interval
    """,
    "webhook_bodies": """
        update public.webhook_events set outcome = 'applied', received_at = now() - %s::interval
    """,
    "rate_counters": "update public.rate_counters set expires_at = now() - %s::interval",
    "idempotency_keys": "update public.idempotency_keys set created_at = now() - %s::interval",
}
"""How the rows of a kind are made as old as one likes."""
LEFT = {
    "conversations": "select count(*) from public.conversations",
    "unfinished_uploads": "select count(*) from public.prescription_uploads",
    "notifications": "select count(*) from public.notifications",
    "webhook_bodies": "select count(*) from public.webhook_events where event <> '{}'",
    "rate_counters": "select count(*) from public.rate_counters",
    "idempotency_keys": "select count(*) from public.idempotency_keys",
}


def count(database: psycopg.Connection, query: str) -> int:
    row = database.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def apply(database: psycopg.Connection, most: int = 1000) -> Json:
    row = database.execute("select public.apply_retention(%s)", [most]).fetchone()
    assert row is not None
    answer: Json = row[0]
    return answer


@pytest.mark.parametrize("kind", AGES)
def test_each_kind_is_kept_for_its_period_and_no_longer(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
    kind: str,
) -> None:
    [(keeps_for,)] = database.execute(
        "select keeps_for::text from public.retention_periods where kind = %s", [kind]
    )
    there = count(database, LEFT[kind])
    assert there

    database.execute(AGES[kind].encode(), [f"{keeps_for} - 1 hour"])
    apply(database)
    assert count(database, LEFT[kind]) == there, "too soon"

    database.execute(AGES[kind].encode(), [f"{keeps_for} 1 hour"])
    apply(database)
    assert count(database, LEFT[kind]) == 0


def test_a_decision_keeps_how_it_came_out(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    database.execute(
        "update public.retention_periods set keeps_for = '1 hour' where kind = 'decision_details'"
    )
    database.execute(
        """
        insert into public.decisions (trace_id, patient_id, kind, request, outcome, checks, decided_at)
        values (gen_random_uuid(), %s, 'chat', '{"said": "old"}', 'asked', '[1]', now() - interval '2 hours')
        """,
        [cast.anjali.patient_id],
    )
    young = count(database, "select count(*) from public.decisions where request <> '{}'") - 1

    assert apply(database)["forgotten"]["decision_details"] == 1

    assert count(database, "select count(*) from public.decisions where request <> '{}'") == young
    assert count(database, "select count(*) from public.decisions where outcome = 'asked' and request = '{}'")


def test_a_file_that_an_order_has_used_is_kept_longer(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    database.execute("update public.prescription_uploads set created_at = now() - interval '2 years'")
    database.execute(
        """
        update public.prescriptions
        set status = 'verified', prescriber = 'Dr. K', issued_on = current_date - 800,
          valid_until = current_date - 700
        where file_path is not null
        """
    )
    used = database.execute(
        """
        with item as (
          insert into public.prescription_items
            (prescription_id, ingredient, strength, units, dosage_frequency)
          select prescription_id, 'Cefixime', '200 mg', 10, 'twice_daily'
          from public.prescription_uploads where patient_id = %(patient)s
          returning prescription_item_id
        )
        insert into public.prescription_uses (order_id, line, prescription_item_id, units)
        select o.order_id, 1, item.prescription_item_id, 10
        from item, (select min(order_id) as order_id from public.orders where patient_id = %(patient)s) as o
        """,
        {"patient": cast.anjali.patient_id},
    )
    assert used.rowcount == 1

    apply(database)

    left = database.execute(
        "select patient_id from public.prescription_uploads where patient_id in (%s, %s)",
        [cast.anjali.patient_id, cast.rahul.patient_id],
    ).fetchall()
    assert left == [(cast.anjali.patient_id,)]
    tied = database.execute(
        """
        select p.patient_id from public.prescriptions as p where p.file_path is not null
          and p.patient_id in (%s, %s)
        """,
        [cast.anjali.patient_id, cast.rahul.patient_id],
    ).fetchall()
    assert tied == [(cast.anjali.patient_id,)], "a prescription names a file that is gone"


def test_it_goes_in_steps_and_says_when_there_is_more(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    database.execute("update public.conversations set last_turn_at = now() - interval '5 years'")
    there = count(database, LEFT["conversations"])
    assert there >= 2

    first = apply(database, 1)

    assert first["forgotten"]["conversations"] == 1
    assert first["more"]
    assert count(database, LEFT["conversations"]) == there - 1
    while apply(database, 1)["more"]:
        pass
    assert count(database, LEFT["conversations"]) == 0


def test_what_storage_has_removed_is_due_no_more(database: psycopg.Connection) -> None:
    database.execute("insert into public.file_removals (file_path) values ('PAT0/one'), ('PAT0/two')")
    assert set(apply(database)["files"]) >= {"PAT0/one", "PAT0/two"}

    database.execute("select public.files_removed('{PAT0/one}')")

    assert "PAT0/one" not in apply(database)["files"]
    assert "PAT0/two" in apply(database)["files"]


def test_the_words_of_somebody_who_was_being_erased_go_as_well(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    database.execute(
        "update public.patients set erased_at = now() where patient_id = %s", [cast.rahul.patient_id]
    )

    apply(database)

    words = f"select count(*) from public.messages where patient_id = '{cast.rahul.patient_id}'"
    assert count(database, words) == 0


@pytest.mark.parametrize("function", ["apply_retention(1)", "files_removed('{a}')"])
def test_nobody_but_the_service_forgets_anything(database: psycopg.Connection, function: str) -> None:
    anjali = patient(database, "patient", "anjali@example.com")

    for person in (GUEST, anjali):
        with pytest.raises(InsufficientPrivilege), database.transaction(), acting_as(database, person):
            database.execute(f"select public.{function}".encode())


def test_a_setting_opens_no_register(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    database.execute("select set_config('nexus.forgetting', 'on', true)")

    for statement in (
        "update public.dispense_register set patient_name = 'x'",
        "update public.stock_movements set reason = 'x'",
        "delete from public.decisions",
        "delete from public.audit_log",
        "truncate public.overrides cascade",
    ):
        with pytest.raises(psycopg.Error), database.transaction():
            database.execute(statement.encode())
