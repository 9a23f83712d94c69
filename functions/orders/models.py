"""What is asked of the orders function, and what orders look like: to their patient, and to staff."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.findings import FindingJson, ProductFindingJson, RejectedItemJson
from shared.money import Money
from shared.openapi import Problem
from shared.text import Identifier, Line

Packs = Annotated[int, Field(strict=True, ge=1, le=9999, examples=[2])]

DosageFrequency = Annotated[
    Line,
    StringConstraints(min_length=1, max_length=50),
    Field(examples=["once_daily", "twice_daily", "as_needed"]),
]
"""The frequencies are data; the database refuses an unknown one."""


class OrderedItem(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product_id: Identifier = Field(examples=["MED001"])
    quantity: Packs


class Dosage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dosage_frequency: DosageFrequency
    units_per_dose: float = Field(default=1, gt=0, le=9999, description="Tablets, millilitres, ...")


class OrderRequest(BaseModel):
    """Exactly one of: `items`; `proposal_id` with `digest`; `product_id` with `quantity`.

    A misspelt field is refused, not ignored: what is ordered must be what was meant.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [
                {"required": ["items"]},
                {"required": ["proposal_id", "digest"]},
                {"required": ["product_id", "quantity"]},
            ],
            "examples": [{"items": [{"product_id": "MED021", "quantity": 2}]}],
        },
    )

    items: Annotated[list[OrderedItem], Field(min_length=1, max_length=20)] | None = None
    dosage: DosageFrequency | Dosage | None = Field(
        default=None, description="How all items will be taken, when it is not as prescribed or as before"
    )
    proposal_id: UUID | None = None
    digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = Field(
        default=None, description="Of the card that is confirmed"
    )
    product_id: Identifier | None = None
    quantity: Packs | None = None
    patient_id: Identifier | None = Field(default=None, description="Staff names whom the order is for")

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        named = {
            name
            for name in ("items", "proposal_id", "digest", "product_id", "quantity")
            if getattr(self, name) is not None
        }
        if named not in ({"items"}, {"proposal_id", "digest"}, {"product_id", "quantity"}):
            raise ValueError("give either items, or proposal_id and digest, or product_id and quantity")
        if self.dosage is not None and self.proposal_id is not None:
            raise ValueError("a proposal has its dosage already")
        return self


class Cancellation(BaseModel):
    reason: Annotated[Line, StringConstraints(max_length=300)] | None = None


class OrderLine(BaseModel):
    product_id: str = Field(examples=["MED001"])
    product_name: str = Field(examples=["Dolo 650"])
    quantity: int = Field(description="Packs", examples=[2])
    unit_price: Money = Field(description="INR per pack, as sold")
    line_total: Money
    warnings: list[FindingJson] = Field(
        description="What the clinical checks said when it was sold: code, message, source; `overridden` "
        "with the pharmacist's reason where one let it pass"
    )


class Tracking(BaseModel):
    tracking_number: str = Field(examples=["BD123456789IN"])


class Order(BaseModel):
    order_id: str = Field(examples=["ORD1042"])
    status: str = Field(examples=["confirmed", "awaiting_pharmacist", "shipped", "delivered", "cancelled"])
    total_price: Money
    placed_at: datetime
    items: list[OrderLine]
    tracking: Tracking | None


class PlacedOrder(Order):
    trace_id: UUID = Field(description="Of what was checked and decided")


class OrderPage(BaseModel):
    """Newest first. `next_cursor` is null on the last page."""

    orders: list[Order]
    count: int = Field(description="Orders on this page")
    next_cursor: str | None


class AdminOrderLine(BaseModel):
    """One line of an order. Its id is its own; the status is that of the whole order."""

    order_id: str = Field(examples=["ORD1042-1"])
    patient_id: str = Field(examples=["PAT012"])
    patient_name: str
    product_id: str = Field(examples=["MED001"])
    product_name: str = Field(examples=["Dolo 650"])
    quantity: int = Field(description="Packs")
    total_price: Money = Field(description="Of this line")
    purchase_date: date
    dosage_frequency: str
    status: str


class AdminOrderPage(BaseModel):
    """Newest first. The numbers count lines over all pages, not only those on this one."""

    orders: list[AdminOrderLine]
    count: int
    pending: int = Field(description="Lines still on their way to the patient")
    delivered: int
    next_cursor: str | None


class StatusStep(BaseModel):
    """One step of an order, and who took it."""

    from_: str = Field(alias="from", examples=["confirmed"])
    to: str = Field(examples=["shipped"])
    changed_at: datetime
    changed_by: str | None = Field(
        description="A user name of the staff or the patient's id; null for the service", examples=["admin"]
    )
    role: str = Field(examples=["admin", "pharmacist", "patient", "service"])
    reason: str | None


class OrderHistory(BaseModel):
    """The steps of an order, oldest first; `placed_by` is patient, staff or import."""

    order_id: str = Field(examples=["ORD1042"])
    placed_at: datetime
    placed_by: str = Field(examples=["patient"])
    changes: list[StatusStep]


class OutboxEvent(BaseModel):
    """What an order caused for the warehouse partner, and how its delivery stands."""

    event_id: UUID
    event_type: str = Field(examples=["order.confirmed", "order.cancelled"])
    state: str = Field(examples=["waiting", "delivered", "dead", "annulled"])
    attempts: int
    last_error: str | None
    created_at: datetime
    available_at: datetime = Field(description="When it is attempted next, while it waits")
    ended_at: datetime | None
    correlation_id: str = Field(description="`x-request-id` of the request that caused it")


class Exchange(BaseModel):
    """What passed between us and the partner: `out` with its answer, `in` with what it did to the order."""

    direction: Literal["out", "in"]
    subject: str = Field(examples=["order.confirmed", "accepted", "shipped"])
    outcome: str = Field(examples=["delivered", "applied", "late"])
    webhook_id: str
    attempt: int | None
    http_status: int | None = Field(examples=[200])
    ms: float | None
    reason: str | None
    logged_at: datetime


class Told(BaseModel):
    kind: str = Field(examples=["order.shipped"])
    status: str = Field(examples=["queued", "sent", "superseded"])
    channel: str | None = Field(examples=["email"])
    created_at: datetime
    not_before: datetime = Field(description="Outside the patient's quiet hours")
    sent_at: datetime | None


class OrderDeliveries(BaseModel):
    """The order's way to the warehouse and back; each list in the order of happening."""

    order_id: str = Field(examples=["ORD1042"])
    events: list[OutboxEvent]
    exchanges: list[Exchange]
    notifications: list[Told] = Field(description="What the patient was told of it")


class OrderProblem(Problem):
    """Of an order that was not placed: what was found, and what is missing or offered instead."""

    findings: list[ProductFindingJson] | None = None
    rejected_items: list[RejectedItemJson] | None = Field(
        default=None, description="With the reason, and alternatives where the law allows them"
    )
    questions: list[str] | None = Field(default=None, description="Fields of the profile that are missing")
    card: dict[str, Any] | None = Field(default=None, description="The new offer, if there is one")
    trace_id: UUID | None = Field(default=None, description="For /api/decisions/{trace_id}")


class StaffListProblem(Problem):
    """The staff page reads its list and its numbers from errors too: they are empty."""

    orders: list[AdminOrderLine] = Field(max_length=0, examples=[[]])
    count: Literal[0] = Field(examples=[0])
    pending: Literal[0] = Field(examples=[0])
    delivered: Literal[0] = Field(examples=[0])


class StatusChange(BaseModel):
    status: Literal["confirmed", "processing", "shipped", "delivered", "cancelled"]
