"""A warehouse partner that receives webhooks as ours does and answers them badly on purpose."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from shared.webhooks import Signatures
from tests.fakes.serving import Request, serving

Behaviour = Callable[["FakePartner", Request], None]


@dataclass(frozen=True)
class Received:
    webhook_id: str
    type: str
    data: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass
class FakePartner:
    """`behave` answers the next requests, the last of several from then on. It refuses to receive what is not
    signed for it.
    """

    signatures: Signatures
    behaviours: list[Behaviour] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def behave(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    def answer(self, request: Request) -> None:
        webhook_id = self.signatures.verify(request.headers, request.body)
        content = json.loads(request.body)
        with self._lock:
            self.received.append(
                Received(
                    webhook_id,
                    content["type"],
                    content["data"],
                    request.headers,
                    request.body,
                    datetime.now(UTC),
                )
            )
            behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        behaviour(self, request)

    def about(self, order_id: str) -> list[Received]:
        return [each for each in self.received if each.data.get("order_id") == order_id]


@contextmanager
def fake_partner(secret: str, port: int) -> Iterator[FakePartner]:
    fake = FakePartner(Signatures([secret]), [accepts])
    with serving(fake.answer, port=port):
        try:
            yield fake
        finally:
            fake.ended.set()


def accepts(_: FakePartner, request: Request) -> None:
    request.answer(200, b"{}")


def fails(status: int, **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, request: request.answer(status, b'{"error": "no"}', named)


def hangs(fake: FakePartner, _: Request) -> None:
    """Never answers."""
    fake.ended.wait(30)


def drips(fake: FakePartner, request: Request) -> None:
    """Begins to answer and never ends, each byte within any timeout for one read."""
    request.start(200, 100_000)
    while not fake.ended.wait(0.05):
        request.write(b" ")


def floods(_: FakePartner, request: Request) -> None:
    """Answers with a body that nobody should read to its end."""
    request.start(200, 1 << 40)
    while True:
        request.write(b"x" * 65536)


def hangs_up(_: FakePartner, request: Request) -> None:
    request.start(200, 10_000)
    raise ConnectionError


def report(
    api_url: str,
    signatures: Signatures,
    webhook_id: str,
    order_id: str,
    status: str,
    *,
    at: datetime | None = None,
    **data: str,
) -> httpx.Response:
    """What the partner tells us of an order, signed as it would be."""
    content = {
        "type": "fulfillment.updated",
        "timestamp": (at or datetime.now(UTC)).isoformat(),
        "data": {"order_id": order_id, "status": status, **data},
    }
    body = json.dumps(content).encode()
    return httpx.post(
        f"{api_url}/api/webhooks/fulfillment",
        content=body,
        headers={
            "content-type": "application/json",
            **signatures.sign(webhook_id, datetime.now(UTC), body),
        },
        timeout=30,
    )
