"""What dispatch needs to know beside the database: the partner, the queues and the patients' channels."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal, Self, get_args

import httpx
from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from shared.parameters import Secret
from shared.service import ServiceSettings
from shared.settings import from_environment
from shared.webhooks import parse_secrets

Channel = Literal["email", "sms", "whatsapp", "console"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

_LONGEST_LEASE = 170
"""Seconds. Below the queue's visibility timeout: what a killed dispatcher held is free when its wake-up
returns.
"""


class DispatchSettings(ServiceSettings):
    """Environment variables of the same names in capitals; an empty variable counts as unset."""

    partner_url: str
    """Where the warehouse takes our webhooks: https, and on the public internet, except on the laptop."""
    partner_webhook_secrets: Secret
    """What we sign with: `whsec_...`, or two of them, separated by a comma, while they are exchanged."""
    partner_timeout_seconds: float = Field(default=10, gt=0, le=25)
    """For a whole delivery, from the look-up of the name to the end of the answer."""

    dispatch_at_once: int = Field(default=16, ge=1, le=100)
    dispatch_lease_seconds: float = Field(default=60, gt=0, le=_LONGEST_LEASE)

    outbox_queue_url: str | None = None
    outbox_dead_letter_queue_url: str | None = None
    aws_endpoint_url_sqs: str | None = None

    notification_channels: Annotated[tuple[Channel, ...], NoDecode] = ()
    """Comma-separated. `console` writes to the log and exists on the laptop only."""

    email_sender: str | None = None
    """`Nexus Pharmacy <orders@nexus.example>`; SES must have verified its domain."""
    sms_sender_id: str | None = None
    sms_entity_id: str | None = None
    sms_template_ids: dict[str, str] = Field(default_factory=dict)
    """What India's DLT knows us and our sentences by: {"order_confirmed.hi": "1107..."}."""
    whatsapp_base_url: str = "https://graph.facebook.com/v23.0"
    whatsapp_phone_number_id: str | None = None
    whatsapp_token: Secret | None = None

    aws_endpoint_url_ses: str | None = None
    aws_endpoint_url_sns: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_dash_is_nothing(cls, values: object) -> object:
        """A parameter that a template names cannot be empty, and not every channel is used."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value != "-"}

    @field_validator("partner_url", mode="after")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ValueError(f"is no URL: {error}") from None
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
            raise ValueError("must be an http or https URL with a host and without a login")
        return url

    @field_validator("partner_webhook_secrets", mode="after")
    @classmethod
    def _are_secrets(cls, secrets: Secret) -> Secret:
        parse_secrets(secrets.get_secret_value())
        return secrets

    @field_validator("notification_channels", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(channel.strip() for channel in value.split(",") if channel.strip())

    @model_validator(mode="after")
    def _a_lease_outlives_a_delivery(self) -> Self:
        if self.dispatch_lease_seconds < 2 * self.partner_timeout_seconds:
            raise ValueError("DISPATCH_LEASE_SECONDS must be at least twice PARTNER_TIMEOUT_SECONDS")
        return self

    @model_validator(mode="after")
    def _laptop_stays_on_the_laptop(self) -> Self:
        if self.deployed and not self.partner_url.startswith("https://"):
            raise ValueError(f"PARTNER_URL must be https on STAGE={self.stage}")
        if self.deployed and "console" in self.notification_channels:
            raise ValueError(f"NOTIFICATION_CHANNELS=console is for STAGE=local, not {self.stage}")
        return self

    @model_validator(mode="after")
    def _channels_can_send(self) -> Self:
        needed: dict[str, tuple[object, ...]] = {
            "email": (self.email_sender,),
            "whatsapp": (self.whatsapp_phone_number_id, self.whatsapp_token),
        }
        for channel in self.notification_channels:
            if not all(needed.get(channel, (True,))):
                raise ValueError(f"NOTIFICATION_CHANNELS={channel} needs its own settings too")
        if self.deployed and not self.whatsapp_base_url.startswith("https://"):
            raise ValueError(f"WHATSAPP_BASE_URL must be https on STAGE={self.stage}")
        return self

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        return parse_secrets(self.partner_webhook_secrets.get_secret_value())


@lru_cache(maxsize=1)
def get_dispatch_settings() -> DispatchSettings:
    """Raises pydantic.ValidationError, naming each variable, when one is missing or not allowed."""
    return from_environment(DispatchSettings)
