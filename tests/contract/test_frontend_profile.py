"""The profile page: it always sends its five fields, unset ones as "", and shows what comes back."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.frontend import Frontend, filled, read, wrong_in
from tests.contract.test_frontend_accounts import PATIENT
from tests.running_stack import RunningStack

UNTOUCHED = {"name": "", "phone": "", "gender": "", "allergies": [], "preferred_store": ""}
STORES = ["Netmeds", "Apollo Pharmacy", "MedPlus", "Pharmeasy", "Local Pharmacy"]


@pytest.fixture
def page(stack: RunningStack) -> Iterator[Frontend]:
    """Of a patient who has just registered, with an allergy."""
    form = {
        "name": "Kavita Joshi",
        "email": f"kavita.{secrets.token_hex(6)}@example.com",
        "phone": "+919812345678",
        "password": "monsoon-7",
        "allergies": ["Penicillin"],
    }
    with Frontend(stack) as frontend:
        assert frontend.post("/api/auth/register", form).status_code == 201
        yield frontend


@pytest.fixture
def mine(page: Frontend) -> dict[str, Any]:
    profile: dict[str, Any] = read(page.get("/api/patients/me"))
    return profile


def save(page: Frontend, mine: dict[str, Any], **fields: Any) -> Any:
    answer = page.put(f"/api/patients/{mine['patient_id']}", {**UNTOUCHED, **fields})
    assert answer.status_code == 200, answer.text
    saved = read(answer)
    assert wrong_in(saved, PATIENT) == []
    assert saved == read(page.get("/api/patients/me"))
    return saved


def test_what_was_filled_in_is_saved(page: Frontend, mine: dict[str, Any]) -> None:
    filled_in = {
        "name": "Kavita J.",
        "phone": "+919899999999",
        "gender": "Female",
        "preferred_store": "MedPlus",
    }

    saved = save(page, mine, **filled_in)

    assert {name: saved[name] for name in filled_in} == filled_in


def test_a_form_that_nobody_filled_in_erases_nothing(page: Frontend, mine: dict[str, Any]) -> None:
    assert save(page, mine) == mine


def test_an_allergy_is_added_and_none_is_lost(page: Frontend, mine: dict[str, Any]) -> None:
    assert save(page, mine, allergies=["Penicillin", "Sulfa"])["allergies"] == ["Penicillin", "Sulfa"]
    assert "Penicillin" in save(page, mine, allergies=["Sulfa"])["allergies"]
    assert "Penicillin" in save(page, mine)["allergies"]


@pytest.mark.parametrize("store", STORES)
def test_every_store_of_the_page_can_be_preferred(page: Frontend, mine: dict[str, Any], store: str) -> None:
    assert save(page, mine, preferred_store=store)["preferred_store"] == store


@pytest.mark.parametrize("gender", ["Male", "Female", "Other"])
def test_a_gender_is_shown_as_it_was_sent(page: Frontend, mine: dict[str, Any], gender: str) -> None:
    assert save(page, mine, gender=gender)["gender"] == gender


@pytest.mark.parametrize(
    "field",
    [
        {"preferred_store": "Corner shop"},
        {"gender": "F"},
        {"phone": "call me"},
        {"name": "x" * 1000},
        {"allergies": 7},
        {"allergies": ["x" * 1000]},
    ],
)
def test_what_cannot_be_saved_is_refused_with_a_sentence(
    page: Frontend, mine: dict[str, Any], field: dict[str, Any]
) -> None:
    answer = page.put(f"/api/patients/{mine['patient_id']}", {**UNTOUCHED, **field})

    assert answer.status_code == 422
    assert wrong_in(read(answer), {"error": filled}) == []
    assert read(page.get("/api/patients/me")) == mine


def test_another_profile_is_out_of_reach(page: Frontend) -> None:
    for answer in (page.get("/api/patients/PAT001"), page.put("/api/patients/PAT001", UNTOUCHED)):
        assert answer.status_code == 403
        assert wrong_in(read(answer), {"error": filled}) == []


def test_signing_out_ends_it(page: Frontend) -> None:
    assert page.post("/api/auth/logout", {}).status_code == 200

    assert "nexus_session" not in page.cookies
    assert page.get("/api/patients/me").status_code == 401
