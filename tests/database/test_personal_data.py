"""What is stored about a patient can be taken out whole, and erased but for what the law wants kept.

The tables are read from the catalogue: one that holds patients' rows and was not thought of fails here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.errors import RaiseException

from tests.database.catalogue import owner, tables
from tests.database.people import Person, acting_as
from tests.database.test_access import Cast, cast  # noqa: F401 - the fixture with a row in every table

Json = dict[str, Any]

OUTBOX = """
    select t::text from public.outbox_events as t
    left join public.orders as o using (order_id)
    left join public.notifications as n using (notification_id)
    where %s in (o.patient_id, n.patient_id)
    order by 1
"""
"""The one table whose rows come to a patient by two ways."""

KEPT = {
    "dispense_register": "Drugs Rules 1945, rule 65(3)(h): with the name, for three years",
    "patients": "the number alone, so that what is kept belongs together",
    "orders": "invoices",
    "order_items": "invoices",
    "order_allocations": "which lot went into which order: for recalls and the stock ledger",
    "prescriptions": "by whom, for what was sold on it",
    "prescription_items": "what was sold on it",
    "prescription_uses": "what was sold on it",
    "outbox_events": "what the partner was told: products and numbers",
    "fulfilment_logs": "that and when the partner reported, without its words",
    "stock_movements": "the stock ledger",
    "decisions": "that and how it was decided, without what was said",
    "overrides": "that and by whom, without the reason",
    "audit_log": "that and by whom, without the details",
}
"""Tables in which rows of an erased patient stay, and why."""


def rows_of(database: psycopg.Connection, patient_id: str | None) -> dict[str, list[str]]:
    """Every row that belongs to a patient, as text, by table; tables without one are left out."""
    found = {}
    for table in tables(database):
        belongs_to = owner(database, table)
        if belongs_to is None:
            continue
        query = f"select t::text from public.{table} as t where {belongs_to} = %s order by 1"
        if table == "outbox_events":
            query = OUTBOX
        if rows := [row for (row,) in database.execute(query.encode(), [patient_id])]:
            found[table] = rows
    return found


def deliver(database: psycopg.Connection, person: Person) -> None:
    # Other tests may have left orders of theirs in any state.
    database.execute(
        """
        update public.orders set status = 'delivered'
        where patient_id = %s and status not in ('cancelled', 'failed', 'returned', 'delivered')
        """,
        [person.patient_id],
    )


def export(database: psycopg.Connection, person: Person, of: Person) -> Json:
    return _call(database, person, "select public.export_patient(%s)", of.patient_id)


def erase(database: psycopg.Connection, person: Person, of: Person, confirm: str | None = None) -> Json:
    confirmed = confirm or of.patient_id
    return _call(database, person, "select public.erase_patient(%s, %s)", of.patient_id, confirmed)


def _call(database: psycopg.Connection, person: Person, query: LiteralString, *arguments: object) -> Json:
    with acting_as(database, person):
        row = database.execute(query, arguments).fetchone()
    assert row is not None
    answer: Json = row[0]
    return answer


def test_an_export_holds_every_row_of_the_patient_and_none_of_another(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    stored = rows_of(database, cast.anjali.patient_id)

    answer = export(database, cast.anjali, cast.anjali)

    assert answer["patient_id"] == cast.anjali.patient_id
    stored["audit_log"].append("that it was exported")
    counts = {table: len(rows) for table, rows in stored.items()}
    told = {table: len(rows) for table, rows in answer["tables"].items()}
    keys = told["idempotency_keys"]
    assert keys >= 1
    assert told == {**counts, "webhook_events": told["webhook_events"], "idempotency_keys": keys}
    assert len(answer["files"]) == 1
    said = json.dumps(answer)
    assert f'"{cast.rahul.patient_id}"' not in said
    assert str(cast.rahul.email) not in said


def test_an_admin_exports_for_a_patient_and_it_is_recorded(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    export(database, cast.admin, cast.anjali)

    recorded = database.execute(
        "select actor, actor_role from public.audit_log where patient_id = %s and action = %s",
        [cast.anjali.patient_id, "patient_exported"],
    ).fetchall()
    assert recorded == [(cast.admin.user_id, "admin")]


@pytest.mark.parametrize("function", [export, erase])
@pytest.mark.parametrize("who", ["rahul", "pharmacist", "guest"])
def test_nobody_else_may(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
    who: str,
    function: Callable[..., Json],
) -> None:
    deliver(database, cast.anjali)
    before = rows_of(database, cast.anjali.patient_id)

    with pytest.raises((RaiseException, psycopg.Error)) as refused, database.transaction():
        function(database, getattr(cast, who), cast.anjali)

    assert refused.value.sqlstate in {"PT403", "42501"}
    assert rows_of(database, cast.anjali.patient_id) == before


def test_erasing_leaves_what_the_law_wants_and_nothing_else(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    deliver(database, cast.anjali)
    before = rows_of(database, cast.anjali.patient_id)
    others = rows_of(database, cast.rahul.patient_id)
    assert set(before) >= set(KEPT), "the fixture `cast` puts a row of each patient into every table"
    files = database.execute(
        "select file_path from public.prescription_uploads where patient_id = %s", [cast.anjali.patient_id]
    ).fetchall()
    assert files

    answer = erase(database, cast.anjali, cast.anjali)

    after = rows_of(database, cast.anjali.patient_id)
    assert set(after) == set(KEPT), "say in KEPT why, or erase it in private.erase_rows"
    assert after["dispense_register"] == before["dispense_register"]
    assert answer["kept"] == {
        "orders": len(before["orders"]),
        "register_entries": len(before["dispense_register"]),
    }
    said = json.dumps({table: rows for table, rows in after.items() if table != "dispense_register"})
    for personal in ("Anjali", "anjali@", "one please", "Sulfa", "9198"):
        assert personal not in said, personal
    # The stock ledger is never touched; the id of an account that is gone leads nowhere.
    elsewhere = json.dumps({table: rows for table, rows in after.items() if table != "stock_movements"})
    assert str(cast.anjali.user_id) not in elsewhere
    assert rows_of(database, cast.rahul.patient_id) == others
    due = database.execute("select file_path from public.file_removals").fetchall()
    assert set(files) <= set(due)
    assert database.execute("select from auth.users where id = %s", [cast.anjali.user_id]).fetchall() == []
    recorded = database.execute(
        "select actor_role from public.audit_log where action = 'patient_erased' and patient_id = %s",
        [cast.anjali.patient_id],
    ).fetchall()
    assert recorded == [("patient",)]


def test_erasing_again_changes_nothing(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    deliver(database, cast.anjali)
    first = erase(database, cast.admin, cast.anjali)
    after = rows_of(database, cast.anjali.patient_id)

    assert erase(database, cast.admin, cast.anjali) == first
    assert rows_of(database, cast.anjali.patient_id) == after


@pytest.mark.parametrize("status", ["awaiting_pharmacist", "confirmed", "processing", "shipped"])
def test_nobody_is_erased_while_something_is_on_its_way_to_them(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
    status: str,
) -> None:
    deliver(database, cast.anjali)
    database.execute(
        "insert into public.orders (order_id, patient_id, status, total) values ('ORD-TEST', %s, %s, 1)",
        [cast.anjali.patient_id, status],
    )
    before = rows_of(database, cast.anjali.patient_id)

    with pytest.raises(psycopg.Error) as refused, database.transaction():
        erase(database, cast.anjali, cast.anjali)

    assert refused.value.sqlstate == "PT409"
    assert rows_of(database, cast.anjali.patient_id) == before


def test_whoever_was_erased_may_come_back_as_somebody_new(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
) -> None:
    deliver(database, cast.anjali)
    erase(database, cast.anjali, cast.anjali)

    [(address,)] = database.execute(
        "select email from public.patients where patient_id = %s", [cast.anjali.patient_id]
    )
    taken = database.execute("select from public.patients where email = %s", [cast.anjali.email]).fetchall()

    assert address.endswith("@erased.invalid")
    assert taken == []


@pytest.mark.parametrize("confirm", ["yes", "PAT000", " "])
def test_nobody_is_erased_by_mistake(
    database: psycopg.Connection,
    cast: Cast,  # noqa: F811
    confirm: str,
) -> None:
    deliver(database, cast.anjali)
    before = rows_of(database, cast.anjali.patient_id)

    with pytest.raises(psycopg.Error) as refused, database.transaction():
        erase(database, cast.admin, cast.anjali, confirm)

    assert refused.value.sqlstate == "PT422"
    assert rows_of(database, cast.anjali.patient_id) == before
