"""Stock by product and by lot, and what staff does to it. Quantities are packs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.days import Day
from shared.money import Money
from shared.openapi import Problem
from shared.text import Line, Paragraph

Reason = Annotated[
    Paragraph, StringConstraints(min_length=3, max_length=500), Field(examples=["Two strips broken"])
]
Threshold = Annotated[int, Field(strict=True, ge=0, le=1_000_000, examples=[20])]
Counted = Annotated[int, Field(strict=True, ge=0, le=1_000_000, examples=[42])]
BatchId = Annotated[int, Field(ge=1, le=999_999_999)]


class Lot(BaseModel):
    """One lot of a product. `on_shelf` is what somebody who counts finds: `quantity` and `reserved`."""

    batch_id: int = Field(examples=[17])
    product_id: str = Field(examples=["MED001"])
    lot: str = Field(description="As printed on the pack", examples=["DL2407"])
    expiry: date
    days_left: int = Field(description="0 on the day of expiry, from which on it is not sold; then negative")
    status: Literal["available", "held", "recalled"]
    status_reason: str | None
    status_changed_at: datetime | None
    sellable: bool = Field(description="Available and not expired")
    quantity: int = Field(description="Packs that are in no order")
    reserved: int = Field(description="Packs of orders that have not left yet")
    on_shelf: int
    received_at: datetime


class LotProblem(Problem):
    """What stands against it: the packs that are free and those that orders have, or the lot as it is."""

    quantity: int | None = None
    reserved: int | None = None
    orders: list[str] | None = Field(default=None, description="That have packs of the lot and have not left")
    batch: Lot | None = None


class ExpiringLot(Lot):
    product_name: str = Field(examples=["Dolo 650"])


class ExpiringLots(BaseModel):
    """The first to expire first."""

    batches: list[ExpiringLot]
    count: int = Field(description="Lots on this page")
    days: int = Field(description="How soon counts as soon")
    next_cursor: str | None


class Defaults(BaseModel):
    """What counts for products without a threshold of their own, and how soon an expiry is near."""

    model_config = ConfigDict(extra="forbid")

    low_stock_threshold: Threshold
    near_expiry_days: Annotated[int, Field(strict=True, ge=1, le=3650, examples=[90])]


class ProductStock(BaseModel):
    product_id: str = Field(examples=["MED001"])
    product_name: str = Field(examples=["Dolo 650"])
    category: str
    package_size: str = Field(examples=["15 Tablets"])
    price: Money
    stock_quantity: int = Field(description="Packs that can be sold now", examples=[500])
    reserved: int = Field(description="Packs of orders that have not left yet")
    held: int
    recalled: int
    expired: int = Field(description="Packs whose lot expired while it was for sale")
    expiring: int = Field(description="Of `stock_quantity`, packs that expire within `near_expiry_days`")
    next_expiry: date | None = Field(description="Of what can be sold")
    low_stock: bool
    low_stock_threshold: int = Field(description="Low means: this many packs or fewer can be sold")


class StockPage(BaseModel):
    """By product id."""

    products: list[ProductStock]
    count: int = Field(description="Products on this page")
    next_cursor: str | None
    defaults: Defaults


class ProductInventory(ProductStock):
    batches: list[Lot] = Field(
        description="The first to expire first; empty ones only while held, recalled or reserved"
    )


class CountedLot(BaseModel):
    model_config = ConfigDict(extra="forbid")

    batch_id: Annotated[BatchId, Field(strict=True)]
    counted: Counted = Field(description="Packs on the shelf, those of waiting orders included")


class InventoryChange(BaseModel):
    """A threshold (null: the default), or what was counted of lots, with the reason; or both."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"counts": [{"batch_id": 17, "counted": 42}], "reason": "Stocktaking"}]
        },
    )

    low_stock_threshold: Threshold | None = None
    counts: Annotated[list[CountedLot], Field(min_length=1, max_length=500)] | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.counts is None and "low_stock_threshold" not in self.model_fields_set:
            raise ValueError("give low_stock_threshold or counts")
        if self.counts is not None and self.reason is None:
            raise ValueError("a count needs a reason")
        return self


class Delivery(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"lot": "DL2407", "expiry": "2028-06-30", "packs": 200}]},
    )

    lot: Annotated[Line, StringConstraints(min_length=1, max_length=50)] = Field(
        description="As printed; case and spaces do not matter"
    )
    expiry: Day = Field(description="The day from which on it is not sold")
    packs: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    note: Annotated[Line, StringConstraints(max_length=500)] | None = Field(
        default=None, description="Such as the supplier's invoice", examples=["Invoice 4711"]
    )


class Correction(BaseModel):
    """Exactly one of `change`, `counted` and `expiry`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [{"required": ["change"]}, {"required": ["counted"]}, {"required": ["expiry"]}],
            "examples": [{"change": -2, "reason": "Two strips broken"}],
        },
    )

    change: Annotated[int, Field(strict=True, ge=-1_000_000, le=1_000_000)] | None = Field(
        default=None, description="Packs found (+) or lost (-), not 0"
    )
    counted: Counted | None = Field(
        default=None, description="Packs on the shelf, those of waiting orders included"
    )
    expiry: Day | None = Field(default=None, description="As printed; a later one is for a pharmacist")
    reason: Reason

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(value is not None for value in (self.change, self.counted, self.expiry)) != 1:
            raise ValueError("give exactly one of change, counted and expiry")
        if self.change == 0:
            raise ValueError("a change of 0 is none")
        return self


class Because(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Movement(BaseModel):
    """Packs that came or went; the changes of a lot add up to its quantity."""

    movement_id: int
    batch_id: int
    lot: str
    change: int = Field(examples=[-2])
    quantity_after: int = Field(description="Of the lot")
    kind: str = Field(examples=["opening", "received", "sold", "restocked", "corrected", "unexplained"])
    order_id: str | None
    reason: str | None
    moved_at: datetime
    moved_by: str | None = Field(description="A user name of the staff or a patient's id", examples=["admin"])


class MovementPage(BaseModel):
    """The latest first."""

    movements: list[Movement]
    count: int = Field(description="Movements on this page")
    next_cursor: str | None


class Recipient(BaseModel):
    """Somebody whose order has packs of the lot."""

    patient_id: str = Field(examples=["PAT012"])
    name: str
    phone: str | None
    email: str
    order_id: str = Field(examples=["ORD1042"])
    status: str = Field(examples=["delivered"])
    packs: int
    ordered_at: datetime
    shipped_at: datetime | None
    delivered_at: datetime | None
    left_us: bool = Field(description="If not, cancelling the order puts the packs back into the lot")


class Recipients(BaseModel):
    """Who got packs of a lot, the latest order first. The numbers are of all pages."""

    batch: Lot
    recipients: list[Recipient]
    count: int = Field(description="Orders")
    packs: int
    open_orders: int = Field(description="Orders that have not left yet: cancel them")
    next_cursor: str | None
