"""Supabase Lite over the stack's Postgres: project folder, migrations, server."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

import psycopg

from infra.local.processes import Service, run
from infra.local.settings import PROJECT, Keys, StackError, StackSettings

MIGRATIONS = PROJECT / "migrations"
_SCRIPTS = PROJECT / "infra" / "local"

# The roles a hosted project starts with; Lite makes them when it first meets them, which may be too late.
HOSTED_ROLES = """
do $$
begin
  if to_regrole('anon') is null then create role anon nologin; end if;
  if to_regrole('authenticated') is null then create role authenticated nologin; end if;
  if to_regrole('service_role') is null then create role service_role nologin bypassrls; end if;
end
$$;
"""
# What a hosted project grants in the two schemas of Supabase's own; Lite grants nothing, or everything.
HOSTED_GRANTS = """
grant usage on schema auth, storage to anon, authenticated, service_role;
grant execute on all functions in schema auth to anon, authenticated, service_role;
grant all on all tables in schema storage to anon, authenticated, service_role;
"""


def write_project(settings: StackSettings) -> Path:
    """Write the project folder that Lite reads and return it.

    The migrations are linked, not copied: the files under `migrations/` stay the only ones.
    """
    project = settings.data_dir / "lite"
    folder = project / "supabase"
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "api": {"port": settings.supabase.number, "max_rows": 1000},
        "db": {"driver": "postgres", "url": "env(DATABASE_URL)"},
        "auth": {
            "enabled": True,
            "site_url": settings.api_url,
            "jwt_secret": "env(SUPABASE_JWT_SECRET)",
            "jwt_expiry": 3600,
            "enable_signup": True,
            "publishable_key": "env(SUPABASE_PUBLISHABLE_KEY)",
            "secret_key": "env(SUPABASE_SECRET_KEY)",
            # No mailbox on a laptop: signing up gives a session at once.
            "email": {"enable_confirmations": False},
        },
        "storage": {"enabled": True},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    link = folder / "migrations"
    if not link.is_symlink() or link.readlink() != MIGRATIONS:
        link.unlink(missing_ok=True)
        link.symlink_to(MIGRATIONS)
    return project


def apply_migrations(settings: StackSettings, keys: Keys, project: Path) -> None:
    """Apply the pending files of `migrations/`.

    Raises StackError with the database's words when one fails; that file then changed nothing.
    """
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(HOSTED_ROLES)
    cli = PROJECT / "node_modules" / "@supabase" / "lite" / "dist" / "cli" / "index.js"
    try:
        run(
            ["node", str(cli), "migration", "up"],
            doing="Applying the migrations",
            log=settings.logs / "migrations.log",
            env=_environment(settings, keys),
            cwd=project,
        )
    except StackError as error:
        raise StackError(f"{error}\nThe file is {_first_pending(settings)}.") from None
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(HOSTED_GRANTS)


def _first_pending(settings: StackSettings) -> str:
    """The migration at which Lite stopped; Lite itself does not say."""
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute("select version from supabase_migrations.schema_migrations").fetchall()
    applied = {version for (version,) in rows}
    pending = (file for file in sorted(MIGRATIONS.glob("*.sql")) if file.name.split("_")[0] not in applied)
    return str(next(pending, MIGRATIONS))


def start_supabase(settings: StackSettings, keys: Keys, project: Path) -> Service:
    """Serve PostgREST, Auth and Storage. Lite reads the database schema once, so migrate first."""
    port = str(settings.supabase.number)
    service = Service(
        "Supabase Lite",
        ["node", str(_SCRIPTS / "keep_running.mjs"), str(_SCRIPTS / "lite.mjs"), port],
        log=settings.logs / "supabase.log",
        env=_environment(settings, keys),
        cwd=project,
    )
    try:
        service.wait_until(lambda: _answers(settings.supabase_url), seconds=60)
    except BaseException:
        service.stop()
        raise
    return service


def _environment(settings: StackSettings, keys: Keys) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "SUPABASE_PUBLISHABLE_KEY": keys.publishable,
        "SUPABASE_SECRET_KEY": keys.secret,
        "SUPABASE_JWT_SECRET": keys.jwt_secret,
        "EXPERIMENTAL_STORAGE": "1",
        "DO_NOT_TRACK": "1",
    }


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/auth/v1/.well-known/jwks.json", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
