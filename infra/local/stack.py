"""The laptop stack: starts the parts in order, watches them and stops them in reverse order."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Literal, Self, get_args

from infra.local.event_sources import start_event_sources
from infra.local.gateway import start_gateway, warm_functions
from infra.local.limits import apply_rate_limits
from infra.local.partner import start_partner
from infra.local.ports import require_free
from infra.local.postgres import database_answers, start_postgres, stop_stale_server
from infra.local.processes import Service
from infra.local.queues import start_queues
from infra.local.seed import load_seed
from infra.local.settings import Keys, Port, StackError, StackSettings, load_keys
from infra.local.supabase import apply_migrations, start_supabase, write_project

Part = Literal["database", "supabase", "seed", "queues", "functions", "fulfilment"]
PARTS: tuple[Part, ...] = get_args(Part)


class Stack:
    """A running stack. Use it as a context manager, or call `stop()`.

    `until` names the last part to start: "supabase" gives a migrated database behind PostgREST and Auth, with
    neither seed nor functions. Up to "functions" nothing happens by itself; "fulfilment" brings the warehouse
    partner, the queue's consumer and the schedules.
    """

    def __init__(
        self, settings: StackSettings, *, until: Part = "functions", report: Callable[[str], None] = print
    ) -> None:
        self.settings = settings
        self.keys: Keys
        self._wanted = PARTS[: PARTS.index(until) + 1]
        self._report = report
        self._services: list[tuple[Part, Service]] = []
        self._lock: IO[str] | None = None

    def start(self) -> None:
        """Start every wanted part; on failure, stop what already runs and raise StackError."""
        self._claim()
        try:
            for part in self._wanted:
                getattr(self, f"_start_{part}")()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        while self._services:
            self._services.pop()[1].stop()
        if self._lock:
            self._lock.close()
            self._lock = None

    @property
    def running(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._services)

    @property
    def complete(self) -> bool:
        """Whether every part was asked for."""
        return self._wanted == PARTS

    def misfortune(self) -> str | None:
        """What happened to a part that ended by itself, with the end of its log; None while all are well."""
        for _, service in self._services:
            if (code := service.exit_code()) is not None:
                return service.explain(f"{service.name} stopped unexpectedly (exit code {code})")
        return None

    def services(self, part: Part) -> list[Service]:
        """What runs of a part; for tests that hold or kill it."""
        return [service for name, service in self._services if name == part]

    def start_part(self, part: Literal["database", "supabase", "queues"]) -> None:
        """Start a part anew after its processes were killed; the others are left as they are."""
        for service in self.services(part):
            service.stop()
        self._services = [(name, service) for name, service in self._services if name != part]
        match part:
            case "database":
                self._run(part, start_postgres(self.settings))
            case "supabase":
                self._run(part, start_supabase(self.settings, self.keys, write_project(self.settings)))
            case "queues":
                self._run(part, start_queues(self.settings))

    def _run(self, part: Part, service: Service) -> None:
        self._services.append((part, service))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _claim(self) -> None:
        self._lock = hold_data(self.settings)
        if self._lock:
            stop_stale_server(self.settings.data_dir / "postgres")
        require_free(self._ports())
        if not self._lock:
            raise StackError(
                f"A stack is already running on {self.settings.data_dir}{holder(self.settings)}."
            )
        self.keys = load_keys(self.settings.data_dir)

    def _ports(self) -> list[Port]:
        own = self.settings
        needed = {
            "database": [] if own.external_database_url else [own.postgres],
            "supabase": [own.supabase],
            "queues": [own.sqs],
            "functions": [own.api, own.lambda_api],
            "fulfilment": [own.partner],
        }
        return [port for part in self._wanted for port in needed.get(part, [])]

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._report(f"  {what:<50} {time.monotonic() - started:6.1f} s")

    def _start_database(self) -> None:
        if self.settings.external_database_url:
            with self._step("Postgres (DATABASE_URL)"):
                if not database_answers(self.settings.database_url):
                    raise StackError(
                        "The Postgres that DATABASE_URL names does not answer, or refuses the login."
                    )
            return
        with self._step(f"Postgres on 127.0.0.1:{self.settings.postgres.number}"):
            self._run("database", start_postgres(self.settings))

    def _start_supabase(self) -> None:
        project = write_project(self.settings)
        with self._step("migrations"):
            apply_migrations(self.settings, self.keys, project)
            apply_rate_limits(self.settings, self.keys)
        with self._step(f"Supabase Lite on 127.0.0.1:{self.settings.supabase.number}"):
            self._run("supabase", start_supabase(self.settings, self.keys, project))

    def _start_seed(self) -> None:
        with self._step("catalogue and demo accounts"):
            load_seed(self.settings, self.keys)

    def _start_queues(self) -> None:
        with self._step(f"queues (moto) on 127.0.0.1:{self.settings.sqs.number}"):
            self._run("queues", start_queues(self.settings))

    def _start_functions(self) -> None:
        with self._step(f"functions (serverless-offline) on localhost:{self.settings.api.number}"):
            schedules = "fulfilment" in self._wanted
            self._run("functions", start_gateway(self.settings, self.keys, schedules=schedules))
        with self._step("first call of each function"):
            warm_functions(self.settings)

    def _start_fulfilment(self) -> None:
        with self._step(f"warehouse partner (mock) on 127.0.0.1:{self.settings.partner.number}"):
            self._run("fulfilment", start_partner(self.settings, self.keys))
            self._run("fulfilment", start_event_sources(self.settings))


def hold_data(settings: StackSettings) -> IO[str] | None:
    """Hold the data directory for this process; None when another one does. Closing the file lets go."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = (settings.data_dir / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def holder(settings: StackSettings) -> str:
    """Who holds the data directory, as words to put into a message."""
    pid = (settings.data_dir / "lock").read_text()
    return f" (process {pid})" if pid else ""
