"""The laptop's channel: what a patient would get, as a line of the log."""

from __future__ import annotations

from functions.dispatch.channels.channel import Sent
from functions.dispatch.message import Message


class Console:
    async def send(self, address: str, message: Message, *, reference: str) -> Sent:  # noqa: ARG002
        words = " ".join(filter(None, (message.line, message.details)))
        print(f"[{message.kind}] {message.title}: {words}", flush=True)  # noqa: T201
        return Sent(accepted=True, provider_id=reference)
