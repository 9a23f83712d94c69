"""Attempts to sign in are counted before a password is looked at, by account and by where they come from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from functions.accounts.guard import network_of
from functions.accounts.handler import app
from functions.accounts.service import REFUSAL_SECONDS
from shared.errors import TooManyRequests
from shared.http import lambda_handler
from tests.unit.shared.fakes import FakePharmacy, client_of, gateway_event, patient, settings

PATIENT = {"email": "anjali@example.com", "password": "secret-1"}
STAFF = {"username": "asha", "password": "pharma-1"}


@pytest.fixture
def pharmacy() -> FakePharmacy:
    pharmacy = FakePharmacy()
    pharmacy.passwords = {"anjali@example.com": "secret-1", "asha@staff.nexus.example": "pharma-1"}
    pharmacy.patients = {"anjali@example.com": patient("PAT012")}
    pharmacy.staff = {"asha@staff.nexus.example": {"username": "asha", "name": "Asha", "role": "pharmacist"}}
    return pharmacy


@pytest.fixture
def client(pharmacy: FakePharmacy) -> TestClient:
    return client_of(app, pharmacy=pharmacy)


def attempts(pharmacy: FakePharmacy) -> list[dict[str, Any]]:
    return [arguments for name, arguments in pharmacy.guest.calls if name == "take_sign_in"]


@pytest.mark.parametrize(
    ("path", "body", "account"),
    [
        ("/api/auth/login", PATIENT, "anjali@example.com"),
        ("/api/auth/login", {**PATIENT, "email": "nobody@example.com"}, "nobody@example.com"),
        ("/api/admin/login", STAFF, "asha@staff.nexus.example"),
        ("/api/admin/login", {**STAFF, "username": "a b"}, "a b@staff.nexus.example"),
    ],
)
def test_every_attempt_is_counted_whether_or_not_the_account_exists(
    pharmacy: FakePharmacy, path: str, body: dict[str, str], account: str
) -> None:
    client_of(app, pharmacy=pharmacy)
    event = gateway_event("POST", path, body=body, headers={"x-forwarded-for": "198.51.100.1"})

    lambda_handler(app)(event, None)

    # The address is the one the gateway saw, not the one that a header claims.
    assert attempts(pharmacy) == [
        {"p_key": "the-accounts-key", "p_account": account, "p_address": "203.0.113.7"}
    ]


@pytest.mark.parametrize(("path", "body"), [("/api/auth/login", PATIENT), ("/api/admin/login", STAFF)])
def test_what_is_too_often_is_429_and_reaches_no_password(
    pharmacy: FakePharmacy, client: TestClient, path: str, body: dict[str, str]
) -> None:
    pharmacy.guest.answers["take_sign_in"] = TooManyRequests(headers={"Retry-After": "17"})
    pharmacy.passwords.clear()

    answer = client.post(path, json=body)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "17")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], isinstance(answer.json()["error"], str)) == ("rate_limited", True)
    assert answer.json().get("authenticated") is (False if path == "/api/admin/login" else None)
    assert "set-cookie" not in answer.headers


def test_guessing_a_password_by_registering_counts_as_well(
    pharmacy: FakePharmacy, client: TestClient
) -> None:
    form = {**PATIENT, "name": "Anjali", "phone": "+919876543221", "password": "guessed-1"}

    assert client.post("/api/auth/register", json=form).status_code == 409
    assert len(attempts(pharmacy)) == 1


def test_so_does_guessing_the_e_mails_of_known_patients(pharmacy: FakePharmacy, client: TestClient) -> None:
    pharmacy.unclaimed = {"imported@example.com"}
    form = {"name": "X", "email": "imported@example.com", "phone": "+919876543221", "password": "secret-1"}

    assert client.post("/api/auth/register", json=form).json()["code"] == "record_exists"
    assert len(attempts(pharmacy)) == 1
    assert "imported@example.com" not in pharmacy.passwords


def test_registering_for_the_first_time_is_no_attempt(pharmacy: FakePharmacy, client: TestClient) -> None:
    form = {"name": "New", "email": "new@example.com", "phone": "+919876543221", "password": "secret-1"}

    assert client.post("/api/auth/register", json=form).status_code == 201
    assert attempts(pharmacy) == []


@pytest.mark.parametrize("email", ["anjali@example.com", "nobody@example.com"])
def test_a_refusal_takes_a_time_that_tells_nothing(
    client: TestClient, waited: list[float], email: str
) -> None:
    client.post("/api/auth/login", json={"email": email, "password": "wrong"})

    assert len(waited) == 1
    assert 0 < waited[0] <= REFUSAL_SECONDS


def test_who_is_let_in_does_not_wait(client: TestClient, waited: list[float]) -> None:
    assert client.post("/api/auth/login", json=PATIENT).status_code == 200
    assert waited == []


def test_only_a_right_password_is_taken_off_the_address(pharmacy: FakePharmacy, client: TestClient) -> None:
    client.post("/api/auth/login", json={**PATIENT, "password": "wrong"})
    assert [name for name, _ in pharmacy.guest.calls] == ["take_sign_in"]

    client.post("/api/auth/login", json=PATIENT)
    assert [name for name, _ in pharmacy.guest.calls[1:]] == ["take_sign_in", "return_sign_in"]


def test_without_its_key_the_function_lets_nobody_try(pharmacy: FakePharmacy) -> None:
    client = client_of(app, pharmacy=pharmacy, with_settings=settings(accounts_key=None))

    answer = client.post("/api/auth/login", json=PATIENT)

    assert (answer.status_code, answer.json()["code"]) == (500, "accounts_key_missing")


def test_the_key_is_in_no_answer_and_no_log(
    pharmacy: FakePharmacy, client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    pharmacy.guest.answers["take_sign_in"] = RuntimeError("the-accounts-key")

    answer = client.post("/api/auth/login", json=PATIENT)

    assert answer.status_code == 500
    assert "the-accounts-key" not in json.dumps(answer.json()) + capsys.readouterr().out


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", ""),
        ("", ""),
        ("203.0.113.7, 198.51.100.1", ""),
    ],
)
def test_one_connection_is_one_place(address: str, network: str) -> None:
    assert network_of(address) == network
