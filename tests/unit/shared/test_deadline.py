"""No call waits beyond the end of the request that it is made for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared import deadline
from shared.database import Database


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 4_000


def timeout_of_a_call() -> dict[str, Any]:
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, json=None)

    database = Database(
        url="https://project.example",
        publishable_key="key",
        timeout_seconds=10,
        transport=httpx.MockTransport(answer),
    )
    database.acting_as_guest().rpc("anything")
    return seen[0]


def test_a_call_waits_for_as_long_as_is_left_and_a_moment_less() -> None:
    with deadline.within(4):
        timeout = timeout_of_a_call()

    assert 2.5 < timeout["read"] <= 3
    assert 2.5 < timeout["connect"] <= 3


def test_a_call_with_time_enough_keeps_its_own_limits() -> None:
    with deadline.within(29):
        timeout = timeout_of_a_call()

    assert (timeout["connect"], timeout["read"]) == (3, 10)


@pytest.mark.parametrize("seconds", [1, 0, -3])
def test_with_no_time_left_it_hardly_waits_at_all(seconds: float) -> None:
    with deadline.within(seconds):
        assert 0 < timeout_of_a_call()["read"] < 0.1


def test_outside_of_a_request_nothing_is_shortened() -> None:
    assert timeout_of_a_call()["read"] == 10


def test_a_request_has_what_lambda_leaves_it() -> None:
    from fastapi import APIRouter

    from shared.http import create_app, lambda_handler
    from tests.unit.shared.fakes import gateway_event

    router = APIRouter()

    @router.get("/left")
    def left() -> float:
        found: float = timeout_of_a_call()["read"]
        return found

    answer = lambda_handler(create_app("test", router))(gateway_event("GET", "/left"), _Context())

    assert 2.5 < float(answer["body"]) <= 3
