"""What the partner reports, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from shared.text import Identifier, Line


class FulfilmentUpdate(BaseModel):
    """One step of an order, as the warehouse saw it."""

    order_id: Identifier = Field(examples=["ORD1042"])
    status: Literal["accepted", "packed", "shipped", "delivered", "failed", "cancelled"]
    tracking_number: Annotated[Line, StringConstraints(min_length=1, max_length=100)] | None = None
    reason: Annotated[Line, StringConstraints(max_length=500)] | None = Field(
        default=None, description="For staff; patients are told in our own words"
    )


class FulfilmentEvent(BaseModel):
    """A webhook in the form of Standard Webhooks. Members that are not named here are ignored."""

    type: Literal["fulfillment.updated"]
    timestamp: AwareDatetime = Field(description="When it happened")
    data: FulfilmentUpdate


def event_schema() -> dict[str, Any]:
    """The event's JSON schema in one piece, for a route that reads the body by itself."""
    schema = FulfilmentEvent.model_json_schema()
    schema["properties"]["data"] = schema.pop("$defs")["FulfilmentUpdate"]
    return schema


class Receipt(BaseModel):
    """`recorded`: stored for good, so there is no need to send it again."""

    status: Literal["recorded"] = "recorded"
    duplicate: bool = Field(description="It had been recorded before")
