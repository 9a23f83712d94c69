"""The form of every answer: errors, request ids, CORS, limits. All functions share it."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Query, Request, Response
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from starlette.types import Message

from shared.errors import Conflict, NexusError, NotFound, TooManyRequests
from shared.http import JSON_BODY_LIMIT, create_app, lambda_handler, problem_response
from shared.money import Money
from shared.text import Identifier, Line, Paragraph
from tests.unit.shared.fakes import FRONTEND, client_of, gateway_event

router = APIRouter()


class Note(BaseModel):
    title: Line
    text: Paragraph = Field(default="", max_length=2000)
    copies: int = Field(default=1, ge=1)
    price: Money | None = None
    label: Annotated[Line, Field(max_length=5)] | None = None


@router.post("/api/notes")
def write(note: Note) -> Note:
    return note


@router.get("/api/notes/{note_id}")
def read(note_id: Identifier, page: Annotated[int, Query(ge=1)] = 1) -> dict[str, str]:
    raise NotFound("There is no such note.", code="note_not_found", extra={"looked_for": note_id})


@router.get("/api/broken")
def broken() -> None:
    raise RuntimeError("connection to db.internal failed for rahul@example.com")


@router.get("/api/busy")
def busy() -> None:
    raise TooManyRequests(headers={"Retry-After": "30"})


app = create_app("notes", router)


@pytest.fixture
def client() -> TestClient:
    return client_of(app)


def test_an_error_has_all_its_members(client: TestClient) -> None:
    answer = client.get("/api/notes/N7")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such note.",
        "instance": "/api/notes/N7",
        "error": "There is no such note.",
        "code": "note_not_found",
        "looked_for": "N7",
    }


def test_extra_members_cannot_replace_the_standard_ones() -> None:
    request = Request({"type": "http", "path": "/x", "headers": []})

    answer = problem_response(request, Conflict("Taken.", extra={"status": 200, "error": {}}))

    assert json.loads(bytes(answer.body))["status"] == 409
    assert json.loads(bytes(answer.body))["error"] == "Taken."


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nowhere", 404, "not_found"),
        ("GET", "/api/notes/N7/", 404, "not_found"),
        ("DELETE", "/api/notes", 405, "method_not_allowed"),
        ("GET", "/api/notes/N7?page=0", 422, "validation_failed"),
        ("GET", "/api/notes/N%007", 422, "validation_failed"),
        ("GET", "/api/notes/%F0%9F%92%8A", 422, "validation_failed"),
        ("GET", "/api/notes/" + "N" * 65, 422, "validation_failed"),
        ("GET", "/api/busy", 429, "rate_limited"),
    ],
)
def test_requests_that_cannot_be_served(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert isinstance(answer.json()["error"], str)


def test_refusals_keep_the_headers_that_explain_them(client: TestClient) -> None:
    assert client.delete("/api/notes").headers["allow"] == "POST"
    assert client.get("/api/busy").headers["retry-after"] == "30"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"{'title': 1}",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"copies":' + b"9" * 5000 + b"}",
        b'{"title":"\x00"}',
    ],
)
def test_a_body_that_is_no_json_is_400(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/notes", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == (422 if body == b"" else 400)


def test_a_text_that_is_too_long_is_told_in_characters(client: TestClient) -> None:
    answer = client.post("/api/notes", json={"title": "a", "label": "x" * 6})

    assert answer.json()["errors"] == [
        {"field": "label", "message": "String should have at most 5 characters"}
    ]


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_json_must_be_declared_as_such(client: TestClient, content_type: str | None) -> None:
    """A foreign page can post text and forms anywhere, but JSON only where CORS lets it."""
    headers = {"content-type": content_type} if content_type else {}

    answer = client.post("/api/notes", content=b'{"title":"x"}', headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": 7}, "title"),
        ({"title": None}, "title"),
        ({"title": ["x"]}, "title"),
        ({"title": "nul \0"}, "title"),
        ({"title": "bell \a"}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x", "text": "x" * 2001}, "text"),
        ({"title": "x", "copies": 0}, "copies"),
        ({"title": "x", "copies": 1.5}, "copies"),
        ({"title": "x", "copies": 10**30}, None),
        ({"title": "x", "price": 1.001}, "price"),
        ([], "body"),
        ("x", "body"),
        (None, "body"),
    ],
)
def test_wrong_content_is_422_and_names_the_field(client: TestClient, body: Any, field: str | None) -> None:
    answer = client.post("/api/notes", json=body)

    if field is None:
        assert answer.status_code == 200  # Python's integers have no end; a route gives its own limits
    else:
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_lone_surrogate_is_refused_and_can_be_reported(client: TestClient) -> None:
    body = b'{"title": "half a smile \\ud83d", "copies": 0}'

    answer = client.post("/api/notes", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"title", "copies"}


def test_refusals_do_not_repeat_what_was_sent(client: TestClient) -> None:
    assert "hunter2" not in client.post("/api/notes", json={"title": ["hunter2"]}).text


def test_devanagari_joiners_and_emoji_are_text(client: TestClient) -> None:
    sent = {"title": "  क्‍या डोलो 650 है? 👨‍⚕️ ", "text": "एक\nदो\t"}

    answer = client.post("/api/notes", json=sent).json()

    assert answer["title"] == "क्‍या डोलो 650 है? 👨‍⚕️"
    assert answer["text"] == "एक\nदो"


def test_money_is_a_json_number(client: TestClient) -> None:
    assert '"price":30.1' in client.post("/api/notes", json={"title": "x", "price": 30.10}).text
    assert '"price":60.0' in client.post("/api/notes", json={"title": "x", "price": "60"}).text


# --- limits -------------------------------


def test_a_large_body_is_413(client: TestClient) -> None:
    answer = client.post("/api/notes", json={"title": "x" * JSON_BODY_LIMIT})

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_a_large_body_is_413_even_when_it_claims_to_be_small() -> None:
    event = gateway_event(
        "POST", "/api/notes", body="x" * (JSON_BODY_LIMIT + 1), headers={"content-length": "5"}
    )

    assert lambda_handler(app)(event, None)["statusCode"] == 413


def test_a_large_body_is_413_where_none_is_read(client: TestClient) -> None:
    assert client.request("GET", "/api/busy", content=b"x" * (JSON_BODY_LIMIT + 1)).status_code == 413


@pytest.mark.parametrize(
    ("larger", "most"),
    [
        ({}, JSON_BODY_LIMIT),
        ({"/api/notes": 1_000_000}, 1_000_000),
        ({"/api/others": 1_000_000}, JSON_BODY_LIMIT),
    ],
)
def test_a_stream_without_end_is_read_to_the_limit_of_its_path(larger: dict[str, int], most: int) -> None:
    piece = b"x" * 10_000
    taken = 0
    said: list[Message] = []

    async def receive() -> Message:
        nonlocal taken
        taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Message) -> None:
        said.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/api/notes", "query_string": b"", "headers": headers}
    asyncio.run(create_app("long-notes", router, larger_bodies=larger)(scope, receive, send))

    assert said[0]["status"] == 413
    assert most < taken <= most + len(piece)


# --- what nobody expected -------------------------------


def test_an_unexpected_error_is_500_without_internals(client: TestClient) -> None:
    answer = client.get("/api/broken")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "rahul" not in answer.text
    assert "db.internal" not in answer.text


def test_an_unexpected_error_is_logged_with_its_request_id_and_without_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    client_of(create_app("logged-notes", router)).get("/api/broken", headers={"x-request-id": "req-12345678"})

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failure = next(line for line in lines if line["level"] == "ERROR")
    assert failure["correlation_id"] == "req-12345678"
    assert failure["exception"].startswith("RuntimeError\n")
    assert "broken" in failure["exception"]
    assert "rahul" not in json.dumps(lines)


# --- every answer -------------------------------

EVERY_KIND = ["/api/notes/N7", "/api/nowhere", "/api/broken", "/api/notes", "/api/notes/N7?page=x"]


@pytest.mark.parametrize("path", EVERY_KIND)
def test_every_answer_has_a_request_id(client: TestClient, path: str) -> None:
    assert (
        client.get(path, headers={"x-request-id": "req-12345678"}).headers["x-request-id"] == "req-12345678"
    )
    assert len(client.get(path).headers["x-request-id"]) == 36


@pytest.mark.parametrize("request_id", ["x", "a" * 101, "id with spaces", "<script>alert(1)</script>"])
def test_a_strange_request_id_is_replaced(client: TestClient, request_id: str) -> None:
    assert len(client.get("/api/nowhere", headers={"x-request-id": request_id}).headers["x-request-id"]) == 36


@pytest.mark.parametrize("path", EVERY_KIND)
def test_our_pages_may_read_every_answer(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Origin": FRONTEND})

    assert answer.headers["access-control-allow-origin"] == FRONTEND
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "x-request-id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", EVERY_KIND)
def test_other_pages_may_not(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Origin": "https://evil.example"})

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/api/notes/N7", "/api/broken", "/nowhere"])
@pytest.mark.parametrize("headers", [{}, {"Origin": FRONTEND}, {"Origin": "https://evil.example"}])
def test_a_cache_keeps_answers_for_different_origins_apart(
    client: TestClient, path: str, headers: dict[str, str]
) -> None:
    assert client.get(path, headers=headers).headers["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/api/notes/N7", "/api/broken", "/nowhere"])
def test_nothing_is_kept_unless_a_route_allows_it(client: TestClient, path: str) -> None:
    assert client.get(path).headers["cache-control"] == "no-store"


def test_a_preflight_is_answered_for_our_pages(client: TestClient) -> None:
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,idempotency-key,authorization",
    }

    assert client.options("/api/notes", headers={"Origin": FRONTEND, **asked}).status_code == 200
    assert (
        client.options("/api/notes", headers={"Origin": "https://evil.example", **asked}).status_code == 400
    )


# --- as API Gateway calls it -------------------------------


def test_a_gateway_event_goes_in_and_a_gateway_answer_comes_out() -> None:
    answer = lambda_handler(app)(gateway_event("POST", "/api/notes", body={"title": "बुखार"}), None)

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["title"] == "बुखार"
    assert answer["isBase64Encoded"] is False


def test_errors_leave_the_gateway_as_text() -> None:
    answer = lambda_handler(app)(gateway_event("GET", "/api/nowhere"), None)

    assert answer["statusCode"] == 404
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert answer["isBase64Encoded"] is False


def test_an_odd_host_header_changes_nothing() -> None:
    for host in ("[", "a b", ""):
        answer = lambda_handler(app)(gateway_event("GET", "/api/nowhere", headers={"host": host}), None)
        assert answer["statusCode"] == 404


def test_a_function_may_add_to_its_errors_or_replace_them() -> None:
    def render(request: Request, error: NexusError) -> Response:
        return problem_response(request, error, reply="Sorry.")

    chatty = client_of(create_app("chatty", router, render_problem=render))

    for path in EVERY_KIND:
        assert chatty.get(path).json()["reply"] == "Sorry."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=30)
@given(JSON | st.fixed_dictionaries({"title": JSON, "text": JSON, "copies": JSON, "price": JSON}))
def test_no_json_at_all_makes_a_5xx(body: Any) -> None:
    answer = client_of(app).post(
        "/api/notes", content=json.dumps(body), headers={"content-type": "application/json"}
    )

    assert answer.status_code < 500


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_a_5xx(body: bytes) -> None:
    answer = client_of(app).post("/api/notes", content=body, headers={"content-type": "application/json"})

    assert answer.status_code < 500
