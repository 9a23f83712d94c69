"""Whether the parts we depend on answer, and what the API is.

A check never raises: down is an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Thread

from functions.health.models import Check, Health, OutboxPage, ServiceOverview
from shared.circuit import states
from shared.database import Gateway

Probe = Callable[[], object]
"""Returns when the part answers, raises when it does not."""

PATIENCE_SECONDS = 3.0
"""What has not answered by then is down: whoever asks for readiness does not wait longer either."""


def health(database: Gateway, parts: Mapping[str, Probe | None]) -> Health:
    """`down` without the database, `degraded` without another part (None: not configured), else `ok`."""
    probes = {"database": lambda: database.rpc("health_check"), **parts}
    checking = {name: _Checking(probe) for name, probe in probes.items() if probe}
    deadline = time.monotonic() + PATIENCE_SECONDS
    checks = {
        name: checking[name].result(deadline) if name in checking else Check(status="not_configured")
        for name in probes
    }
    circuits = states()
    for name, check in checks.items():
        check.circuit = circuits.get(name)
    if checks["database"].status == "down":
        return Health(status="down", checks=checks)
    if any(check.status == "down" for check in checks.values()):
        return Health(status="degraded", checks=checks)
    return Health(status="ok", checks=checks)


def overview(database: Gateway, hours: int) -> ServiceOverview:
    """How the service has been doing in the last hours. Raises Forbidden for a patient."""
    return ServiceOverview.model_validate(database.rpc("service_overview", {"p_hours": hours}))


def outbox(database: Gateway, state: str | None, *, limit: int, cursor: int | None) -> OutboxPage:
    """Events of the outbox, the latest first. Raises Forbidden for a patient."""
    return OutboxPage.model_validate(
        database.rpc("list_outbox", {"p_state": state, "p_limit": limit, "p_before": cursor})
    )


@lru_cache(maxsize=1)
def openapi_document() -> bytes:
    """The document of all functions, as `make openapi` wrote it."""
    return Path(__file__).with_name("openapi.json").read_bytes()


class _Checking:
    """A probe under way in a thread: one that hangs is left to end by itself."""

    def __init__(self, probe: Probe) -> None:
        self._started = time.perf_counter()
        self._seconds: float | None = None
        self._thread = Thread(target=self._run, args=[probe], name="health", daemon=True)
        self._thread.start()

    def _run(self, probe: Probe) -> None:
        with suppress(Exception):
            probe()
            self._seconds = time.perf_counter() - self._started

    def result(self, deadline: float) -> Check:
        self._thread.join(max(0.0, deadline - time.monotonic()))
        seconds = self._seconds
        took = time.perf_counter() - self._started if seconds is None else seconds
        return Check(status="down" if seconds is None else "ok", ms=round(took * 1000, 1))
