"""What the health routes report."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Liveness(BaseModel):
    status: Literal["ok"] = "ok"


class Check(BaseModel):
    status: Literal["ok", "down", "not_configured"]
    ms: float | None = Field(default=None, description="Milliseconds the check took")


class Health(BaseModel):
    """`degraded`: orders are still taken, but something beside the database is down."""

    status: Literal["ok", "degraded", "down"]
    checks: dict[str, Check] = Field(examples=[{"database": {"status": "ok", "ms": 4.2}}])
