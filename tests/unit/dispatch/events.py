"""Events as a dispatcher holds them, for tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from functions.dispatch.events import Event


def event(event_id: str = "0b6c9a52-6a0e-4a53-9f0e-3d6f3b1f4c11", **changes: Any) -> Event:
    usual: dict[str, Any] = {
        "event_id": event_id,
        "lease_token": "lease",
        "event_type": "order.confirmed",
        "destination": "partner",
        "order_id": "ORD1",
        "notification_id": None,
        "payload": {},
        "attempt": 1,
        "correlation_id": "request-1",
        "created_at": datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
        "held_until": time.monotonic() + 60,
    }
    return Event(**{**usual, **changes})
