"""The connection to Postgres, and what the importer asks of the database before it writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, conninfo

from infra.importer.checks import Kind, Names
from infra.importer.problems import ImportRefused, Problems, quoted
from infra.importer.tables import Folder

CONNECT_TIMEOUT_SECONDS = 10
_LOCK_KEY = "nexus importer"

_LOOKUPS: dict[Kind, LiteralString] = {
    Kind.PRODUCT: "select product_id from public.products where product_id = any (%s)",
    Kind.INGREDIENT: (
        "select ingredient from public.ingredients"
        " where lower(ingredient) in (select lower(name) from unnest(%s::text[]) as name)"
    ),
    Kind.DRUG_CLASS: (
        "select distinct drug_class from public.drug_classes"
        " where rule_set_id = private.active_rule_set_id() and drug_class = any (%s)"
    ),
    Kind.PATIENT: "select patient_id from public.patients where patient_id = any (%s)",
    Kind.PRESCRIPTION: "select prescription_id from public.prescriptions where prescription_id = any (%s)",
}


@contextmanager
def transaction(database_url: str) -> Iterator[Connection]:
    """A connection in one transaction, committed when the block ends and rolled back when it raises.

    Raises ImportRefused, in one sentence, for whatever the database refuses.
    """
    try:
        with psycopg.connect(database_url, connect_timeout=CONNECT_TIMEOUT_SECONDS) as connection:
            yield connection
    except psycopg.errors.LockNotAvailable:
        raise ImportRefused("The database is busy: what the import changes is locked by somebody else.") from None
    except psycopg.OperationalError as error:
        where = _address(database_url)
        raise ImportRefused(f"The database at {where} cannot be reached: {_first_line(error)}.") from None
    except psycopg.ProgrammingError as error:
        if isinstance(error, (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)):
            raise ImportRefused(f"The database lacks something the importer fills ({_first_line(error)}): "
                                "apply the migrations first.") from None
        raise ImportRefused(f"DATABASE_URL cannot be used: {_first_line(error)}.") from None
    except psycopg.Error as error:
        raise ImportRefused(f"The database refused the import: {_first_line(error)}. Nothing was written.") from None


def _address(database_url: str) -> str:
    """Host and port without the password that the URL may hold."""
    parameters = conninfo.conninfo_to_dict(database_url)
    return f"{parameters.get('host', 'the default host')}:{parameters.get('port', 5432)}"


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error).partition("\n")[0]).rstrip(".")


def begin_import(connection: Connection) -> None:
    """Keep a second import out until this one ends, and do not wait for ever for rows others hold.

    Raises ImportRefused when another import runs or the migrations are missing.
    """
    migrated = connection.execute("select to_regclass('public.rule_sets') is not null").fetchone()
    if migrated != (True,):
        raise ImportRefused("The database has none of the tables of the pharmacy: apply the migrations first.")
    alone = connection.execute("select pg_try_advisory_xact_lock(hashtext(%s))", [_LOCK_KEY]).fetchone()
    if alone != (True,):
        raise ImportRefused("Another import is running.")
    connection.execute("set local lock_timeout = '30s'")


def known_names(connection: Connection, asked: Names) -> Names:
    """Those of the asked names that the database has; ingredients whatever their case, in its own spelling."""
    return {
        kind: {name for (name,) in connection.execute(_LOOKUPS[kind], [sorted(names)])}
        for kind, names in asked.items()
    }


def check_against_database(connection: Connection, folder: Folder, problems: Problems) -> None:
    """Add rows that claim the identity of somebody or something that is already here and another."""
    owners = _owners(
        connection,
        "select patient_id, email from public.patients where patient_id = any (%s) or email = any (%s)",
        [[row.patient_id for row in folder.patients.rows], [row.email for row in folder.patients.rows]],
    )
    email_of = dict(owners)
    patient_of = {email: patient_id for patient_id, email in owners}
    for line, patient in folder.patients:
        if email_of.get(patient.patient_id, patient.email) != patient.email:
            message = f"{quoted(patient.patient_id)} is somebody else in the database"
            problems.add(folder.patients.file, line, message, "patient_id")
        if patient_of.get(patient.email, patient.patient_id) != patient.patient_id:
            message = f"{quoted(patient.email)} belongs to {patient_of[patient.email]} in the database"
            problems.add(folder.patients.file, line, message, "email")

    order_ids = [row.order_id for row in folder.order_history.rows]
    buyers = dict(_owners(
        connection, "select order_id, patient_id from public.orders where order_id = any (%s)", [order_ids]
    ))
    for line, purchase in folder.order_history:
        if buyers.get(purchase.order_id, purchase.patient_id) != purchase.patient_id:
            message = f"{quoted(purchase.order_id)} is another patient's order in the database"
            problems.add(folder.order_history.file, line, message, "order_id")


def _owners(connection: Connection, query: LiteralString, parameters: Sequence[Any]) -> list[tuple[str, str]]:
    return [(thing, owner) for thing, owner in connection.execute(query, parameters)]


def copy_rows(
    connection: Connection, target: LiteralString, rows: Iterator[tuple[Any, ...]], types: Sequence[str] | None = None
) -> None:
    """Stream rows into `target`, written as in SQL: `incoming_products (product_id, ...)`."""
    with connection.cursor() as cursor, cursor.copy(f"copy {target} from stdin") as copy:
        if types:
            copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def count(connection: Connection, query: LiteralString, parameters: Sequence[Any] = ()) -> int:
    """The single number a query yields."""
    row = connection.execute(query, parameters).fetchone()
    assert row is not None, query
    return int(row[0])
