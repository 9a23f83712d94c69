"""WhatsApp, through Meta's Cloud API.

A business may begin a conversation only with a template that was approved before, in the patient's language:
`order_confirmed`, `order_failed_retry`, ... The sentences lie with Meta; we send what they are filled with.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import httpx

from functions.dispatch.channels.channel import Sent
from functions.dispatch.message import Message

_REFUSED_ADDRESS = frozenset({131021, 131026, 131030, 131050})
"""Cloud API error codes: sender and recipient are the same, cannot be reached, is not on the allowed list,
wants nothing from us.
"""
_MOST_OF_AN_ANSWER = 64 * 1024


class WhatsApp:
    """`base_url` is that of the Graph API with its version, for example https://graph.facebook.com/v23.0."""

    def __init__(self, *, base_url: str, phone_number_id: str, token: str, timeout_seconds: float) -> None:
        self._url = f"{base_url.rstrip('/')}/{phone_number_id}/messages"
        self._token = token
        self._timeout_seconds = timeout_seconds

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=self._timeout_seconds,
            follow_redirects=False,
            trust_env=False,
            headers={"Authorization": f"Bearer {self._token}"},
        )

    async def send(self, address: str, message: Message, *, reference: str) -> Sent:
        async with self._client.stream(
            "POST", self._url, json=_content(address, message, reference)
        ) as response:
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MOST_OF_AN_ANSWER:
                    return Sent(accepted=False, error="answer too long")
        answer = _read(httpx.Response(response.status_code, content=body))
        if response.status_code == 200 and (messages := answer.get("messages")):
            return Sent(accepted=True, provider_id=str(messages[0].get("id")))
        code = answer.get("error", {}).get("code")
        return Sent(
            accepted=False,
            refused=code in _REFUSED_ADDRESS,
            error=f"HTTP {response.status_code}" + (f" code {code}" if isinstance(code, int) else ""),
            retry_after=_seconds(response.headers.get("retry-after", "")),
        )


def _content(address: str, message: Message, reference: str) -> dict[str, Any]:
    template: dict[str, Any] = {"name": message.template, "language": {"code": message.language}}
    if message.parameters:
        parameters = [{"type": "text", "text": value} for value in message.parameters]
        template["components"] = [{"type": "body", "parameters": parameters}]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": address.removeprefix("+"),
        "type": "template",
        "template": template,
        "biz_opaque_callback_data": reference,
    }


def _read(response: httpx.Response) -> dict[str, Any]:
    """The answer's members; whatever else came is no answer. Error parts that are no objects are dropped."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    if not isinstance(answer, dict):
        return {}
    kept: dict[str, Any] = {}
    if isinstance(answer.get("error"), dict):
        kept["error"] = answer["error"]
    messages = answer.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[0], dict):
        kept["messages"] = messages
    return kept


def _seconds(header: str) -> float | None:
    return float(header) if header.isascii() and header.isdigit() and len(header) < 7 else None
