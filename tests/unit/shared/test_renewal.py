"""A browser stays signed in when its access token runs out, whatever it asks for and whatever comes of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from shared.credentials import get_renewal
from shared.dependencies import SignedIn
from shared.errors import InvalidToken, NotFound, Unavailable
from shared.http import create_app, lambda_handler
from shared.identity import Session
from tests.unit.shared.fakes import FRONTEND, USER_ID, bearer, client_of, gateway_event, token_for

router = APIRouter()


@router.get("/api/me")
@router.post("/api/me")
@router.get("/api/admin/me")
def me(caller: SignedIn) -> dict[str, str]:
    return {"user_id": caller.user_id}


@router.get("/api/missing")
def missing(caller: SignedIn) -> None:
    raise NotFound()


@router.get("/api/broken")
def broken(caller: SignedIn) -> None:
    raise RuntimeError


class Auth:
    """Auth's side of refreshing: what it gives for a refresh token, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Session | Exception = Session(token_for(), "second", 3600)

    def renew(self, refresh_token: str) -> Session:
        self.asked.append(refresh_token)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def auth() -> Auth:
    return Auth()


app = create_app("renewal", router)


@pytest.fixture
def client(auth: Auth) -> TestClient:
    client_of(app)
    app.dependency_overrides[get_renewal] = lambda: auth.renew
    return TestClient(app, raise_server_exceptions=False)


def cookies(answer: Any) -> dict[str, str]:
    pairs = (header.split(";")[0].split("=", 1) for header in answer.headers.get_list("set-cookie"))
    return {name: value.strip('"') for name, value in pairs}


EXPIRED = token_for(exp=int(time.time()) - 60)


@pytest.mark.parametrize("access", [None, EXPIRED, "garbage"], ids=["gone", "expired", "garbage"])
def test_a_session_that_ran_out_is_renewed_on_the_way(
    client: TestClient, auth: Auth, access: str | None
) -> None:
    client.cookies.set("nexus_session_refresh", "first")
    if access:
        client.cookies.set("nexus_session", access)

    answer = client.get("/api/me")

    assert (answer.status_code, answer.json()) == (200, {"user_id": USER_ID})
    assert auth.asked == ["first"]
    assert cookies(answer)["nexus_session"].startswith("ey")
    assert cookies(answer)["nexus_session_refresh"] == "second"


def test_a_good_session_is_left_alone(client: TestClient, auth: Auth) -> None:
    client.cookies.set("nexus_session", token_for())
    client.cookies.set("nexus_session_refresh", "first")

    assert cookies(client.get("/api/me")) == {}
    assert auth.asked == []


@pytest.mark.parametrize(("path", "status"), [("/api/missing", 404), ("/api/broken", 500)])
def test_the_next_tokens_are_not_lost_with_an_error(client: TestClient, path: str, status: int) -> None:
    """A refresh token works once: losing the next one would sign the browser out."""
    client.cookies.set("nexus_session_refresh", "first")

    answer = client.get(path)

    assert answer.status_code == status
    assert cookies(answer)["nexus_session_refresh"] == "second"


def test_a_session_that_was_ended_is_401_and_its_cookies_go(client: TestClient, auth: Auth) -> None:
    client.cookies.set("nexus_session", EXPIRED)
    client.cookies.set("nexus_session_refresh", "first")
    auth.answer = InvalidToken()

    answer = client.get("/api/me")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert cookies(answer) == {"nexus_session": "", "nexus_session_refresh": ""}


@pytest.mark.parametrize(
    "happening", [Unavailable(code="auth_unavailable"), Session("not a token", "second", 3600)]
)
def test_when_auth_cannot_help_nobody_is_signed_out(client: TestClient, auth: Auth, happening: Any) -> None:
    client.cookies.set("nexus_session_refresh", "first")
    auth.answer = happening

    answer = client.get("/api/me")

    assert (answer.status_code, answer.json()["code"]) == (503, "auth_unavailable")
    assert "" not in cookies(answer).values()


def test_a_foreign_page_cannot_make_us_renew_and_act(client: TestClient, auth: Auth) -> None:
    client.cookies.set("nexus_session_refresh", "first")

    assert client.post("/api/me", headers={"origin": "https://evil.example"}).status_code == 403
    assert auth.asked == []
    assert client.post("/api/me", headers={"origin": FRONTEND}).status_code == 200


def test_a_bearer_token_is_never_renewed(client: TestClient, auth: Auth) -> None:
    client.cookies.set("nexus_session_refresh", "first")

    assert client.get("/api/me", headers=bearer(EXPIRED)).status_code == 401
    assert auth.asked == []


def test_each_session_is_renewed_under_its_own_name(client: TestClient, auth: Auth) -> None:
    client.cookies.set("nexus_session_refresh", "of-patient")
    client.cookies.set("nexus_staff_refresh", "of-staff")

    staff, patient = client.get("/api/admin/me"), client.get("/api/me")

    assert auth.asked == ["of-staff", "of-patient"]
    assert set(cookies(staff)) == {"nexus_staff", "nexus_staff_refresh"}
    assert set(cookies(patient)) == {"nexus_session", "nexus_session_refresh"}


def test_behind_the_gateway_both_cookies_arrive(client: TestClient) -> None:
    event = gateway_event("GET", "/api/me", cookies=["nexus_session_refresh=first"])

    answer = lambda_handler(app)(event, None)

    assert answer["statusCode"] == 200
    assert {cookie.split("=")[0] for cookie in answer["cookies"]} == {
        "nexus_session",
        "nexus_session_refresh",
    }


def test_one_answer_does_not_carry_anothers_cookies(client: TestClient) -> None:
    client.cookies.set("nexus_session_refresh", "first")
    client.get("/api/me")
    client.cookies.clear()

    assert cookies(client.get("/api/me")) == {}
