"""An event of the outbox as a dispatcher holds it, and what can come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True)
class Event:
    """Claimed until its lease ends. `held_until` is on the clock of `time.monotonic`."""

    event_id: str
    lease_token: str
    event_type: str
    destination: Literal["partner", "notification"]
    order_id: str | None
    notification_id: str | None
    payload: Mapping[str, Any]
    attempt: int
    correlation_id: str
    created_at: datetime
    held_until: float

    @classmethod
    def claimed(cls, row: Mapping[str, Any], *, held_until: float) -> Self:
        values = {name: row[name] for name in cls.__slots__ if name not in ("created_at", "held_until")}
        created_at = datetime.fromisoformat(row["created_at"])
        return cls(**values, created_at=created_at, held_until=held_until)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver. `log` is what is kept of it; `retry_after` is in seconds."""

    delivered: bool
    error: str | None = None
    retry_after: float | None = None
    log: Mapping[str, Any] = field(default_factory=dict)

    def as_result(self) -> dict[str, Any]:
        """The form in which the database takes it."""
        log = {**self.log, **({"error": self.error} if self.error else {})}
        return {
            "delivered": self.delivered,
            "error": self.error,
            "retry_after": self.retry_after,
            "log": log,
        }
