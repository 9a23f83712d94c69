"""Who may do what with which table and function, asked of the database itself.

The tables and functions are read from the catalogue. A new table is in none of the classes below and fails
here by name until somebody has said who may see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.types.json import Jsonb

from tests.database.catalogue import owner, tables
from tests.database.people import GUEST, Person, acting_as, patient, staff

PUBLIC = {
    "allergy_rules",
    "catalogue_words",
    "condition_rules",
    "condition_terms",
    "dosage_frequencies",
    "drug_classes",
    "ingredient_limits",
    "ingredients",
    "interaction_rules",
    "product_aliases",
    "product_ingredients",
    "product_names",
    "product_words",
    "products",
    "rule_sets",
    "sale_limits",
    "washout_periods",
    "condition_synonyms",
    "complaint_fillers",
    "complaint_phrases",
    "complaint_words",
    "compositions",
    "condition_phrases",
    "refill_settings",
}
"""Everybody reads every row: the catalogue and the rules."""

OWN = {
    "allergy_removals",
    "conversations",
    "decisions",
    "discontinued_medicines",
    "messages",
    "notification_preferences",
    "notifications",
    "order_items",
    "orders",
    "overrides",
    "patients",
    "prescription_items",
    "prescription_suggestions",
    "prescription_uploads",
    "prescriptions",
    "proposals",
    "refill_alerts",
}
"""A patient reads their own rows, staff reads all."""

STAFF = {
    "audit_log",
    "dispense_register",
    "fulfilment_logs",
    "inventory_defaults",
    "notification_attempts",
    "order_allocations",
    "prescription_uses",
    "product_batches",
    "rate_limits",
    "refill_scans",
    "retention_periods",
    "stock_movements",
    "stock_thresholds",
    "webhook_events",
}
"""Staff reads every row, nobody else any."""

COLLEAGUES = {"staff"}
"""Staff reads their own row, an admin all."""

SERVICE = {
    "delivery_delays",
    "file_removals",
    "fulfilment_policy",
    "function_keys",
    "idempotency_keys",
    "notification_kinds",
    "order_counter",
    "outbox_events",
    "rate_counters",
    "sales_measured",
}
"""Only the functions of the database themselves."""

CLASSES = (PUBLIC, OWN, STAFF, COLLEAGUES, SERVICE)

APPEND_ONLY = {"audit_log", "decisions", "dispense_register", "overrides", "stock_movements"}

FOR_ALL = {"health_check", "product_detail", "search_products", "stock_quantity"}
FOR_GUESTS = FOR_ALL | {"has_unclaimed_record", "return_sign_in", "take_sign_in"}
"""The three ask for a key of the accounts function."""

FOR_SIGNED_IN = FOR_ALL | {
    "abandon_upload",
    "activate_rule_set",
    "admit_upload",
    "cancel_order",
    "chat_context",
    "chat_turn",
    "correct_lot",
    "create_order",
    "decide_refill_alert",
    "discontinue_medicine",
    "erase_patient",
    "export_patient",
    "expiring_lots",
    "find_upload",
    "finish_upload",
    "get_conversation",
    "get_decisions",
    "get_order",
    "list_inventory",
    "decide_allergy_removal",
    "list_allergy_removals",
    "list_dispense_register",
    "list_order_lines",
    "list_orders",
    "notification_preferences",
    "list_outbox",
    "list_prescriptions",
    "list_refill_alerts",
    "list_refills",
    "list_rule_sets",
    "list_stock_movements",
    "lot_recipients",
    "open_upload",
    "order_deliveries",
    "order_history",
    "override_finding",
    "patient_profile",
    "prescription_file",
    "product_inventory",
    "propose_refill",
    "recall_lot",
    "receive_lot",
    "register_patient",
    "search_decisions",
    "service_overview",
    "review_prescription",
    "review_queue",
    "set_inventory_defaults",
    "set_lot_status",
    "set_notification_preferences",
    "set_order_status",
    "set_product_inventory",
    "staff_profile",
    "submit_prescription",
    "take_rate",
    "update_patient",
    "trigger_refill_scan",
    "verify_cart",
}


@dataclass(frozen=True)
class Cast:
    guest: Person
    anjali: Person
    rahul: Person
    pharmacist: Person
    admin: Person

    def __iter__(self) -> Iterator[Person]:
        return iter((self.guest, self.anjali, self.rahul, self.pharmacist, self.admin))


@pytest.fixture
def cast(database: psycopg.Connection) -> Cast:
    """The five, with a row of each patient in every table that holds patients' rows."""
    cast = Cast(
        guest=GUEST,
        anjali=patient(database, "patient A", "anjali@example.com"),
        rahul=patient(database, "patient B", "rahul@example.com"),
        pharmacist=staff(database, "pharmacist"),
        admin=staff(database, "admin"),
    )
    for person in (cast.anjali, cast.rahul):
        order_id = buys(database, person, "MED021")
        prescribed(database, person, order_id)
        uploads(database, person)
        database.execute("update public.orders set status = 'processing' where order_id = %s", [order_id])
        database.execute(
            """
            insert into public.overrides (patient_id, rule, reason, overridden_by, valid_until)
            values (%s, 'interaction:Aspirin+Warfarin', 'for this test', %s, current_date)
            """,
            [person.patient_id, cast.pharmacist.user_id],
        )
        database.execute(
            """
            insert into public.idempotency_keys (user_id, key, request_hash, response)
            values (%s, 'key', 'hash', '{}')
            """,
            [person.user_id],
        )
        database.execute(
            "insert into public.notification_preferences (patient_id) values (%s)", [person.patient_id]
        )
        database.execute(
            """
            insert into public.notification_attempts (notification_id, channel, outcome, correlation_id)
            values (
              private.queue_notification(%(who)s, 'refill.due', 'a refill', '{}', %(who)s),
              'email', 'sent', 'x'
            )
            """,
            {"who": person.patient_id},
        )
        reported = {
            "type": "fulfillment.updated",
            "timestamp": "2026-11-21T10:00:00Z",
            "data": {"order_id": order_id, "status": "shipped"},
        }
        database.execute("select public.receive_webhook(%s, %s)", [f"msg-{order_id}", Jsonb(reported)])
        database.execute(
            """
            insert into public.allergy_removals (patient_id, allergy, requested_by) values (%s, 'Sulfa', %s)
            """,
            [person.patient_id, person.user_id],
        )
        database.execute("update public.rate_limits set enforced = true")
        with acting_as(database, person):
            database.execute("select public.take_rate('upload')")
        database.execute("select private.audit('for.this_test', %s)", [person.patient_id])
        database.execute(
            """
            insert into public.refill_alerts (patient_id, composition, product_id, packs, run_out_on)
            values (%s, 'Metformin 500 mg', 'MED003', 1, current_date)
            """,
            [person.patient_id],
        )
        database.execute(
            "insert into public.discontinued_medicines (patient_id, composition, reason) "
            "values (%s, 'x', 'test')",
            [person.patient_id],
        )
    database.execute("insert into public.file_removals (file_path) values ('PAT000/a-file')")
    database.execute("insert into public.stock_thresholds values ('MED021', 50)")
    database.execute(
        "insert into public.refill_scans (scan_day, started_by, finished_at, outcome) "
        "values (current_date, 'staff', now(), 'completed')"
    )
    return cast


def buys(database: psycopg.Connection, person: Person, product_id: str) -> str:
    """The person proposes and confirms one pack in a new conversation; the id of the order."""
    turn = {
        "language": "en",
        "message": "one please",
        "conversation_id": str(uuid4()),
        "state": {},
        "reply": {"said": [], "notes": []},
    }

    def take(**more: object) -> dict[str, dict[str, str]]:
        taken = {**turn, "trace_id": str(uuid4()), **more}
        with acting_as(database, person):
            row = database.execute("select public.chat_turn(%s)", [Jsonb(taken)]).fetchone()
        assert row is not None
        answer: dict[str, dict[str, str]] = row[0]
        return answer

    card = take(act="propose", items=[{"product_id": product_id, "packs": 1}])["card"]
    placed = take(act="confirm", proposal_id=card["proposal_id"], digest=card["digest"])
    return placed["card"]["order_id"]


def prescribed(database: psycopg.Connection, person: Person, order_id: str) -> None:
    """A verified prescription, used by the order's line, and the line in the register."""
    database.execute(
        """
        with rx as (
          insert into public.prescriptions (patient_id, status, prescriber, issued_on, valid_until)
          values (%(patient)s, 'verified', 'Dr. A. Kulkarni', current_date, current_date + 30)
          returning prescription_id
        ),
        item as (
          insert into public.prescription_items
            (prescription_id, ingredient, strength, units, dosage_frequency)
          select prescription_id, 'Cefixime', '200 mg', 10, 'twice_daily' from rx
          returning prescription_item_id
        ),
        used as (
          insert into public.prescription_uses (order_id, line, prescription_item_id, units)
          select %(order)s, 1, prescription_item_id, 10 from item
        )
        insert into public.dispense_register
          (order_id, line, patient_id, patient_name, prescriber, product_id, product_name, packs, units)
        values (%(order)s, 1, %(patient)s, 'x', 'Dr. A. Kulkarni', 'MED060', 'Cefixime 200mg', 1, 10)
        """,
        {"patient": person.patient_id, "order": order_id},
    )


def uploads(database: psycopg.Connection, person: Person) -> None:
    """An uploaded prescription with its file, and what was read in it."""
    line = {"said": "Cefixime", "words": ["cefixime"], "is_vocabulary": [False]}
    with acting_as(database, person):
        row = database.execute("select public.open_upload(null, 'image/png', 10)").fetchone()
        assert row is not None
        database.execute(
            "insert into storage.objects (bucket_id, name) values ('prescriptions', %s)",
            [row[0]["file_path"]],
        )
        database.execute(
            "select public.finish_upload(%s, 10, repeat('0', 64), '', %s)",
            [row[0]["upload_id"], Jsonb([line])],
        )


@contextmanager
def undone(database: psycopg.Connection, person: Person) -> Iterator[None]:
    with database.transaction(force_rollback=True), acting_as(database, person):
        yield


def rows_seen(database: psycopg.Connection, person: Person, table: str) -> set[str]:
    """Which rows of a table somebody sees; a refusal is none."""
    try:
        with undone(database, person):
            return {row for (row,) in database.execute(f"select ctid::text from public.{table}")}
    except InsufficientPrivilege:
        return set()


def may(database: psycopg.Connection, person: Person, statement: str) -> bool:
    """Whether somebody has the right to do it; that it then breaks a constraint is beside the point."""
    try:
        with undone(database, person):
            database.execute(statement.encode())
    except InsufficientPrivilege:
        return False
    except psycopg.Error:
        return True
    return True


def class_of(table: str) -> set[str]:
    return next(members for members in CLASSES if table in members)


def test_somebody_has_said_who_may_see_each_table(database: psycopg.Connection) -> None:
    listed = [table for members in CLASSES for table in members]

    assert set(tables(database)) - set(listed) == set(), "in no class: say who may see these"
    assert set(listed) - set(tables(database)) == set(), "these tables are gone"
    assert len(listed) == len(set(listed)), "in two classes"


def test_what_belongs_to_a_patient_is_not_public(database: psycopg.Connection) -> None:
    belonging = {table for table in tables(database) if owner(database, table) is not None}

    assert belonging & PUBLIC == set()
    assert belonging >= OWN


def test_every_table_has_row_level_security_and_a_policy_where_anything_is_granted(
    database: psycopg.Connection,
) -> None:
    bare = database.execute(
        """
        select c.relname, c.relrowsecurity,
          exists (select from pg_catalog.pg_policy as p where p.polrelid = c.oid) as has_policy
        from pg_catalog.pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
          and not (c.relrowsecurity and (
            exists (select from pg_catalog.pg_policy as p where p.polrelid = c.oid) or c.relname = any (%s)
          ))
        """,
        [sorted(SERVICE)],
    ).fetchall()

    assert bare == []


def test_nothing_else_in_public_shows_rows(database: psycopg.Connection) -> None:
    """A view would read with its owner's rights, past the policies."""
    others = database.execute(
        """
        select c.relname from pg_catalog.pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm', 'f')
          and not coalesce(c.reloptions @> '{security_invoker=true}', false)
        """
    ).fetchall()

    assert others == []


def test_everybody_sees_exactly_the_rows_of_their_class(database: psycopg.Connection, cast: Cast) -> None:
    wrong = []
    for table in tables(database):
        belongs_to = owner(database, table) or "null"
        rows: dict[str, str | None] = dict(
            database.execute(
                f"select t.ctid::text, {belongs_to} from public.{table} as t".encode()
            ).fetchall()
        )
        everything = set(rows)
        assert everything, f"{table} is empty: let the fixture `cast` put a row of each patient into it"
        members = class_of(table)
        for person in cast:
            is_staff = person in (cast.pharmacist, cast.admin)
            if members is PUBLIC:
                expected = everything
            elif members is OWN:
                own = {row for row, patient_id in rows.items() if patient_id == person.patient_id}
                assert own or person.patient_id is None, f"{table} has no row of {person.name}"
                expected = everything if is_staff else own if person.patient_id else set()
            elif members is STAFF:
                expected = everything if is_staff else set()
            elif members is COLLEAGUES:
                own_row = database.execute(
                    "select ctid::text from public.staff where user_id = %s", [person.user_id]
                )
                expected = everything if person is cast.admin else {row for (row,) in own_row}
            else:
                expected = set()
            if (seen := rows_seen(database, person, table)) != expected:
                wrong.append(f"{person.name} sees {len(seen)} rows of {table}, not {len(expected)}")

    assert wrong == []


def test_nobody_who_comes_from_outside_writes_any_table(database: psycopg.Connection, cast: Cast) -> None:
    allowed = []
    for table in tables(database):
        column = database.execute(
            """
            select column_name from information_schema.columns
            where table_schema = 'public' and table_name = %s
              and is_generated = 'NEVER' and is_identity = 'NO'
            limit 1
            """,
            [table],
        ).fetchone()
        assert column is not None
        statements = (
            f"insert into public.{table} default values",
            f"update public.{table} set {column[0]} = {column[0]}",
            f"delete from public.{table}",
            f"truncate public.{table} cascade",
        )
        allowed += [
            f"{person.name}: {statement}"
            for person in cast
            for statement in statements
            if may(database, person, statement)
        ]

    assert allowed == []


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_no_single_column_is_writable_either(database: psycopg.Connection, role: str) -> None:
    writable = database.execute(
        """
        select c.relname from pg_catalog.pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
          and (has_any_column_privilege(%(role)s, c.oid, 'insert, update, references')
            or has_table_privilege(%(role)s, c.oid, 'delete, truncate, trigger'))
        """,
        {"role": role},
    ).fetchall()

    assert writable == []


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_no_sequence_can_be_drawn_from(database: psycopg.Connection, role: str) -> None:
    drawn = database.execute(
        """
        select c.relname from pg_catalog.pg_class as c
        where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
          and case when c.relkind = 'S' then has_sequence_privilege(%s, c.oid, 'usage, select, update') end
        """,
        [role],
    ).fetchall()

    assert drawn == []


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize("change", ["update", "delete", "truncate"])
def test_what_was_decided_and_dispensed_is_changed_by_nobody(
    database: psycopg.Connection, table: str, change: str
) -> None:
    may_change = database.execute(
        """
        select rolname from pg_catalog.pg_roles
        where rolname in ('anon', 'authenticated', 'service_role')
          and has_table_privilege(rolname, format('public.%%I', %s::text), %s)
        """,
        [table, change],
    ).fetchall()

    assert may_change == []


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_not_even_the_owner_of_the_table_changes_it(database: psycopg.Connection, table: str) -> None:
    for statement in (f"delete from public.{table}", f"truncate public.{table} cascade"):
        with pytest.raises(InsufficientPrivilege), database.transaction():
            database.execute(statement.encode())


EXECUTABLE: LiteralString = """
    select p.proname from pg_catalog.pg_proc as p
    where p.pronamespace = 'public'::regnamespace and has_function_privilege(%s, p.oid, 'execute')
"""


@pytest.mark.parametrize(("role", "expected"), [("anon", FOR_GUESTS), ("authenticated", FOR_SIGNED_IN)])
def test_only_the_expected_functions_can_be_called(
    database: psycopg.Connection, role: str, expected: set[str]
) -> None:
    assert {name for (name,) in database.execute(EXECUTABLE, [role])} == expected


def test_no_function_is_open_to_everybody_by_default(database: psycopg.Connection) -> None:
    """Execute is granted to roles by name; `public` has it on nothing."""
    open_to_all = database.execute(
        """
        select p.oid::regprocedure::text from pg_catalog.pg_proc as p
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and exists (
            select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as granted
            where granted.grantee = 0 and granted.privilege_type = 'EXECUTE'
          )
        """
    ).fetchall()

    assert open_to_all == []


def test_functions_with_more_rights_than_their_caller_pin_their_search_path(
    database: psycopg.Connection,
) -> None:
    loose = database.execute(
        """
        select p.oid::regprocedure::text from pg_catalog.pg_proc as p
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and p.prosecdef and not coalesce(p.proconfig, '{}') @> array['search_path=""']
        """
    ).fetchall()

    assert loose == []


def test_every_function_pins_its_search_path(database: psycopg.Connection) -> None:
    """Also with the caller's rights: a policy or a definer may be what calls it. A body that was read when
    the function was made has no names left to look up.
    """
    loose = database.execute(
        """
        select p.oid::regprocedure::text from pg_catalog.pg_proc as p
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and p.prosqlbody is null
          and not coalesce(p.proconfig, '{}') @> array['search_path=""']
        """
    ).fetchall()

    assert loose == []


def test_a_token_without_a_profile_sees_no_patient(database: psycopg.Connection, cast: Cast) -> None:
    stranger = Person("stranger", "authenticated", user_id=uuid4(), email="stranger@example.com")

    seen = {
        table: rows_seen(database, stranger, table)
        for table in tables(database)
        if class_of(table) is not PUBLIC
    }

    assert {table for table, rows in seen.items() if rows} == set()
