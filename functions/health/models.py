"""What the health routes report."""

from __future__ import annotations

from typing import Literal

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
