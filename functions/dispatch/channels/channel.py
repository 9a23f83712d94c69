"""What a way of reaching a patient has to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from functions.dispatch.message import Message


@dataclass(frozen=True, slots=True)
class Sent:
    """How sending ended. `refused`: this address will never take it, so another channel should."""

    accepted: bool
    refused: bool = False
    error: str | None = None
    retry_after: float | None = None
    provider_id: str | None = None


class Channel(Protocol):
    async def send(self, address: str, message: Message, *, reference: str) -> Sent:
        """Send once. `reference` is the notification's id, for providers that carry one. May raise anything:
        that is a failed attempt.
        """
