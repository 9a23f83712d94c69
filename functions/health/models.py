"""What the health routes report."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class Liveness(BaseModel):
    status: Literal["ok"] = "ok"


class Check(BaseModel):
    status: Literal["ok", "down", "not_configured"]
    ms: float | None = Field(default=None, description="Milliseconds the check took")
    circuit: Literal["closed", "open", "half_open"] | None = Field(
        default=None,
        description="Whether the function that answers calls it (closed), leaves it alone after five failures"
        " in a row (open), or tries it once (half_open)",
    )


class Health(BaseModel):
    """`degraded`: orders are still taken, but something beside the database is down."""

    status: Literal["ok", "degraded", "down"]
    checks: dict[str, Check] = Field(
        examples=[{"database": {"status": "ok", "ms": 4.2, "circuit": "closed"}}]
    )


class Hour(BaseModel):
    """What happened in one hour."""

    hour: datetime
    decisions: dict[str, int] = Field(
        description="By outcome", examples=[{"proposed": 12, "placed": 7, "refused": 2}]
    )
    delivered: int = Field(description="Events that the partner took")
    failed: int = Field(description="Attempts that failed")


class CountedFinding(BaseModel):
    code: str = Field(examples=["allergy", "interaction"])
    blocked: int
    warned: int


class OutboxState(BaseModel):
    """`waiting`, `overdue` and `dead` are of now, the others of what was written in the time looked at."""

    waiting: int
    overdue: int = Field(description="Waiting for more than two minutes beyond their time")
    dead: int
    written: int
    delivered: int
    median_seconds: float | None = Field(description="From being written to being taken by the partner")


class ServiceOverview(BaseModel):
    """How the service has been doing. `hours` from the first to the one that is not over yet."""

    since: datetime
    until: datetime
    hours: list[Hour]
    refusals: list[CountedFinding] = Field(description="Findings by code, the most frequent first")
    outbox: OutboxState
    notifications: dict[str, int] = Field(description="By status", examples=[{"sent": 5, "queued": 1}])
    reports: dict[str, int] = Field(
        description="Of the partner, by what came of them", examples=[{"applied": 8, "late": 1}]
    )


class WaitingEvent(BaseModel):
    """An event of the outbox, without its content."""

    position: int
    event_id: UUID
    event_type: str = Field(examples=["order.confirmed"])
    destination: Literal["partner", "notification"]
    order_id: str | None = Field(examples=["ORD1042"])
    state: Literal["waiting", "delivered", "dead", "annulled"]
    attempts: int
    last_error: str | None
    created_at: datetime
    available_at: datetime = Field(description="When it is attempted next, while it waits")
    ended_at: datetime | None
    correlation_id: str = Field(description="`x-request-id` of the request that caused it")


class OutboxPage(BaseModel):
    """The latest first."""

    events: list[WaitingEvent]
    next_cursor: int | None
