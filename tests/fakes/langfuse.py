"""A server that receives what Langfuse's SDK sends: OTLP traces over HTTP, and scores."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.serving import Request, serving


@dataclass
class Span:
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]


@dataclass
class FakeLangfuse:
    """With `hanging` set, it takes connections and never answers."""

    url: str = ""
    hanging: bool = False
    spans: list[Span] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Everything that came, unpacked."""
    paths: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request) -> None:
        self.paths.append(request.path)
        if self.hanging:
            self.ended.wait(30)
            return
        packed = {name.lower(): value for name, value in request.headers.items()}.get(
            "content-encoding"
        ) == "gzip"
        body = gzip.decompress(request.body) if packed else request.body
        self.bodies.append(body)
        if request.path == "/api/public/otel/v1/traces":
            self.spans += _read_spans(body)
            request.answer(200, b"", {"content-type": "application/x-protobuf"})
        elif request.path.startswith("/api/public/scores"):
            scores = json.loads(body)
            listed = scores if isinstance(scores, list) else scores.get("scores", [scores])
            self.scores += listed
            created = [{"id": score.get("id", "x"), "status": 201} for score in listed]
            request.answer(207, json.dumps({"successes": created, "errors": [], "results": created}).encode())
        else:
            request.answer(404, b"{}")


@contextmanager
def fake_langfuse() -> Iterator[FakeLangfuse]:
    fake = FakeLangfuse()
    with serving(fake.answer) as url:
        fake.url = url
        try:
            yield fake
        finally:
            fake.ended.set()


def _read_spans(body: bytes) -> list[Span]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest.FromString(body)
    return [
        Span(
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            attributes={known.key: _value(known.value) for known in span.attributes},
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value") or "string_value")
