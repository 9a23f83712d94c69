"""What is asked of the refills function, and what refills and alerts look like."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.money import Money
from shared.openapi import Problem
from shared.text import Identifier, Line

Packs = Annotated[int, Field(strict=True, ge=1, le=9999, examples=[2])]
Reason = Annotated[
    Line, StringConstraints(min_length=3, max_length=500), Field(examples=["Bought it elsewhere"])
]
Share = Annotated[
    float | None,
    Field(ge=0, le=1, description="Proportion of days covered; null when not known", examples=[0.93]),
]

Advice = Literal["reorder", "renew", "upload", "out_of_stock", "too_soon", "ask_pharmacist"]
"""`renew`: the prescription has ended or is used up; `upload`: there never was one."""


class Reorder(BaseModel):
    """What verification says now of ordering it again. To do so, POST `body` to `href`."""

    quantity: int = Field(description="Packs: as last time, or what the prescription still allows")
    price: Money = Field(description="INR per pack")
    line_total: Money
    advice: Advice
    available: bool = Field(description="Whether it could be ordered now")
    reason: str | None = Field(description="Why not")
    warnings: list[dict[str, Any]] = Field(description="What it would be sold with: code, message, source")
    awaits_pharmacist: bool = Field(description="Whether a pharmacist would look at the order first")
    href: str = Field(examples=["/api/refills/reorder"])
    body: dict[str, Any] = Field(examples=[{"items": [{"product_id": "MED003"}]}])


class Refill(BaseModel):
    """A medicine that is taken regularly."""

    product_id: str = Field(examples=["MED003"])
    product_name: str = Field(examples=["Metformin 500mg"])
    package_size: str
    dosage_frequency: str = Field(examples=["twice_daily"])
    units_per_dose: float
    last_bought_on: date
    run_out_on: date = Field(description="The first day without, in the patient's time zone")
    days_left: int = Field(description="0: it is out today; below 0: since when")
    status: Literal["supplied", "due", "overdue", "discontinued", "replaced"]
    reminders: bool = Field(description="Whether reminders are sent before it runs out")
    replaced_by: str | None = Field(examples=["Metformin 1000 mg"])
    alert_id: int | None
    snoozed_until: date | None
    pdc_90: Share = None
    pdc_180: Share = None
    reorder: Reorder


class RefillList(BaseModel):
    """What runs out first comes first."""

    refills: list[Refill]
    count: int


class RefillItem(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product_id: Identifier = Field(examples=["MED003"])
    quantity: Packs | None = Field(default=None, description="Packs; as last time when left out")


class ReorderRequest(BaseModel):
    """Without `items` everything that is due or overdue."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})

    items: Annotated[list[RefillItem], Field(min_length=1, max_length=20)] | None = None
    patient_id: Identifier | None = Field(default=None, description="Staff names whom it is for")


class ReorderCard(BaseModel):
    """A proposal, as in the chat. It is ordered with POST /api/orders {proposal_id, digest}."""

    type: Literal["order_confirmation"]
    proposal_id: UUID
    digest: str
    expires_at: datetime
    items: list[dict[str, Any]] = Field(
        description="product_id, product_name, qty (packs), price, line_total, package_size, "
        "prescription_required, warnings"
    )
    total: Money
    product_id: str = Field(description="Of the first item, like the next three")
    product_name: str
    price: Money
    quantity: int
    warnings: list[dict[str, Any]]
    awaits_pharmacist: bool
    rejected_items: list[dict[str, Any]] = Field(default=[], description="What was left out, and why")
    questions: list[str] = Field(description="What the profile must say before it can be ordered")
    trace_id: UUID


class RefusalProblem(Problem):
    rejected_items: list[dict[str, Any]] = Field(default=[], description="Why, for each product")
    trace_id: UUID | None = None


class DiscontinueRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product_id: Identifier = Field(examples=["MED003"])
    reason: Reason
    patient_id: Identifier | None = Field(default=None, description="Staff names whom it is about")


class Discontinued(BaseModel):
    product_id: str
    status: Literal["discontinued"]


class RefillAlert(BaseModel):
    alert_id: int
    patient_id: str = Field(examples=["PAT001"])
    patient_name: str
    product_id: str = Field(examples=["MED003"])
    product_name: str
    quantity: int = Field(description="Packs bought last time")
    run_out_on: date
    days_left: int
    status: Literal["open", "snoozed", "closed"]
    closed_reason: (
        Literal["refilled", "recalculated", "discontinued", "replaced", "lapsed", "dismissed"] | None
    )
    closed_at: datetime | None
    snoozed_until: date | None
    reason: str | None = Field(description="The staff's, for putting it off or dismissing it")
    advice: Advice | None = Field(description="What a reorder met when the last reminder was due")
    last_reminder: int | None = Field(description="Lead time in days", examples=[7])
    reminded_at: datetime | None
    pdc_90: Share = None
    pdc_180: Share = None
    created_at: datetime


class AlertPage(BaseModel):
    alerts: list[RefillAlert]
    next_cursor: int | None


class Snooze(BaseModel):
    model_config = ConfigDict(extra="forbid")

    until: date = Field(description="Within the next 90 days")
    reason: Reason


class Dismissal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason
    discontinued: bool = Field(default=False, description="The patient takes it no more")


class ScanReport(BaseModel):
    scanned: int = Field(description="Patients whose supplies were worked out")
    alerts_created: int
    alerts_closed: int
    reminders: int = Field(description="Queued, to be sent outside the patients' quiet hours")
    failures: int = Field(description="Patients who had to be left out")
    complete: bool = Field(description="False when the time was over: the schedule does the rest")
