"""Standard Webhooks, both ways: who signed these bytes, and when.

A wrapper over `standardwebhooks`, which raises four kinds of exception on garbage and knows one secret at a
time. Up to two secrets are active: while one replaces the other, we sign with both and accept either.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from standardwebhooks import Webhook, WebhookVerificationError

from shared.errors import Unauthenticated

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
ID_LENGTH = 255
"""Characters of an id that we keep."""

_PREFIX = "whsec_"
_SHORTEST_SECRET = 24  # bytes, as Standard Webhooks asks for
_LONGEST_HEADER = 1000
_MOST_SECRETS = 2


class BadSignature(Unauthenticated):
    code = "invalid_signature"
    sentence = "The signature is missing, wrong or older than five minutes."
    headers = MappingProxyType({"WWW-Authenticate": "StandardWebhooks"})


class Signatures:
    """Signs and verifies with one secret, or with two while they are being exchanged."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._webhooks = [Webhook(secret) for secret in secrets]

    def sign(self, webhook_id: str, moment: datetime, body: bytes) -> dict[str, str]:
        """The headers of a webhook sent at `moment` (with time zone)."""
        text = body.decode()
        return {
            ID: webhook_id,
            TIMESTAMP: str(int(moment.timestamp())),
            SIGNATURE: " ".join(webhook.sign(webhook_id, moment, text) for webhook in self._webhooks),
        }

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of a webhook that somebody with one of the secrets signed in the last five minutes.

        Header names are lower-case. Raises BadSignature for anything else, whatever the bytes are.
        """
        signed = {name: headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)}
        if any(not value or len(value) > _LONGEST_HEADER for value in signed.values()):
            raise BadSignature()
        for webhook in self._webhooks:
            # One by one: the library gives up at the first signature it cannot read.
            for signature in signed[SIGNATURE].split():
                try:
                    webhook.verify(body, {**signed, SIGNATURE: signature}, json_parse=False)
                except (WebhookVerificationError, ValueError, OverflowError):
                    continue  # binascii.Error and UnicodeDecodeError are ValueErrors
                return signed[ID]
        raise BadSignature()


def parse_secrets(text: str) -> tuple[str, ...]:
    """One or two secrets, separated by spaces or commas. Raises ValueError, without quoting any of them."""
    secrets = tuple(text.replace(",", " ").split())
    if not 1 <= len(secrets) <= _MOST_SECRETS:
        raise ValueError("must be one secret, or two while they are exchanged")
    for secret in secrets:
        digits = secret.removeprefix(_PREFIX).rstrip("=")
        try:
            key = base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not secret.startswith(_PREFIX) or len(key) < _SHORTEST_SECRET:
            raise ValueError(f"each secret is {_PREFIX} and {_SHORTEST_SECRET} bytes or more in base64")
    return secrets
