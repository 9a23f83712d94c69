"""Profiles: one's own, and for staff anyone's; whose is whose the database decides."""

from __future__ import annotations

import pytest

from functions.accounts.handler import app
from shared.errors import Forbidden, NexusError, NotFound
from tests.unit.shared.fakes import FakeGateway, bearer, client_of, patient


def test_my_profile_is_flat() -> None:
    answer = client_of(app, gateway=FakeGateway({"patient_profile": patient()})).get(
        "/api/patients/me", headers=bearer()
    )

    assert answer.status_code == 200
    assert answer.json() == patient()


@pytest.mark.parametrize("allergies", [None, [], ["Penicillin"]])
def test_never_asked_and_none_known_are_different(allergies: list[str] | None) -> None:
    gateway = FakeGateway({"patient_profile": patient(allergies=allergies)})

    answer = client_of(app, gateway=gateway).get("/api/patients/me", headers=bearer())

    assert answer.json()["allergies"] == allergies


@pytest.mark.parametrize(("path", "asked"), [("me", None), ("PAT003", "PAT003")])
def test_the_database_is_asked_for_that_patient(path: str, asked: str | None) -> None:
    gateway = FakeGateway({"patient_profile": patient()})

    client_of(app, gateway=gateway).get(f"/api/patients/{path}", headers=bearer())

    assert gateway.calls == [("patient_profile", {"p_patient_id": asked})]


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Forbidden("You may only act for yourself."), 403), (NotFound(code="patient_not_found"), 404)],
)
def test_its_refusals_are_passed_on(refusal: NexusError, status: int) -> None:
    answer = client_of(app, gateway=FakeGateway({"patient_profile": refusal})).get(
        "/api/patients/PAT003", headers=bearer()
    )

    assert answer.status_code == status
    assert answer.json()["error"] == refusal.sentence


@pytest.mark.parametrize("path", ["/api/patients/me", "/api/patients/PAT012"])
def test_a_guest_has_no_profile(path: str) -> None:
    assert client_of(app).get(path).status_code == 401


@pytest.mark.parametrize("patient_id", ["%00", "PAT 1", "पैट", "..%2F..%2Fetc", "x" * 65])
def test_an_id_that_cannot_be_one_never_reaches_the_database(patient_id: str) -> None:
    gateway = FakeGateway()

    answer = client_of(app, gateway=gateway).get(f"/api/patients/{patient_id}", headers=bearer())

    assert answer.status_code in (404, 422)
    assert gateway.calls == []
