"""What an order looks like to the patient who placed it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from shared.money import Money


class OrderLine(BaseModel):
    product_id: str = Field(examples=["MED001"])
    product_name: str = Field(examples=["Dolo 650"])
    quantity: int = Field(description="Packs", examples=[2])
    unit_price: Money = Field(description="INR per pack, as sold")
    line_total: Money
    warnings: list[dict[str, Any]] = Field(
        description="What the clinical checks said when it was sold: code, message, source"
    )


class Order(BaseModel):
    order_id: str = Field(examples=["ORD1042"])
    status: str = Field(examples=["confirmed", "awaiting_pharmacist", "shipped", "delivered", "cancelled"])
    total_price: Money
    placed_at: datetime
    items: list[OrderLine]
    tracking: dict[str, Any] | None


class OrderPage(BaseModel):
    """Newest first. `next_cursor` is null on the last page."""

    orders: list[Order]
    count: int = Field(description="Orders on this page")
    next_cursor: str | None
