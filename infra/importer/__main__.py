"""`python -m infra.importer FOLDER`: checks a folder of CSV files as a whole, then writes all or nothing."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from psycopg import Connection

from infra.importer import accounts, catalogue, database, people, rules
from infra.importer.checks import check_folder, open_references
from infra.importer.outcome import Outcome
from infra.importer.problems import ImportRefused, Problems
from infra.importer.progress import Progress
from infra.importer.tables import Folder, read_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when the folder is in the database (or, with --check, could be), 1 when not."""
    options = _parser().parse_args(arguments)
    progress = Progress()
    started = time.monotonic()
    try:
        folder = _import(options, progress)
    except ImportRefused as refusal:
        progress.clear()
        print(refusal, file=sys.stderr)
        return 1
    rows = sum(len(sheet.rows) for sheet in folder.sheets)
    files = sum(sheet.present for sheet in folder.sheets)
    what = "Checked" if options.check else "Imported"
    print(f"{what} {rows:,} rows of {files} files in {time.monotonic() - started:.1f} s.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.importer",
        description="Checks every row of a folder of CSV files, then writes all or nothing to DATABASE_URL.",
    )
    parser.add_argument(
        "folder", type=Path, help="holds medicines.csv, interactions.csv, ...; any subset will do"
    )
    parser.add_argument("--check", action="store_true", help="report what is wrong and write nothing")
    parser.add_argument(
        "--rules-version", metavar="V", help="name of the rule set (otherwise the date and a digest)"
    )
    parser.add_argument(
        "--demo-accounts",
        action="store_true",
        help="sign up the imported patients and the demo staff (laptop only)",
    )
    return parser


def _import(options: argparse.Namespace, progress: Progress) -> Folder:
    problems = Problems()
    auth = accounts.laptop_auth(_database_url()) if options.demo_accounts else None
    folder = read_folder(options.folder, problems, progress)
    if options.check and not (open_references(folder) and os.environ.get("DATABASE_URL")):
        check_folder(folder, {}, problems)
        problems.raise_if_any()
        return folder

    with database.transaction(_database_url()) as connection:
        database.begin_import(connection)
        check_folder(folder, database.known_names(connection, folder), problems)
        database.check_against_database(connection, folder, problems)
        problems.raise_if_any()
        outcomes = [] if options.check else _write(connection, folder, options.rules_version, progress)
    progress.clear()
    print(*outcomes, sep="\n", end="\n" if outcomes else "")
    if auth and not options.check:
        # A transaction of its own: what is imported stays when the Auth service is down.
        with database.transaction(_database_url()) as connection:
            emails = [patient.email for patient in folder.patients.rows]
            print(accounts.create_demo_accounts(connection, auth, emails))
    return folder


def _database_url() -> str:
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise ImportRefused("DATABASE_URL is not set: it names the Postgres database to import into.")
    return url


def _write(
    connection: Connection, folder: Folder, rules_version: str | None, progress: Progress
) -> list[Outcome]:
    outcomes = []
    if folder.medicines.present:
        outcomes.append(catalogue.write_medicines(connection, folder.medicines, progress))
    if any(sheet.present for sheet in folder.rule_sheets):
        outcomes.append(rules.write_rules(connection, folder, rules_version))
    outcomes += people.write_people(connection, folder)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
