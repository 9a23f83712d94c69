"""`make backup` and `make restore`: the database with its accounts, and the files, as one folder.

    python -m infra.backup save <folder>
    python -m infra.backup restore <folder>

Saving needs the stack running, or DATABASE_URL. Restoring needs the laptop's stack stopped, and puts aside
what was there. With DATABASE_URL it fills that database, which must be empty. The files of a hosted project
are in its own Storage and not in here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from dotenv import load_dotenv
from psycopg import sql

from infra.local.postgres import clean_environment, database_answers, program, start_postgres
from infra.local.settings import PROJECT, StackError, StackSettings, load_settings
from infra.local.stack import hold_data, holder
from infra.local.supabase import HOSTED_ROLES

DUMP, FILES, MANIFEST = "database.dump", "files.tar", "manifest.json"
# What a hosted project has besides these is its own, and there before anything is restored.
SCHEMAS = ("auth", "extensions", "private", "public", "storage", "supabase_migrations")


@dataclass(frozen=True)
class Restored:
    rows: int
    files: int
    put_aside: Path | None


def save(settings: StackSettings, folder: Path) -> dict[str, Any]:
    """Write a backup into a new folder and return its manifest. Raises StackError.

    The files are read after the database: none is ever replaced, so each that the database names is there.
    """
    if not database_answers(settings.database_url):
        raise StackError(f"No database answers on {_place(settings)}: start `make dev` first.")
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise StackError(f"{folder} exists already: a backup never overwrites another.") from None
    with psycopg.connect(settings.database_url) as database:
        # One snapshot for the dump and the counts that it is checked by.
        database.execute("set transaction isolation level repeatable read, read only")
        snapshot = _one(database, "select pg_export_snapshot()")
        _run(
            "pg_dump",
            *("--format=custom", f"--snapshot={snapshot}", f"--file={folder / DUMP}"),
            *(f"--schema={name}" for name in SCHEMAS),
            "--extension=*",
            url=settings.database_url,
        )
        manifest = {
            "created_at": datetime.now(UTC).isoformat(),
            "migration": _one(database, "select max(version) from supabase_migrations.schema_migrations"),
            "rows": _counts(database),
        }
    stored = _files_of(settings)
    with tarfile.open(folder / FILES, "w") as tar:
        if stored.is_dir() and not settings.external_database_url:
            tar.add(stored, arcname=".")
    manifest["sha256"] = {name: _sha256(folder / name) for name in (DUMP, FILES)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def restore(settings: StackSettings, folder: Path) -> Restored:
    """Bring a backup back, and count the rows of every table. Raises StackError."""
    manifest = _checked(folder)
    if settings.external_database_url:
        return Restored(_load(settings, folder, manifest), 0, None)
    lock = hold_data(settings)
    if lock is None:
        raise StackError(f"A stack is running on {settings.data_dir}{holder(settings)}: stop it first.")
    with lock:
        put_aside = _put_aside(settings)
        service = start_postgres(settings)
        try:
            rows = _load(settings, folder, manifest)
            with psycopg.connect(settings.database_url) as database:
                # This laptop's keys may be others; the next start writes the new one.
                database.execute("delete from public.function_keys")
        finally:
            service.stop()
        target = _files_of(settings)
        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(folder / FILES) as tar:
            tar.extractall(target, filter="data")
            number = sum(member.isfile() for member in tar.getmembers())
    return Restored(rows, number, put_aside)


def _load(settings: StackSettings, folder: Path, manifest: dict[str, Any]) -> int:
    with psycopg.connect(settings.database_url) as database:
        database.execute(HOSTED_ROLES)
        if _one(database, "select to_regclass('public.patients')") is not None:
            raise StackError(f"The database on {_place(settings)} is not empty. Nothing was restored.")
        database.execute("drop schema if exists public")  # empty; the dump brings its own, with its rights
    _run(
        "pg_restore",
        *("--exit-on-error", "--single-transaction", f"--dbname={_name(settings)}", str(folder / DUMP)),
        url=settings.database_url,
    )
    with psycopg.connect(settings.database_url) as database:
        found = _counts(database)
    if found != manifest["rows"]:
        wrong = [name for name in manifest["rows"] if found.get(name) != manifest["rows"][name]]
        raise StackError(f"The restored database is not the one that was saved: {', '.join(wrong)}.")
    return sum(found.values())


def _checked(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        for name, expected in manifest["sha256"].items():
            if _sha256(folder / name) != expected:
                raise StackError(f"{folder / name} is damaged. Nothing was restored.")
    except (OSError, ValueError, KeyError) as error:
        raise StackError(f"{folder} is not a whole backup ({type(error).__name__}).") from None
    return manifest


def _counts(database: psycopg.Connection) -> dict[str, int]:
    """Rows of every table."""
    tables = database.execute(
        "select schemaname, tablename from pg_catalog.pg_tables where schemaname = any (%s) order by 1, 2",
        [list(SCHEMAS)],
    ).fetchall()
    return {
        f"{schema}.{table}": int(
            _one(database, sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table)))
        )
        for schema, table in tables
    }


def _one(database: psycopg.Connection, query: Any) -> Any:
    row = database.execute(query).fetchone()
    return row[0] if row else None


def _files_of(settings: StackSettings) -> Path:
    """Where Supabase Lite keeps them."""
    return settings.data_dir / "lite" / "supabase" / ".temp" / "storage"


def _put_aside(settings: StackSettings) -> Path | None:
    before = [path for path in (settings.data_dir / "postgres", _files_of(settings)) if path.exists()]
    if not before:
        return None
    aside = settings.data_dir / f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    aside.mkdir(mode=0o700)
    for path in before:
        path.rename(aside / path.name)
    return aside


def _run(name: str, *arguments: str, url: str) -> None:
    """A Postgres program on a database; the address with its password is in no command line."""
    settings = psycopg.conninfo.conninfo_to_dict(url)
    variables = {
        "PGHOST": settings.get("host"),
        "PGPORT": settings.get("port"),
        "PGUSER": settings.get("user"),
        "PGPASSWORD": settings.get("password"),
        "PGDATABASE": settings.get("dbname"),
        "PGSSLMODE": settings.get("sslmode"),
    }
    finished = subprocess.run(
        [str(program(name)), *arguments],
        env={**clean_environment(), **{key: str(value) for key, value in variables.items() if value}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise StackError(f"{name} failed:\n{finished.stderr.strip()[-2000:]}")


def _name(settings: StackSettings) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(settings.database_url)["dbname"])


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _place(settings: StackSettings) -> str:
    return "DATABASE_URL" if settings.external_database_url else f"port {settings.postgres.number}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.backup", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["save", "restore"])
    parser.add_argument("folder", type=Path, nargs="?", help="by default one in `backups`")
    wanted = parser.parse_args()
    load_dotenv(PROJECT / ".env")
    try:
        settings = load_settings()
        if wanted.what == "save":
            folder = wanted.folder or PROJECT / "backups" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
            manifest = save(settings, folder)
            rows = sum(manifest["rows"].values())
            print(f"Saved {rows} rows to {folder}. It holds personal data: keep it safe.")
            return 0
        folder = wanted.folder or _latest()
        restored = restore(settings, folder)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Restored {restored.rows} rows and {restored.files} files from {folder}.")
    if restored.put_aside:
        print(f"What was there before is in {restored.put_aside}.")
    return 0


def _latest() -> Path:
    found = sorted((PROJECT / "backups").glob("*/" + MANIFEST))
    if not found:
        raise StackError("There is no backup in `backups`: name the folder, as FOLDER=...")
    return found[-1].parent


if __name__ == "__main__":
    sys.exit(main())
