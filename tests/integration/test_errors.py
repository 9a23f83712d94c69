"""Bad input through the real gateway: always the one error form, never a 5xx, nothing stored half."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator

import httpx
import jwt
import psycopg
import pytest

from tests.running_stack import RunningStack

FRONTEND = "http://localhost:3001"
EVERY_POST = ["/api/auth/register", "/api/auth/login", "/api/admin/login"]
FOR_PEOPLE = ["/api/patients/me", "/api/patients/PAT012", "/api/orders", "/api/orders/ORD001"]


@pytest.fixture
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.api() as client:
        yield client


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    problem = answer.json()
    assert problem["status"] == status
    for member in ("type", "title", "detail", "instance", "error", "code"):
        assert isinstance(problem[member], str), member


@pytest.mark.parametrize("path", EVERY_POST)
@pytest.mark.parametrize("body", [b"{", b"{'a': 1}", b"\xff\xfe", b"[" * 10_000, b'{"email": }'])
def test_malformed_json_is_400(api: httpx.Client, path: str, body: bytes) -> None:
    assert_problem(api.post(path, content=body, headers={"content-type": "application/json"}), 400)


@pytest.mark.parametrize("path", EVERY_POST)
@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        "null",
        "7",
        '{"email": 1, "username": [], "password": {}}',
        '{"email": "a\\u0000@example.com", "username": "a\\u0000", "password": "secret-1"}',
        '{"email": "\\ud800@example.com", "username": "\\ud800", "password": "\\ud800secret"}',
    ],
)
def test_wrong_content_is_422_and_names_fields(api: httpx.Client, path: str, body: str) -> None:
    answer = api.post(path, content=body, headers={"content-type": "application/json"})

    assert_problem(answer, 422)
    assert all(error.keys() == {"field", "message"} for error in answer.json()["errors"])


def test_a_refused_registration_stores_nothing(stack: RunningStack, api: httpx.Client) -> None:
    form = {"name": "Nul\0", "email": "nul@example.com", "phone": "+919812345678", "password": "secret-1"}

    assert_problem(api.post("/api/auth/register", json=form), 422)

    with psycopg.connect(stack.database_url) as database:
        assert database.execute("select 1 from auth.users where email = 'nul@example.com'").fetchone() is None


@pytest.mark.parametrize("body", ["false", "0", '""', '"{}"', '"null"', "[]"])
def test_a_body_is_read_as_it_was_sent(stack: RunningStack, body: str) -> None:
    """Also one that a gateway could take for none, or for the object that a string spells."""
    with stack.as_patient("anjali@example.com") as anjali:
        answer = anjali.post(
            "/api/orders/ORD9/cancel", content=body, headers={"content-type": "application/json"}
        )

    assert_problem(answer, 422)


def test_a_huge_body_is_413(api: httpx.Client) -> None:
    assert_problem(api.post("/api/auth/login", json={"email": "x" * 1_000_000, "password": "x"}), 413)


@pytest.mark.parametrize("path", ["/api", "/api/nowhere", "/api/products/MED001/reviews", "/.env"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_addresses_are_404(api: httpx.Client, path: str, method: str) -> None:
    assert_problem(api.request(method, path), 404)


@pytest.mark.parametrize(
    "path", ["/api/products", "/api/orders", "/api/patients/me", "/api/auth/login", "/health"]
)
def test_a_wrong_method_is_405_and_says_the_right_one(api: httpx.Client, path: str) -> None:
    answer = api.delete(path)

    assert_problem(answer, 405)
    allowed = set(answer.headers["allow"].split(", "))
    assert allowed in ({"GET"}, {"POST"}, {"GET", "POST"}, {"GET", "PUT"})


@pytest.mark.parametrize("path", FOR_PEOPLE)
def test_no_token_is_401(api: httpx.Client, path: str) -> None:
    answer = api.get(path)

    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", FOR_PEOPLE)
def test_bad_tokens_are_401(stack: RunningStack, api: httpx.Client, path: str) -> None:
    good = stack.patient_token("anjali@example.com")
    claims = jwt.decode(good, options={"verify_signature": False})
    header, payload, _ = good.split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    forged = {
        "expired": jwt.encode({**claims, "exp": int(time.time()) - 60}, stack.jwt_secret),
        "another secret": jwt.encode(claims, "x" * 40),
        "no signature": f"{none}.{payload}.",
        "cut": f"{header}.{payload}.",
        "service role": jwt.encode({**claims, "role": "service_role"}, stack.jwt_secret),
        "publishable key": stack.publishable_key,
        "garbage": "garbage",
    }

    for kind, token in forged.items():
        answer = api.get(path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, kind
        assert_problem(answer, 401)


def test_a_token_of_an_account_that_is_gone_opens_nothing(stack: RunningStack, api: httpx.Client) -> None:
    good = stack.patient_token("anjali@example.com")
    claims = jwt.decode(good, options={"verify_signature": False})
    nobody = jwt.encode({**claims, "sub": "00000000-0000-4000-8000-000000000000"}, stack.jwt_secret)

    for path in FOR_PEOPLE:
        answer = api.get(path, headers={"Authorization": f"Bearer {nobody}"})
        assert answer.status_code in (403, 404), path


@pytest.mark.parametrize(
    "path", ["/api/products", "/api/patients/me", "/api/nowhere", "/api/products?limit=x"]
)
def test_our_pages_can_read_every_answer(api: httpx.Client, path: str) -> None:
    answer = api.get(path, headers={"Origin": FRONTEND})

    assert answer.headers["access-control-allow-origin"] == FRONTEND
    assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("path", ["/api/products", "/api/auth/login", "/api/nowhere"])
def test_preflights_are_answered(api: httpx.Client, path: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

    ours = api.options(path, headers={"Origin": FRONTEND, **asked})
    theirs = api.options(path, headers={"Origin": "https://evil.example", **asked})

    assert ours.headers["access-control-allow-origin"] == FRONTEND
    assert ours.status_code in (200, 204)
    assert theirs.headers.get("access-control-allow-origin") is None


def test_a_request_id_comes_back(api: httpx.Client) -> None:
    assert (
        api.get("/health", headers={"x-request-id": "req-12345678"}).headers["x-request-id"] == "req-12345678"
    )


def test_health_reports_its_parts(api: httpx.Client) -> None:
    report = api.get("/health/detailed").json()

    assert (report["status"], report["checks"]["database"]["status"]) == ("ok", "ok")
    assert report["checks"]["queue"]["status"] == "ok"
