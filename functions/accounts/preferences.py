"""How a patient wants to be told what becomes of orders, prescriptions and refills."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.database import Gateway
from shared.days import ClockTime
from shared.text import Line


class NotificationPreferences(BaseModel):
    model_config = ConfigDict(extra="forbid")

    channel: Literal["email", "sms", "whatsapp", "none"] = Field(
        description="Where it cannot be used, for want of a number for example, it is an e-mail"
    )
    time_zone: Annotated[Line, StringConstraints(min_length=1, max_length=64)] = Field(
        default="Asia/Kolkata", description="An IANA name", examples=["Asia/Kolkata"]
    )
    quiet_from: ClockTime = Field(default=time(21), description="Local time from which nothing is sent")
    quiet_until: ClockTime = Field(default=time(9), description="The same as `quiet_from` means never quiet")


def preferences(database: Gateway, patient_id: str) -> NotificationPreferences:
    """Raises Forbidden for another's, NotFound for nobody's."""
    return NotificationPreferences.model_validate(
        database.rpc("notification_preferences", {"p_patient_id": patient_id})
    )


def set_preferences(
    database: Gateway, patient_id: str, wanted: NotificationPreferences
) -> NotificationPreferences:
    """Raises Forbidden, NotFound, Invalid (unknown_time_zone)."""
    arguments = {f"p_{name}": value for name, value in wanted.model_dump(mode="json").items()}
    return NotificationPreferences.model_validate(
        database.rpc("set_notification_preferences", {**arguments, "p_patient_id": patient_id})
    )
