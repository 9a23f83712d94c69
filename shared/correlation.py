"""The id under which all that one request causes is found: in logs, in the outbox, at the partner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "x-request-id"

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_request_id() -> str | None:
    """The id of what is being handled right now, also in the threads it runs in; None outside of it."""
    return _current.get()


@contextmanager
def handling(request_id: str) -> Iterator[None]:
    """Everything inside belongs to this request."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)
