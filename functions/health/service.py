"""Whether the parts we depend on answer, and what the API is.

A check never raises: down is an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from functions.health.models import Check, Health
from shared.database import Gateway

Probe = Callable[[], object]
"""Returns when the part answers, raises when it does not."""


def health(database: Gateway, queue: Probe | None) -> Health:
    """`down` without the database, `degraded` without the queue (None: not configured), else `ok`."""
    checks = {
        "database": _check(lambda: database.rpc("health_check")),
        "queue": _check(queue) if queue else Check(status="not_configured"),
    }
    if checks["database"].status == "down":
        return Health(status="down", checks=checks)
    if checks["queue"].status == "down":
        return Health(status="degraded", checks=checks)
    return Health(status="ok", checks=checks)


@lru_cache(maxsize=1)
def openapi_document() -> bytes:
    """The document of all functions, as `make openapi` wrote it."""
    return Path(__file__).with_name("openapi.json").read_bytes()


def _check(probe: Probe) -> Check:
    started = time.perf_counter()
    try:
        probe()
    except Exception:
        status = "down"
    else:
        status = "ok"
    return Check.model_validate({"status": status, "ms": round((time.perf_counter() - started) * 1000, 1)})
