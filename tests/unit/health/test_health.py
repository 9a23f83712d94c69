"""Health: alive without asking anyone; in detail, what answers and how fast."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event

import pytest

from functions.health import routes, service
from functions.health.handler import app
from functions.health.parts import part_probes, queue_probe
from shared.circuit import CircuitOpen
from shared.errors import Unavailable
from shared.http import lambda_handler
from tests.unit.shared.fakes import FakeGateway, client_of, gateway_event, settings

UP = FakeGateway({"health_check": {"database": True}})
DOWN = FakeGateway({"health_check": Unavailable(code="database_unavailable")})


def fine() -> None: ...


def broken() -> None:
    raise ConnectionError("no queue")


def test_being_alive_asks_nobody() -> None:
    gateway = FakeGateway()

    assert client_of(app, gateway=gateway).get("/health").json() == {"status": "ok"}
    assert gateway.calls == []


@pytest.mark.parametrize(
    ("database", "queue", "overall", "queue_status"),
    [
        (UP, fine, "ok", "ok"),
        (UP, None, "ok", "not_configured"),
        (UP, broken, "degraded", "down"),
        (DOWN, fine, "down", "ok"),
        (DOWN, broken, "down", "down"),
    ],
)
def test_orders_need_the_database_and_not_the_queue(
    database: FakeGateway, queue: Callable[[], None] | None, overall: str, queue_status: str
) -> None:
    health = service.health(database, {"queue": queue})

    assert health.status == overall
    assert health.checks["queue"].status == queue_status
    assert health.checks["database"].ms is not None


def test_a_part_that_hangs_is_down_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PATIENCE_SECONDS", 0.05)
    ended = Event()

    health = service.health(UP, {"queue": lambda: ended.wait(20), "auth": fine})

    ended.set()
    assert (health.status, health.checks["queue"].status, health.checks["auth"].status) == (
        "degraded",
        "down",
        "ok",
    )


def test_a_part_that_keeps_failing_is_left_alone_and_the_report_says_so() -> None:
    unreachable = settings(outbox_queue_url="http://127.0.0.1:9/queue")
    parts = part_probes(unreachable)
    auth = parts["auth"]
    assert auth

    for _ in range(5):
        report = service.health(UP, {"auth": auth}).checks["auth"]
        assert report.status == "down"

    assert report.circuit == "open"
    with pytest.raises(CircuitOpen):
        auth()


def test_with_the_database_down_the_answer_is_503_and_still_a_report() -> None:
    answer = client_of(app, gateway=DOWN).get("/health/detailed")

    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["checks"]["database"]["status"] == "down"


def test_with_all_up_the_answer_is_200(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "part_probes", lambda _: {"auth": fine, "storage": fine, "queue": None})

    answer = client_of(app, gateway=UP).get("/health/detailed")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_a_queue_is_probed_only_where_there_is_one() -> None:
    assert queue_probe(settings()) is None
    assert queue_probe(settings(outbox_queue_url="http://127.0.0.1:9/queue")) is not None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/api", "/api/nowhere", "/api/products/MED001/reviews"])
def test_addresses_nobody_serves_are_404_in_the_usual_form(method: str, path: str) -> None:
    answer = lambda_handler(app)(gateway_event(method, path, body={}), None)

    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == "not_found"
