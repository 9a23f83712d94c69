"""How the gateway speaks to PostgREST, and what its failures mean to a caller."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.circuit import Circuit, states
from shared.database import Database, DatabaseDown
from shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    InvalidToken,
    NexusError,
    NotFound,
    TooManyRequests,
    Unavailable,
)

Answer = Callable[[httpx.Request], httpx.Response]


def database(answer: Answer, circuit: Circuit | None = None) -> Database:
    return Database(
        url="https://project.example",
        publishable_key="sb_publishable_test",
        timeout_seconds=2,
        transport=httpx.MockTransport(answer),
        circuit=circuit,
    )


def answering(status: int, **body: Any) -> Database:
    return database(lambda _: httpx.Response(status, json=body))


def test_a_call_is_one_post_to_the_function_with_its_arguments() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"order_id": "ORD1"})

    assert database(answer).acting_as("token").rpc("get_order", {"p_order_id": "ORD1"}) == {
        "order_id": "ORD1"
    }
    assert (seen[0].method, seen[0].url.path) == ("POST", "/rest/v1/rpc/get_order")
    assert json.loads(seen[0].content) == {"p_order_id": "ORD1"}


def test_every_call_carries_its_own_callers_token() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        assert request.headers["apikey"] == "sb_publishable_test"
        return httpx.Response(200, json=None)

    shared = database(answer)
    anjali, rahul = shared.acting_as("anjali"), shared.acting_as("rahul")
    for gateway in (anjali, rahul, anjali, shared.acting_as_guest()):
        gateway.rpc("staff_profile")

    assert seen == ["Bearer anjali", "Bearer rahul", "Bearer anjali", None]


@pytest.mark.parametrize("answer", [None, [], {}, [1, 2], "text", 7, True])
def test_the_answer_is_returned_as_it_is(answer: Any) -> None:
    gateway = database(lambda _: httpx.Response(200, text=json.dumps(answer))).acting_as_guest()

    assert gateway.rpc("anything") == answer


def test_an_sql_functions_own_error_keeps_its_code_sentence_and_members() -> None:
    failing = answering(
        409,
        code="PT409",
        message="out_of_stock",
        details="Only 3 packs are left.",
        hint=json.dumps({"findings": [{"code": "out_of_stock"}]}),
    )

    with pytest.raises(Conflict) as raised:
        failing.acting_as("t").rpc("place_order")

    assert raised.value.code == "out_of_stock"
    assert raised.value.sentence == "Only 3 packs are left."
    assert raised.value.extra == {"findings": [{"code": "out_of_stock"}]}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (404, {"code": "PT404", "message": "order_not_found"}, NotFound, "order_not_found"),
        (422, {"code": "PT422", "message": "invalid_profile", "hint": ""}, Invalid, "invalid_profile"),
        (403, {"code": "42501", "message": "permission denied for table x"}, Forbidden, "forbidden"),
        (401, {"code": "PGRST301", "message": "JWT expired"}, InvalidToken, "invalid_token"),
        (401, {"code": "PGRST303", "message": "JWT claims"}, InvalidToken, "invalid_token"),
        (409, {"code": "23505", "message": "duplicate key"}, Conflict, "conflict"),
        (400, {"code": "22021", "message": "invalid byte sequence"}, Invalid, "validation_failed"),
        (500, {"code": "57014", "message": "statement timeout"}, Unavailable, "database_unavailable"),
        (503, {"code": "PGRST002", "message": "no connection"}, DatabaseDown, "database_unavailable"),
        (503, {"message": "name resolution failed"}, DatabaseDown, "database_unavailable"),
        (500, {"code": "53300", "message": "too many connections"}, DatabaseDown, "database_unavailable"),
        (500, {"code": "40P01", "message": "deadlock detected"}, Unavailable, "busy"),
        (500, {"code": "55P03", "message": "lock not available"}, Unavailable, "busy"),
        (401, {"message": "Invalid API key"}, NexusError, "internal"),
        (404, {"code": "PGRST202", "message": "no such function"}, NexusError, "internal"),
        (400, {"code": "P0001", "message": "secret of the schema"}, NexusError, "internal"),
    ],
)
def test_failures_get_their_meaning(
    status: int, body: dict[str, Any], kind: type[NexusError], code: str
) -> None:
    with pytest.raises(NexusError) as raised:
        answering(status, **body).acting_as("t").rpc("anything")

    assert type(raised.value) is kind
    assert raised.value.code == code
    assert "schema" not in raised.value.sentence


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.PoolTimeout("busy"),
        httpx.RemoteProtocolError("closed"),
    ],
)
def test_an_unreachable_database_is_503_and_asked_once(failure: httpx.HTTPError) -> None:
    asked = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        raise failure

    with pytest.raises(Unavailable) as raised:
        database(answer).acting_as("t").rpc("place_order")

    assert raised.value.code == "database_unavailable"
    assert asked == 1


@pytest.mark.parametrize("status", [502, 503, 504, 520])
def test_an_error_page_of_a_proxy_is_503(status: int) -> None:
    with pytest.raises(Unavailable):
        database(lambda _: httpx.Response(status, html="<h1>Bad gateway</h1>")).acting_as_guest().rpc(
            "anything"
        )


def test_what_was_too_often_says_when_it_may_be_tried_again() -> None:
    gateway = answering(
        429, code="PT429", message="rate_limited", details="Please wait.", hint='{"retry_after": 17}'
    ).acting_as_guest()

    with pytest.raises(TooManyRequests) as refused:
        gateway.rpc("take_rate")

    assert refused.value.headers == {"Retry-After": "17"}
    assert (refused.value.code, refused.value.extra) == ("rate_limited", {})


def test_a_database_that_keeps_failing_is_left_alone_for_a_moment() -> None:
    now = [0.0]
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if now[0] < 5:
            raise httpx.ConnectError("nobody there")
        return httpx.Response(200, json=7)

    circuit = Circuit("database", rest_seconds=5, clock=lambda: now[0])
    gateway = database(answer, circuit=circuit).acting_as("t")
    for _ in range(8):
        with pytest.raises(DatabaseDown) as raised:
            gateway.rpc("anything")
        assert raised.value.headers["Retry-After"] == "5"
    assert len(asked) == 5
    now[0] = 5

    assert gateway.rpc("anything") == 7


@pytest.mark.parametrize("body", [{"code": "57014"}, {"code": "40P01"}, {"code": "PT404", "message": "x"}])
def test_what_fails_alone_opens_no_circuit(body: dict[str, str]) -> None:
    gateway = answering(500, **{"message": "m", **body}).acting_as("t")

    for _ in range(8):
        with pytest.raises(NexusError):
            gateway.rpc("anything")

    assert states()["database"] == "closed"


def test_a_failure_that_is_none_of_postgrests_is_an_outage() -> None:
    between = database(lambda _: httpx.Response(500, text="<html>Internal Server Error</html>"))

    with pytest.raises(DatabaseDown):
        between.acting_as("t").rpc("anything")
