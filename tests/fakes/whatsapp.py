"""A server that speaks the messages part of Meta's WhatsApp Cloud API and misbehaves as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.serving import Request, serving

TOKEN, PHONE_NUMBER_ID = "EAAG-test-token", "106540352242922"

Behaviour = Callable[["FakeWhatsApp", Request], None]


@dataclass
class FakeWhatsApp:
    """`behave` answers the next requests, the last of several from then on. Without the right token or path
    it refuses as Meta does.
    """

    url: str = ""
    behaviours: list[Behaviour] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def behave(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    def answer(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return request.answer(401, _error(190, "Invalid OAuth access token."))
        if request.path != f"/v23.0/{PHONE_NUMBER_ID}/messages":
            return request.answer(400, _error(100, "Unsupported post request."))
        self.messages.append(json.loads(request.body))
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        return behaviour(self, request)


@contextmanager
def fake_whatsapp() -> Iterator[FakeWhatsApp]:
    fake = FakeWhatsApp(behaviours=[accepts])
    with serving(fake.answer) as url:
        fake.url = f"{url}/v23.0"
        try:
            yield fake
        finally:
            fake.ended.set()


def accepts(fake: FakeWhatsApp, request: Request) -> None:
    to = fake.messages[-1]["to"]
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": to, "wa_id": to}],
        "messages": [{"id": f"wamid.{len(fake.messages)}", "message_status": "accepted"}],
    }
    request.answer(200, json.dumps(answer).encode())


def refuses(code: int, status: int = 400, **headers: str) -> Behaviour:
    """Answers with an error code of the Cloud API; its words repeat the number, as Meta's do."""

    def behaviour(fake: FakeWhatsApp, request: Request) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request.answer(status, _error(code, f"Message failed to send to {fake.messages[-1]['to']}"), named)

    return behaviour


def says(body: bytes, status: int = 200) -> Behaviour:
    return lambda _, request: request.answer(status, body)


def hangs(fake: FakeWhatsApp, _: Request) -> None:
    fake.ended.wait(30)


def _error(code: int, message: str) -> bytes:
    return json.dumps(
        {"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Az8"}}
    ).encode()
