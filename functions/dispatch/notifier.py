"""Patients: by the channel the database names, in their language."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from functions.dispatch.channels.channel import Channel, Sent
from functions.dispatch.events import Attempt, Event
from shared.database import Gateway


class Notifier:
    """Sends the notifications of events. To whom, whether and how is asked of the database each time: a
    choice or a night may have come since it was queued.
    """

    def __init__(self, database: Gateway, channels: Mapping[str, Channel], *, timeout_seconds: float) -> None:
        self._database = database
        self._channels = channels
        self._timeout_seconds = timeout_seconds

    @property
    def channels(self) -> Sequence[str]:
        return tuple(self._channels)

    async def deliver(self, event: Event) -> Attempt | None:
        """None when there is nothing to send (any more). Raises the gateway's errors."""
        prepared = await asyncio.to_thread(
            self._database.rpc,
            "prepare_notification",
            {
                "p_event_id": event.event_id,
                "p_lease_token": event.lease_token,
                "p_channels": list(self._channels),
            },
        )
        if prepared["state"] != "send":
            return None
        channel = prepared["channel"]
        started = time.monotonic()
        sent = await self._send(event, prepared)
        log = {
            "channel": channel,
            "kind": prepared["kind"],
            "ms": round((time.monotonic() - started) * 1000),
            "outcome": "sent" if sent.accepted else "refused" if sent.refused else "failed",
        }
        if sent.provider_id:
            log["provider_id"] = sent.provider_id
        return Attempt(delivered=sent.accepted, error=sent.error, retry_after=sent.retry_after, log=log)

    async def _send(self, event: Event, prepared: Mapping[str, Any]) -> Sent:
        from functions.dispatch.wording import render  # Fluent costs a cold start a third of its time

        try:
            message = render(prepared["kind"], prepared["language"], prepared["arguments"])
            async with asyncio.timeout(self._timeout_seconds):
                return await self._channels[prepared["channel"]].send(
                    prepared["address"], message, reference=str(event.notification_id)
                )
        except TimeoutError:
            return Sent(accepted=False, error="timeout")
        except Exception as failure:  # a provider may answer anything at all
            return Sent(accepted=False, error=type(failure).__name__)
