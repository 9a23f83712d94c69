"""Registering: two steps in two services, and nobody is ever locked out half-way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.accounts.handler import app
from functions.accounts.models import Registration
from shared.errors import Unavailable
from tests.unit.shared import fakes
from tests.unit.shared.fakes import FakePharmacy, client_of

ANJALI = {
    "name": "Anjali Mehta",
    "email": "anjali@example.com",
    "phone": "+919876543221",
    "password": "secret-1",
}
WITHOUT_DATABASE = Unavailable(
    "The pharmacy's records cannot be reached right now.", code="database_unavailable"
)


@pytest.fixture
def pharmacy() -> FakePharmacy:
    return FakePharmacy()


@pytest.fixture
def client(pharmacy: FakePharmacy) -> TestClient:
    return client_of(app, pharmacy=pharmacy)


def test_registering_gives_a_patient_id_a_name_and_a_token(client: TestClient) -> None:
    answer = client.post("/api/auth/register", json=ANJALI)

    assert answer.status_code == 201
    assert answer.json().keys() == {"patient_id", "name", "token"}
    assert answer.json()["patient_id"] == "PAT001"


def test_registering_signs_the_browser_in(client: TestClient) -> None:
    client.post("/api/auth/register", json=ANJALI)

    assert client.get("/api/patients/me").json()["name"] == "Anjali Mehta"


def test_an_e_mail_registers_once(client: TestClient) -> None:
    client.post("/api/auth/register", json=ANJALI)

    for again in (ANJALI, {**ANJALI, "password": "another-1"}, {**ANJALI, "email": " Anjali@Example.COM "}):
        answer = client.post("/api/auth/register", json=again)
        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
        assert isinstance(answer.json()["error"], str)


def test_a_registration_that_failed_half_way_can_be_finished(
    client: TestClient, pharmacy: FakePharmacy
) -> None:
    pharmacy.next_rpc_fails_with = WITHOUT_DATABASE
    assert client.post("/api/auth/register", json=ANJALI).status_code == 503
    assert "anjali@example.com" in pharmacy.passwords
    assert not pharmacy.patients

    assert client.post("/api/auth/register", json=ANJALI).status_code == 201
    assert pharmacy.patients["anjali@example.com"]["name"] == "Anjali Mehta"


def test_an_unfinished_registration_opens_only_with_its_own_password(
    client: TestClient, pharmacy: FakePharmacy
) -> None:
    pharmacy.next_rpc_fails_with = WITHOUT_DATABASE
    client.post("/api/auth/register", json=ANJALI)

    answer = client.post("/api/auth/register", json={**ANJALI, "password": "guessed-1"})

    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert not pharmacy.patients


def test_signing_in_to_an_unfinished_registration_says_what_to_do(
    client: TestClient, pharmacy: FakePharmacy
) -> None:
    pharmacy.next_rpc_fails_with = WITHOUT_DATABASE
    client.post("/api/auth/register", json=ANJALI)

    answer = client.post("/api/auth/login", json={"email": ANJALI["email"], "password": ANJALI["password"]})

    assert (answer.status_code, answer.json()["code"]) == (403, "not_registered")


def test_addresses_of_the_staff_cannot_be_registered(client: TestClient, pharmacy: FakePharmacy) -> None:
    answer = client.post("/api/auth/register", json={**ANJALI, "email": "admin@staff.nexus.example"})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "email", "message": "belongs to the staff"}]
    assert not pharmacy.passwords


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 201),
        ("name", "Anjali\0"),
        ("name", None),
        ("email", "anjali"),
        ("email", "anjali@example"),
        ("email", "a b@example.com"),
        ("email", "a@b@example.com"),
        ("email", "a" * 250 + "@example.com"),
        ("phone", "call me"),
        ("phone", "123"),
        ("phone", 9876543210),
        ("password", "12345"),
        ("password", "x" * 73),
        ("password", "अ" * 25),
        ("password", "secret\0"),
        ("password", "secret\ud800"),
        ("password", 123456),
        ("age", -1),
        ("age", 131),
        ("age", True),
        ("age", "old"),
        ("age", 30.5),
        ("gender", "unknown"),
        ("gender", 1),
        ("preferred_language", "fr"),
        ("allergies", ["x" * 101]),
        ("allergies", ["a"] * 51),
        ("allergies", [1]),
        ("allergies", {"penicillin": True}),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    client: TestClient, pharmacy: FakePharmacy, field: str, value: Any
) -> None:
    answer = client.post(
        "/api/auth/register",
        content=json.dumps({**ANJALI, field: value}),
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 422
    assert {error["field"].split(".")[0] for error in answer.json()["errors"]} == {field}
    assert not pharmacy.passwords


@pytest.mark.parametrize("field", ["name", "email", "phone", "password"])
def test_a_missing_field_is_named(client: TestClient, field: str) -> None:
    answer = client.post("/api/auth/register", json={key: ANJALI[key] for key in ANJALI if key != field})

    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("field", "sent", "stored"),
    [
        ("name", "  Anjali Mehta ", "Anjali Mehta"),
        ("email", " Anjali@Example.COM ", "anjali@example.com"),
        ("phone", " +91 98765-43221 ", "+91 98765-43221"),
        ("gender", "female", "Female"),
        ("gender", " OTHER ", "Other"),
        ("gender", "", None),
        ("gender", None, None),
        ("age", "45", 45),
        ("age", "", None),
        ("age", 0, 0),
        ("allergies", None, None),
        ("allergies", "", None),
        ("allergies", [], []),
        ("allergies", ["Penicillin ", "Sulfa"], ["Penicillin", "Sulfa"]),
        ("allergies", "Penicillin, Sulfa,", ["Penicillin", "Sulfa"]),
        ("preferred_language", "", None),
        ("preferred_language", "hi", "hi"),
    ],
)
def test_fields_are_tidied(field: str, sent: Any, stored: Any) -> None:
    assert getattr(Registration.model_validate({**ANJALI, field: sent}), field) == stored


def test_a_password_does_not_show_when_a_form_is_printed() -> None:
    assert "secret-1" not in repr(Registration.model_validate(ANJALI))


ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3)
FORMS = st.fixed_dictionaries(
    {},
    optional={
        name: ANYTHING | st.just(usual)
        for name, usual in {**ANJALI, "age": 29, "gender": "Female", "allergies": ["Sulfa"]}.items()
    },
)


@settings(max_examples=25)
@given(FORMS)
def test_no_form_at_all_makes_a_5xx(form: dict[str, Any]) -> None:
    client = client_of(app, pharmacy=FakePharmacy())
    for path in ("/api/auth/register", "/api/auth/login", "/api/admin/login"):
        sent = {**form, "username": form.get("name")}
        answer = client.post(path, content=json.dumps(sent), headers={"content-type": "application/json"})
        assert answer.status_code < 500
        assert answer.status_code == 201 or isinstance(answer.json()["error"], str)


def test_the_profile_stored_is_the_one_sent(pharmacy: FakePharmacy) -> None:
    gateway = fakes.FakeGateway({"has_unclaimed_record": False, "register_patient": fakes.patient()})
    client_of(app, gateway=gateway, pharmacy=pharmacy).post(
        "/api/auth/register", json={**ANJALI, "age": 29, "allergies": "Sulfa"}
    )

    assert gateway.calls[1:] == [
        (
            "register_patient",
            {
                "p_name": "Anjali Mehta",
                "p_phone": "+919876543221",
                "p_age": 29,
                "p_gender": None,
                "p_allergies": ["Sulfa"],
                "p_preferred_language": None,
            },
        )
    ]
