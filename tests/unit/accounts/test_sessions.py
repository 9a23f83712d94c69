"""Refreshing and signing out, with tokens and with cookies."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from functions.accounts.handler import app
from functions.accounts.sessions import HeldTokens, sign_out
from shared.errors import Unavailable
from tests.unit.shared.fakes import FRONTEND, FakePharmacy, bearer, client_of, token_for

OURS = {"origin": FRONTEND}


@pytest.fixture
def pharmacy() -> FakePharmacy:
    pharmacy = FakePharmacy()
    pharmacy.refresh_tokens = {"first": "anjali@example.com", "of-staff": "asha@staff.nexus.example"}
    return pharmacy


@pytest.fixture
def client(pharmacy: FakePharmacy) -> TestClient:
    return client_of(app, pharmacy=pharmacy)


def cookies_set(answer: Any) -> set[str]:
    return {header.split("=")[0] for header in answer.headers.get_list("set-cookie")}


def test_a_token_in_the_body_gets_the_next_pair(client: TestClient, pharmacy: FakePharmacy) -> None:
    answer = client.post("/api/auth/refresh", json={"refresh_token": "first"})

    assert answer.status_code == 200
    assert answer.json()["token"].startswith("ey")
    assert answer.json()["refresh_token"] in pharmacy.refresh_tokens
    assert answer.json()["expires_in"] == 3600
    assert cookies_set(answer) == set()


def test_a_cookie_gets_cookies_and_its_refresh_token_stays_out_of_reach(client: TestClient) -> None:
    client.cookies.set("nexus_session_refresh", "first")

    answer = client.post("/api/auth/refresh", headers=OURS)

    assert (answer.status_code, answer.json()["refresh_token"]) == (200, None)
    assert cookies_set(answer) == {"nexus_session", "nexus_session_refresh"}


def test_a_browser_that_sends_its_own_token_keeps_its_cookies_in_step(client: TestClient) -> None:
    client.cookies.set("nexus_session_refresh", "first")

    answer = client.post("/api/auth/refresh", json={"refresh_token": "first"})

    assert cookies_set(answer) == {"nexus_session", "nexus_session_refresh"}


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": None}, {"refresh_token": ""}])
def test_without_any_token_it_is_401(client: TestClient, body: object) -> None:
    answer = client.post("/api/auth/refresh", json=body)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("token", ["used-up", "x" * 2000, "पैट"])
def test_a_worthless_token_is_401(client: TestClient, token: str) -> None:
    answer = client.post("/api/auth/refresh", json={"refresh_token": token})

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("token", ["x" * 2001, "a\0b", 5, ["first"]])
def test_what_is_no_token_is_refused(client: TestClient, token: object) -> None:
    assert client.post("/api/auth/refresh", json={"refresh_token": token}).status_code == 422


@pytest.mark.parametrize("path", ["/api/auth/refresh", "/api/auth/logout"])
def test_a_foreign_page_can_neither_refresh_nor_sign_out(client: TestClient, path: str) -> None:
    client.cookies.set("nexus_session_refresh", "first")

    answer = client.post(path, headers={"origin": "https://evil.example"})

    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert cookies_set(answer) == set()


def test_signing_out_ends_the_session_and_removes_its_cookies(
    client: TestClient, pharmacy: FakePharmacy
) -> None:
    client.cookies.set("nexus_session", token_for(exp=1))
    client.cookies.set("nexus_session_refresh", "first")

    answer = client.post("/api/auth/logout", headers=OURS)

    assert (answer.status_code, answer.json()) == (200, {"signed_out": True})
    removed = answer.headers.get_list("set-cookie")
    assert {cookie.split("=")[0] for cookie in removed} == {"nexus_session", "nexus_session_refresh"}
    assert all("Max-Age=0;" in cookie for cookie in removed)
    assert len(pharmacy.signed_out) == 1
    assert pharmacy.signed_out[0] != token_for(exp=1)  # a good token: Auth takes no other


def test_signing_out_ends_every_session_that_is_held(client: TestClient, pharmacy: FakePharmacy) -> None:
    client.cookies.set("nexus_session_refresh", "first")
    client.cookies.set("nexus_staff_refresh", "of-staff")
    token = token_for()

    client.post("/api/auth/logout", headers={**OURS, **bearer(token)})

    assert len(pharmacy.signed_out) == 3
    assert token in pharmacy.signed_out


def test_signing_out_with_a_refresh_token_alone(client: TestClient, pharmacy: FakePharmacy) -> None:
    assert client.post("/api/auth/logout", json={"refresh_token": "first"}).status_code == 200
    assert len(pharmacy.signed_out) == 1


def test_signing_out_of_nothing_is_no_error(client: TestClient, pharmacy: FakePharmacy) -> None:
    assert client.post("/api/auth/logout").status_code == 200
    assert pharmacy.signed_out == []


def test_a_session_that_has_ended_is_no_obstacle(client: TestClient) -> None:
    client.cookies.set("nexus_session_refresh", "used-up")

    assert client.post("/api/auth/logout", headers=OURS).status_code == 200


class UnreachableFor(FakePharmacy):
    """Auth that cannot be told of one token."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    def sign_out(self, access_token: str) -> None:
        if access_token == self.token:
            raise Unavailable(code="auth_unavailable")
        super().sign_out(access_token)


def test_when_auth_is_down_the_cookies_go_all_the_same_and_it_is_said() -> None:
    token = token_for()
    client = client_of(app, pharmacy=UnreachableFor(token))
    client.cookies.set("nexus_session", token)

    answer = client.post("/api/auth/logout", headers=OURS)

    assert (answer.status_code, answer.json()["code"]) == (503, "auth_unavailable")
    assert cookies_set(answer) == {"nexus_session", "nexus_session_refresh"}


def test_one_session_that_cannot_be_ended_does_not_spare_the_others() -> None:
    pharmacy = UnreachableFor("stuck")

    with pytest.raises(Unavailable):
        sign_out(pharmacy, [HeldTokens(access_token="stuck"), HeldTokens(access_token="other")])

    assert pharmacy.signed_out == ["other"]
