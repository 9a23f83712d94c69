"""Sessions on the real Auth: browsers that stay signed in, refresh tokens that work once, signing out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest

from tests.contract.people import newcomer
from tests.running_stack import DEMO_PASSWORD, RunningStack

FRONTEND = {"Origin": "http://localhost:3001"}


@pytest.fixture
def browser(stack: RunningStack) -> Iterator[httpx.Client]:
    """Signed in, with cookies and nothing else; as somebody whom nobody else signs out."""
    somebody = newcomer(stack)
    with stack.api() as client:
        client.headers.update(FRONTEND)
        signed_in = client.post("/api/auth/login", json={"email": somebody.email, "password": "monsoon-7"})
        assert signed_in.status_code == 200, signed_in.text
        yield client


def let_the_access_token_run_out(stack: RunningStack, browser: httpx.Client) -> None:
    claims = jwt.decode(browser.cookies["nexus_session"], options={"verify_signature": False})
    expired = jwt.encode({**claims, "exp": int(time.time()) - 60}, stack.jwt_secret, algorithm="HS256")
    browser.cookies.delete("nexus_session")
    browser.cookies.set("nexus_session", expired, domain="localhost.local", path="/")


def test_a_browser_is_still_signed_in_an_hour_later(stack: RunningStack, browser: httpx.Client) -> None:
    me = browser.get("/api/patients/me").json()
    let_the_access_token_run_out(stack, browser)

    assert browser.get("/api/patients/me").json() == me
    # By the cookies of that answer, and in another function.
    assert browser.get("/api/orders").status_code == 200
    assert browser.post("/api/chat", json={"message": "hello"}).status_code == 200


def test_it_can_also_begin_with_a_function_that_signs_nobody_in(
    stack: RunningStack, browser: httpx.Client
) -> None:
    browser.cookies.delete("nexus_session")  # as a browser does when its time is over

    answer = browser.post("/api/chat", json={"message": "hello"})

    assert answer.status_code == 200
    assert browser.cookies["nexus_session"]


def test_day_after_day(stack: RunningStack, browser: httpx.Client) -> None:
    seen = {browser.cookies["nexus_session_refresh"]}
    for _ in range(4):
        let_the_access_token_run_out(stack, browser)
        assert browser.get("/api/patients/me").status_code == 200
        seen.add(browser.cookies["nexus_session_refresh"])

    assert len(seen) == 5


def test_several_requests_of_a_page_may_find_the_session_run_out_at_once(
    stack: RunningStack, browser: httpx.Client
) -> None:
    refresh_token = browser.cookies["nexus_session_refresh"]

    def ask(path: str) -> int:
        with stack.api() as api:
            api.cookies.set("nexus_session_refresh", refresh_token)
            return api.get(path).status_code

    with ThreadPoolExecutor(4) as page:
        statuses = list(page.map(ask, ["/api/patients/me", "/api/orders"] * 2))

    assert statuses == [200] * 4


def test_a_client_without_cookies_refreshes_by_itself(stack: RunningStack) -> None:
    with stack.api() as api:
        signed_in = api.post(
            "/api/auth/login", json={"email": "anjali@example.com", "password": DEMO_PASSWORD}
        )
    with stack.api() as api:
        answer = api.post("/api/auth/refresh", json={"refresh_token": signed_in.json()["refresh_token"]})

    assert answer.status_code == 200, answer.text
    assert "set-cookie" not in answer.headers
    with stack.api(answer.json()["token"]) as api:
        assert api.get("/api/patients/me").json()["patient_id"] == signed_in.json()["patient_id"]


def test_signing_out_ends_what_the_refresh_token_could_do(stack: RunningStack, browser: httpx.Client) -> None:
    refresh_token = browser.cookies["nexus_session_refresh"]
    let_the_access_token_run_out(stack, browser)  # also then

    assert browser.post("/api/auth/logout").json() == {"signed_out": True}

    assert dict(browser.cookies) == {}
    assert browser.get("/api/patients/me").status_code == 401
    again = browser.post("/api/auth/refresh", json={"refresh_token": refresh_token})
    assert (again.status_code, again.json()["code"]) == (401, "invalid_token")
    at_auth = httpx.post(
        f"{stack.supabase_url}/auth/v1/token?grant_type=refresh_token",
        headers={"apikey": stack.publishable_key},
        json={"refresh_token": refresh_token},
    )
    assert at_auth.status_code >= 400


def test_signing_out_by_token_ends_the_session_it_came_from_and_no_other(stack: RunningStack) -> None:
    somebody = newcomer(stack)
    credentials = {"email": somebody.email, "password": "monsoon-7"}
    with stack.api() as api:
        phone = api.post("/api/auth/login", json=credentials).json()
        laptop = api.post("/api/auth/login", json=credentials).json()

    with stack.api(phone["token"]) as api:
        assert api.post("/api/auth/logout").status_code == 200
    with stack.api() as api:
        ended = api.post("/api/auth/refresh", json={"refresh_token": phone["refresh_token"]})
        goes_on = api.post("/api/auth/refresh", json={"refresh_token": laptop["refresh_token"]})

    assert (ended.status_code, goes_on.status_code) == (401, 200)


def test_an_ended_session_leaves_the_browser_a_guest(stack: RunningStack, browser: httpx.Client) -> None:
    with stack.api() as elsewhere:
        elsewhere.post("/api/auth/logout", json={"refresh_token": browser.cookies["nexus_session_refresh"]})
    browser.cookies.delete("nexus_session")

    refused = browser.post("/api/chat", json={"message": "hello"})

    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
    assert refused.json()["reply"]
    assert dict(browser.cookies) == {}


def test_staff_stay_signed_in_as_well(stack: RunningStack) -> None:
    with stack.api() as browser:
        browser.headers.update(FRONTEND)
        browser.post("/api/admin/login", json={"username": "pharmacist", "password": "pharma123"})
        browser.cookies.delete("nexus_staff")

        assert browser.get("/api/admin/orders").status_code == 200
        assert browser.cookies["nexus_staff"]
