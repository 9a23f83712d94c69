"""A server that speaks Gemini's REST API (`models/<model>:generateContent`) and misbehaves as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.serving import Request, serving

Behaviour = Callable[["FakeGemini", Request], None]


@dataclass
class FakeGemini:
    """`behave` answers the next requests; the last of several stays. `received` is every body that came."""

    url: str = ""
    behaviours: list[Behaviour] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def behave(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    def answer(self, request: Request) -> None:
        self.received.append(request.body.decode())
        self.paths.append(request.path)
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        behaviour(self, request)


@contextmanager
def fake_gemini() -> Iterator[FakeGemini]:
    fake = FakeGemini()
    with serving(fake.answer) as url:
        fake.url = url
        try:
            yield fake
        finally:
            fake.ended.set()


def claims(intent: str, *medicines: dict[str, Any], **more: Any) -> Behaviour:
    """Answers with this claim, as a well-behaved model would."""
    return says(json.dumps({"intent": intent, "medicines": list(medicines), **more}))


def says(text: str, finish: str = "STOP") -> Behaviour:
    """Answers with this text in the right envelope."""
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": finish, "index": 0}
    return answers({"candidates": [candidate], "usageMetadata": _USAGE})


def answers(body: dict[str, Any]) -> Behaviour:
    return lambda _, request: request.answer(200, json.dumps(body).encode())


def fails(status: int, **headers: str) -> Behaviour:
    """Answers with an error as Google's API gives it, which repeats what it was asked."""

    def behaviour(_: FakeGemini, request: Request) -> None:
        error = {"code": status, "message": f"cannot answer {request.body.decode()}", "status": "FAILED"}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request.answer(status, json.dumps({"error": error}).encode(), names)

    return behaviour


def hangs(fake: FakeGemini, request: Request) -> None:
    """Never answers."""
    fake.ended.wait(30)


def drips(fake: FakeGemini, request: Request) -> None:
    """Answers a byte at a time, each within any timeout for one read."""
    request.start(200, 10_000)
    for _ in range(300):
        if fake.ended.wait(0.1):
            return
        request.write(b" ")


def blocks(fake: FakeGemini, request: Request) -> None:
    """Refuses for safety: no candidate."""
    answers({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": _USAGE})(fake, request)


def hangs_up(fake: FakeGemini, request: Request) -> None:
    request.start(200, 10_000)
    raise ConnectionError


_USAGE = {"promptTokenCount": 400, "candidatesTokenCount": 40, "totalTokenCount": 440}
