"""The frontend's pages for signing in and for the profile, row by row of the contract."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from tests.contract.frontend import (
    Frontend,
    Shape,
    filled,
    flag,
    one_of,
    or_null,
    read,
    text,
    texts,
    whole,
    wrong_in,
)
from tests.running_stack import DEMO_PASSWORD, RunningStack

ANJALI = {"email": "anjali@example.com", "password": DEMO_PASSWORD}
ADMIN = {"username": "admin", "password": "nexus2026"}

REGISTERED: Shape = {"patient_id": filled, "name": filled, "token": filled}
SIGNED_IN: Shape = {**REGISTERED, "refresh_token": filled, "expires_in": whole}
STAFF: Shape = {
    "authenticated": lambda value: value is True,
    "token": filled,
    "name": filled,
    "role": one_of("admin", "pharmacist"),
    "message": filled,
}
PATIENT: Shape = {
    "patient_id": filled,
    "name": filled,
    "email": filled,
    "phone": or_null(text),
    "age": or_null(whole),
    "gender": or_null(one_of("Male", "Female", "Other")),
    "preferred_store": or_null(text),
    "allergies": or_null(texts),
    "conditions": or_null(texts),
    "preferred_language": one_of("en", "hi", "mr"),
    "prescription_uploaded": flag,
}


@pytest.fixture
def page(stack: RunningStack) -> Iterator[Frontend]:
    with Frontend(stack) as frontend:
        yield frontend


def form() -> dict[str, Any]:
    return {
        "name": "Kavita Joshi",
        "email": f"kavita.{secrets.token_hex(6)}@example.com",
        "phone": "+919812345678",
        "password": "monsoon-7",
    }


def cookie(answer: httpx.Response, name: str) -> dict[str, str | bool]:
    """The attributes of a cookie that an answer sets, with its value."""
    headers = [header for header in answer.headers.get_list("set-cookie") if header.startswith(f"{name}=")]
    assert len(headers) == 1, answer.headers.get_list("set-cookie")
    morsel = SimpleCookie(headers[0])[name]
    return {"value": morsel.value, **{key: value for key, value in morsel.items() if value}}


def test_registering(page: Frontend) -> None:
    answer = page.post("/api/auth/register", form())

    assert answer.status_code == 201
    assert wrong_in(read(answer), REGISTERED) == []
    assert read(page.get("/api/patients/me"))["patient_id"] == read(answer)["patient_id"]


@pytest.mark.parametrize(
    "more",
    [
        {"age": 34, "gender": "Female", "allergies": ["Penicillin"], "preferred_language": "hi"},
        {"age": "34", "gender": "female", "allergies": "Penicillin, Sulfa", "preferred_language": "mr"},
        {"age": "", "gender": "", "allergies": [], "preferred_language": ""},
        {"age": None, "gender": None, "allergies": None, "preferred_language": None},
    ],
)
def test_registering_with_everything_the_form_has(page: Frontend, more: dict[str, Any]) -> None:
    assert page.post("/api/auth/register", {**form(), **more}).status_code == 201
    assert wrong_in(read(page.get("/api/patients/me")), PATIENT) == []


def test_an_e_mail_that_is_taken_is_409_with_a_sentence(page: Frontend) -> None:
    answer = page.post("/api/auth/register", {**form(), "email": ANJALI["email"]})

    assert answer.status_code == 409
    assert wrong_in(read(answer), {"error": filled}) == []


@pytest.mark.parametrize("field", ["name", "email", "phone", "password"])
def test_a_form_that_is_not_complete_is_refused_with_a_sentence(page: Frontend, field: str) -> None:
    answer = page.post("/api/auth/register", {**form(), field: ""})

    assert answer.status_code == 422
    assert wrong_in(read(answer), {"error": filled}) == []


def test_signing_in(page: Frontend) -> None:
    answer = page.post("/api/auth/login", ANJALI)

    assert answer.status_code == 200
    assert wrong_in(read(answer), SIGNED_IN) == []
    assert read(answer)["patient_id"] == "PAT012"


def test_a_wrong_password_is_401_with_a_sentence(page: Frontend) -> None:
    answer = page.post("/api/auth/login", {**ANJALI, "password": "wrong"})

    assert answer.status_code == 401
    assert wrong_in(read(answer), {"error": filled}) == []
    assert not page.cookies


def test_staff_signs_in(page: Frontend) -> None:
    answer = page.post("/api/admin/login", ADMIN)

    assert answer.status_code == 200
    assert wrong_in(read(answer), STAFF) == []


@pytest.mark.parametrize(
    "credentials",
    [
        {**ADMIN, "password": "wrong"},
        {"username": "nobody", "password": "nexus2026"},
        {"username": "", "password": ""},
        {"username": "anjali@example.com", "password": DEMO_PASSWORD},
        {},
    ],
)
def test_a_refused_staff_sign_in_says_so(page: Frontend, credentials: dict[str, str]) -> None:
    answer = page.post("/api/admin/login", credentials)

    assert answer.status_code in (401, 422)
    assert wrong_in(read(answer), {"error": filled, "authenticated": lambda value: value is False}) == []


@pytest.mark.parametrize(
    ("path", "credentials", "name"),
    [("/api/auth/login", ANJALI, "nexus_session"), ("/api/admin/login", ADMIN, "nexus_staff")],
)
def test_the_cookie_is_out_of_reach_of_scripts_and_of_foreign_pages(
    page: Frontend, path: str, credentials: dict[str, str], name: str
) -> None:
    attributes = cookie(page.post(path, credentials), name)

    assert attributes["httponly"] is True
    assert str(attributes["samesite"]).lower() == "lax"
    assert attributes["path"] == "/"
    assert "domain" not in attributes, "it belongs to the host that the page was loaded from, and to no other"
    assert int(str(attributes["max-age"])) > 0
    assert "secure" not in attributes, "the laptop has no https; the unit tests see it set when deployed"


def test_the_cookie_alone_keeps_a_patient_signed_in(page: Frontend) -> None:
    page.post("/api/auth/login", ANJALI)

    answer = page.get("/api/patients/me")

    assert answer.status_code == 200
    assert "authorization" not in answer.request.headers


def test_a_patient_and_a_member_of_staff_may_share_a_browser(page: Frontend) -> None:
    page.post("/api/auth/login", ANJALI)
    page.post("/api/admin/login", ADMIN)

    assert read(page.get("/api/patients/me"))["patient_id"] == "PAT012"
    assert page.get("/api/admin/orders").status_code == 200


@pytest.mark.parametrize("path", ["/api/patients/me", "/api/patients/PAT012"])
def test_the_profile_is_flat(page: Frontend, path: str) -> None:
    page.post("/api/auth/login", ANJALI)

    answer = page.get(path)

    assert answer.status_code == 200
    assert wrong_in(read(answer), PATIENT) == []


def test_every_demo_patient_can_be_shown(stack: RunningStack) -> None:
    with Frontend(stack) as staff:
        staff.post("/api/admin/login", ADMIN)
        for number in range(1, 13):
            answer = staff.get(f"/api/patients/PAT{number:03}")
            assert answer.status_code == 200
            assert wrong_in(read(answer), PATIENT) == []
