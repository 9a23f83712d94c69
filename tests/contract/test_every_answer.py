"""What every answer of every route has, whoever asks and whatever comes of it: an id, and who may read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract.document import OPERATIONS, Operation
from tests.contract.sending import send
from tests.running_stack import RunningStack

FRONTEND, ELSEWHERE = "http://localhost:3001", "https://evil.example"

EVERY_OPERATION = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
ODD_REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an unknown address": ("GET", "/api/nowhere", {}),
    "a wrong method": ("DELETE", "/api/products", {}),
    "no JSON": (
        "POST",
        "/api/auth/login",
        {"content": b"{", "headers": {"content-type": "application/json"}},
    ),
    "another type": (
        "POST",
        "/api/auth/login",
        {"content": b"a=b", "headers": {"content-type": "text/plain"}},
    ),
    "too much": ("POST", "/api/auth/login", {"json": {"email": "x" * 1_000_000, "password": "x"}}),
    "a wrong field": ("POST", "/api/auth/login", {"json": {"email": 7}}),
    "a wrong number": ("GET", "/api/products?limit=many", {}),
    "a forged token": ("GET", "/api/orders", {"headers": {"Authorization": "Bearer forged"}}),
    "a foreign page with a cookie": (
        "POST",
        "/api/orders",
        {"headers": {"Cookie": "nexus_session=x"}, "json": {}},
    ),
}
EVERY_ODD_REQUEST = pytest.mark.parametrize("odd", ODD_REQUESTS.values(), ids=ODD_REQUESTS.keys())


@pytest.fixture
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.api() as client:
        yield client


def assert_readable_by_our_page(answer: httpx.Response) -> None:
    assert answer.headers["access-control-allow-origin"] == FRONTEND
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in answer.headers["vary"]
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"link", "etag", "retry-after", "x-request-id"} <= exposed


@EVERY_OPERATION
def test_our_page_may_read_the_answer_of_every_route(api: httpx.Client, operation: Operation) -> None:
    answer = send(api, operation, headers={"Origin": FRONTEND})

    assert_readable_by_our_page(answer)
    assert answer.headers["x-request-id"]


@EVERY_OPERATION
def test_no_other_page_may_read_any_answer(api: httpx.Client, operation: Operation) -> None:
    for origin in (ELSEWHERE, "null", FRONTEND + ".evil.example", FRONTEND.replace("http:", "https:")):
        answer = send(api, operation, headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers, origin


@EVERY_OPERATION
def test_our_page_may_send_what_a_route_takes(api: httpx.Client, operation: Operation) -> None:
    asked = {
        "Access-Control-Request-Method": operation.method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }

    ours = api.options(operation.address({}), headers={"Origin": FRONTEND, **asked})
    theirs = api.options(operation.address({}), headers={"Origin": ELSEWHERE, **asked})

    assert ours.status_code in (200, 204)
    assert ours.headers["access-control-allow-origin"] == FRONTEND
    assert operation.method in ours.headers["access-control-allow-methods"]
    assert "access-control-allow-origin" not in theirs.headers


@EVERY_ODD_REQUEST
def test_our_page_may_read_every_refusal(api: httpx.Client, odd: tuple[str, str, dict[str, Any]]) -> None:
    method, path, more = odd

    answer = api.request(method, path, **{**more, "headers": {**more.get("headers", {}), "Origin": FRONTEND}})

    assert 400 <= answer.status_code < 500
    assert_readable_by_our_page(answer)
    assert answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert isinstance(answer.json()["error"], str)


@EVERY_OPERATION
def test_a_request_keeps_its_id(api: httpx.Client, operation: Operation) -> None:
    answer = send(api, operation, headers={"x-request-id": "page-0123456789"})

    assert answer.headers["x-request-id"] == "page-0123456789"
