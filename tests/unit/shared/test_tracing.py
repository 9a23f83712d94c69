"""X-Ray: only for invocations that Lambda samples, because its SDK takes longer than all other imports."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from shared import tracing
from shared.tracing import traced


class Tracer:
    def __init__(self) -> None:
        self.options: list[dict[str, Any]] = []

    def capture_lambda_handler(self, handler: Any, **options: Any) -> Any:
        self.options.append(options)
        return handler


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> Tracer:
    fake = Tracer()
    monkeypatch.setattr(tracing, "_tracer", lambda _: fake)
    return fake


@traced("test")
def handler(event: dict[str, Any], _context: Any) -> int:
    return len(event)


def test_without_a_sampled_trace_nothing_is_recorded(tracer: Tracer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert handler({"a": 1}, None) == 1
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
    assert handler({"a": 1}, None) == 1

    assert tracer.options == []
    assert "aws_xray_sdk" not in sys.modules


def test_a_sampled_one_is_recorded_without_what_it_says(
    tracer: Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")

    assert handler({"a": 1}, None) == 1
    assert tracer.options == [{"capture_response": False, "capture_error": False}]
