"""The connection to Postgres, and what the importer asks of the database before it writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, errors

from infra.importer.checks import Kind, Names, declared, open_references
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


NOT_AN_ADDRESS = (
    "DATABASE_URL is not the address of a Postgres database, like postgresql://user:password@host:5432/name."
)


@contextmanager
def transaction(database_url: str) -> Iterator[Connection]:
    """A connection in one transaction, committed when the block ends and rolled back when it raises.

    Raises ImportRefused, in one sentence, for whatever the database refuses.
    """
    try:
        connection = psycopg.connect(database_url, connect_timeout=CONNECT_TIMEOUT_SECONDS)
    except psycopg.OperationalError as error:
        raise ImportRefused(f"The database cannot be reached: {_first_line(error)}.") from None
    except psycopg.ProgrammingError:
        raise ImportRefused(NOT_AN_ADDRESS) from None
    try:
        with connection:
            yield connection
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction) as error:
        reason = (
            f"The database lacks what the importer fills ({_first_line(error)}): apply the migrations first."
        )
        raise ImportRefused(reason) from None
    except errors.LockNotAvailable:
        raise ImportRefused("The database is busy: somebody else holds what the import changes.") from None
    except psycopg.Error as error:
        raise ImportRefused(f"The database refused: {_first_line(error)}. Nothing was written.") from None


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error).partition("\n")[0]).rstrip(".")


def begin_import(connection: Connection) -> None:
    """Keep a second import out until this one ends, and do not wait for ever for rows others hold.

    Raises ImportRefused when another import runs or the migrations are missing.
    """
    migrated = connection.execute("select to_regclass('public.rule_sets') is not null").fetchone()
    if migrated != (True,):
        raise ImportRefused(
            "The database has none of the tables of the pharmacy: apply the migrations first."
        )
    alone = connection.execute("select pg_try_advisory_xact_lock(hashtext(%s))", [_LOCK_KEY]).fetchone()
    if alone != (True,):
        raise ImportRefused("Another import is running.")
    connection.execute("set local lock_timeout = '30s'")


def known_names(connection: Connection, folder: Folder) -> Names:
    """Those names of the folder that only the database can know, as far as it does; of ingredients all that
    the folder has, whatever their case, in the database's spelling."""
    asked = dict(open_references(folder))
    asked[Kind.INGREDIENT] = asked.get(Kind.INGREDIENT, set()) | declared(folder)[Kind.INGREDIENT]
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
    buyers = dict(
        _owners(
            connection,
            "select order_id, patient_id from public.orders where order_id = any (%s)",
            [order_ids],
        )
    )
    for line, purchase in folder.order_history:
        if buyers.get(purchase.order_id, purchase.patient_id) != purchase.patient_id:
            message = f"{quoted(purchase.order_id)} is another patient's order in the database"
            problems.add(folder.order_history.file, line, message, "order_id")


def _owners(connection: Connection, query: LiteralString, parameters: Sequence[Any]) -> list[tuple[str, str]]:
    return [(thing, owner) for thing, owner in connection.execute(query, parameters)]


def copy_rows(connection: Connection, table: LiteralString, rows: Iterable[tuple[Any, ...]]) -> None:
    """Stream rows into a staging table, all of its columns in their order."""
    with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def count(connection: Connection, query: LiteralString, parameters: Sequence[Any] = ()) -> int:
    """The single number a query yields."""
    row = connection.execute(query, parameters).fetchone()
    assert row is not None, query
    return int(row[0])
