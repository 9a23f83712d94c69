"""The cards of the chat, as the API's document describes them. They are made as JSON, by `replies.render`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.findings import Finding, OfferedProduct, ProductFinding, RejectedItem
from shared.money import Money
from shared.openapi import DescribedAs


class CardItem(BaseModel):
    product_id: str = Field(examples=["MED001"])
    product_name: str = Field(examples=["Dolo 650"])
    qty: int = Field(description="Packs", examples=[2])


class PricedItem(CardItem):
    price: Money = Field(description="INR per pack")
    line_total: Money


class ProposedItem(PricedItem):
    package_size: str = Field(examples=["15 Tablets"])
    prescription_required: bool
    dosage_frequency: str = Field(examples=["as_needed"])
    units_per_dose: float = Field(examples=[1])
    warnings: list[Finding]


class OrderConfirmation(BaseModel):
    """What a "yes" would order, until `expires_at`; beside the items, the first of them once more."""

    type: Literal["order_confirmation"]
    proposal_id: UUID
    digest: str = Field(pattern="^[0-9a-f]{64}$", examples=["9f" * 32])
    expires_at: datetime
    items: list[ProposedItem] = Field(min_length=1)
    total: Money
    product_id: str = Field(examples=["MED001"])
    product_name: str = Field(examples=["Dolo 650"])
    price: Money
    quantity: int = Field(description="Packs", examples=[2])
    warnings: list[ProductFinding]
    awaits_pharmacist: bool
    rejected_items: list[RejectedItem] = Field(default=[], description="What was asked for and left out")
    notes: list[str] = Field(description="Such as rounding to packs")


class Clarification(BaseModel):
    type: Literal["clarification"]
    question: str = Field(examples=["There are several kinds of Crocin. Which one do you need?"])
    options: list[OfferedProduct]
    pending: list[dict[str, Any]] = Field(description="What is already understood")


class SafetyAlert(BaseModel):
    """Nothing of what was asked for may be sold."""

    type: Literal["safety_alert"]
    message: str
    rejected_items: list[RejectedItem] = Field(min_length=1)


class OrderStatus(BaseModel):
    """Only when an order was really placed; a repeated confirmation gets the same one."""

    type: Literal["order_status"]
    status: str = Field(examples=["confirmed", "awaiting_pharmacist"])
    order_id: str = Field(examples=["ORD1042"])
    items: list[PricedItem] = Field(min_length=1)
    total: Money
    message: str


class Tracking(BaseModel):
    tracking_number: str = Field(examples=["BD123456789IN"])


class OrderTracking(BaseModel):
    type: Literal["order_tracking"]
    order_id: str = Field(examples=["ORD1042"])
    status: str = Field(examples=["shipped"])
    placed_at: datetime
    tracking: Tracking | None
    items: list[CardItem]
    total: Money
    message: str


class RefillOutlook(BaseModel):
    quantity: int = Field(description="Packs: as last time, or what the prescription still allows")
    price: Money
    line_total: Money
    advice: str = Field(examples=["reorder", "renew"], description="As GET /api/refills says it")
    available: bool
    reason: str | None = Field(description="Why it cannot be ordered now")


class ListedRefill(BaseModel):
    product_id: str = Field(examples=["MED003"])
    product_name: str = Field(examples=["Metformin 500mg"])
    package_size: str
    run_out_on: date = Field(description="The first day without")
    days_left: int
    status: Literal["supplied", "due", "overdue"]
    pdc_90: float | None = Field(description="Proportion of days covered")
    reorder: RefillOutlook


class RefillCard(BaseModel):
    """What the patient takes regularly; what runs out first comes first."""

    type: Literal["refill_list"]
    refills: list[ListedRefill] = Field(min_length=1)
    count: int
    message: str


class Emergency(BaseModel):
    """The sale stops; these can be called."""

    type: Literal["emergency"]
    message: str
    numbers: list[str] = Field(examples=[["112", "108", "14416"]])


Card = Annotated[
    OrderConfirmation | Clarification | SafetyAlert | OrderStatus | OrderTracking | RefillCard | Emergency,
    Field(discriminator="type"),
]
CardJson = Annotated[dict[str, Any], DescribedAs(Card)]
