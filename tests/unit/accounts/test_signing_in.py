"""Signing in: patients with their e-mail, staff with their username, each at their own door."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from functions.accounts.handler import app
from shared.errors import Unavailable
from shared.http import lambda_handler
from tests.unit.shared.fakes import FakePharmacy, client_of, gateway_event, patient, settings


@pytest.fixture
def pharmacy() -> FakePharmacy:
    pharmacy = FakePharmacy()
    pharmacy.passwords = {
        "anjali@example.com": "secret-1",
        "asha@staff.nexus.example": "pharma-1",
    }
    pharmacy.patients = {"anjali@example.com": patient("PAT012")}
    pharmacy.staff = {
        "asha@staff.nexus.example": {"username": "asha", "name": "Asha Rao", "role": "pharmacist"}
    }
    return pharmacy


@pytest.fixture
def client(pharmacy: FakePharmacy) -> TestClient:
    return client_of(app, pharmacy=pharmacy)


PATIENT = {"email": "anjali@example.com", "password": "secret-1"}
STAFF = {"username": "asha", "password": "pharma-1"}


def test_a_patient_signs_in(client: TestClient) -> None:
    answer = client.post("/api/auth/login", json={**PATIENT, "email": " Anjali@Example.com "})

    assert answer.status_code == 200
    assert answer.json().keys() == {"patient_id", "name", "token", "refresh_token", "expires_in"}
    assert (answer.json()["patient_id"], answer.json()["expires_in"]) == ("PAT012", 3600)


def test_staff_sign_in(client: TestClient) -> None:
    answer = client.post("/api/admin/login", json={**STAFF, "username": "Asha"})

    assert answer.status_code == 200
    assert {**answer.json(), "token": "..."} == {
        "authenticated": True,
        "token": "...",
        "name": "Asha Rao",
        "role": "pharmacist",
        "message": "Welcome, Asha Rao.",
    }


@pytest.mark.parametrize(
    "wrong",
    [{**PATIENT, "password": "wrong"}, {"email": "nobody@example.com", "password": "secret-1"}],
    ids=["wrong password", "unknown e-mail"],
)
def test_a_wrong_password_and_an_unknown_address_look_the_same(client: TestClient, wrong: Any) -> None:
    answer = client.post("/api/auth/login", json=wrong)

    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_credentials"
    assert answer.json()["error"] == "That sign-in and password do not match."
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ({**STAFF, "password": "wrong"}, 401),
        ({**STAFF, "username": "nobody"}, 401),
        ({**STAFF, "username": "anjali@example.com"}, 401),
        ({**STAFF, "username": "asha@staff.nexus.example"}, 401),
        ({"username": "asha"}, 422),
        ({**STAFF, "username": "\0"}, 422),
        ([], 422),
    ],
)
def test_every_refusal_of_a_staff_sign_in_says_not_authenticated(
    client: TestClient, credentials: Any, status: int
) -> None:
    answer = client.post("/api/admin/login", json=credentials)

    assert answer.status_code == status
    assert answer.json()["authenticated"] is False
    assert isinstance(answer.json()["error"], str)


def test_a_staff_account_is_shown_to_its_own_door(client: TestClient) -> None:
    answer = client.post(
        "/api/auth/login", json={"email": "asha@staff.nexus.example", "password": "pharma-1"}
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "staff_account")
    assert "set-cookie" not in answer.headers


def test_an_account_in_the_staff_domain_without_a_staff_row_is_no_staff(
    client: TestClient, pharmacy: FakePharmacy
) -> None:
    pharmacy.staff.clear()

    answer = client.post("/api/admin/login", json=STAFF)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_staff")
    assert answer.json()["authenticated"] is False


def test_without_the_database_signing_in_is_503_and_sets_no_cookie(
    client: TestClient, pharmacy: FakePharmacy
) -> None:
    pharmacy.next_rpc_fails_with = Unavailable(code="database_unavailable")

    answer = client.post("/api/auth/login", json=PATIENT)

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("path", "body", "cookie"),
    [("/api/auth/login", PATIENT, "nexus_session"), ("/api/admin/login", STAFF, "nexus_staff")],
)
@pytest.mark.parametrize("stage", ["local", "prod"])
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    pharmacy: FakePharmacy, path: str, body: dict[str, str], cookie: str, stage: str
) -> None:
    addresses = {"supabase_url": "https://project.example", "allowed_origins": "https://nexus.example"}
    client = client_of(app, pharmacy=pharmacy, with_settings=settings(stage=stage, **addresses))

    access, refresh = client.post(path, json=body).headers.get_list("set-cookie")

    assert access.startswith(f"{cookie}=ey")
    assert "; Max-Age=3600;" in access
    assert refresh.startswith(f"{cookie}_refresh=refresh-")
    for attributes in (access.split("; ")[1:], refresh.split("; ")[1:]):
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(attributes)
        assert not any(attribute.startswith("Domain") for attribute in attributes)
        assert ("Secure" in attributes) == (stage == "prod")


def test_behind_the_gateway_the_cookie_travels_in_its_own_field(pharmacy: FakePharmacy) -> None:
    client_of(app, pharmacy=pharmacy)
    handle = lambda_handler(app)

    answer = handle(gateway_event("POST", "/api/auth/login", body=PATIENT), None)
    session = answer["cookies"][0].split(";")[0]
    profile = handle(gateway_event("GET", "/api/patients/me", cookies=["theme=dark", session]), None)

    assert (answer["statusCode"], profile["statusCode"]) == (200, 200)
