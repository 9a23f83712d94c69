"""What the webhooks function needs to know beside the database."""

from __future__ import annotations

from functools import lru_cache

from pydantic import field_validator

from shared.parameters import Secret
from shared.service import ServiceSettings
from shared.settings import from_environment
from shared.webhooks import Signatures, parse_secrets


class WebhookSettings(ServiceSettings):
    """Environment variables of the same names in capitals; an empty variable counts as unset."""

    incoming_webhook_secrets: Secret
    """What the partner signs with: `whsec_...`, or two, separated by a comma, while they are exchanged."""

    @field_validator("incoming_webhook_secrets", mode="after")
    @classmethod
    def _are_secrets(cls, secrets: Secret) -> Secret:
        parse_secrets(secrets.get_secret_value())
        return secrets


@lru_cache(maxsize=1)
def get_webhook_settings() -> WebhookSettings:
    """Raises pydantic.ValidationError, naming each variable, when one is missing or not allowed."""
    return from_environment(WebhookSettings)


def partner_signatures() -> Signatures:
    """Made for each request: the secrets may have been rotated."""
    return Signatures(parse_secrets(get_webhook_settings().incoming_webhook_secrets.get_secret_value()))
