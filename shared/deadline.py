"""How long the request in hand may still take.

A function that Lambda stops answers nobody; one that gives up a moment earlier says so as for every error.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

RESERVE_SECONDS = 1.0
"""Kept for the answer."""
_LEAST_SECONDS = 0.05

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Everything inside has this much time; None leaves it to each call."""
    ends_at = None if seconds is None else time.monotonic() + seconds - RESERVE_SECONDS
    entered = _ends_at.set(ends_at)
    try:
        yield
    finally:
        _ends_at.reset(entered)


def shorten(request: httpx.Request) -> None:
    """An httpx hook: no call waits beyond the end of the request that it is made for."""
    ends_at = _ends_at.get()
    if ends_at is None:
        return
    left = max(_LEAST_SECONDS, ends_at - time.monotonic())
    limits = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        name: left if limit is None else min(limit, left) for name, limit in limits.items()
    }
