"""The routes of prescriptions: what is asked of the database, and what is refused before."""

from __future__ import annotations

from typing import Any

import pytest

from functions.prescriptions.handler import app
from shared.errors import Forbidden
from tests.unit.shared.fakes import FakeGateway, bearer, client_of

ITEM = {
    "ingredient": "Metformin",
    "strength": "500 mg",
    "units": 60,
    "repeats": 5,
    "dosage_frequency": "twice_daily",
    "units_per_dose": 0.5,
}
PRESCRIPTION = {
    "prescription_id": "RX003",
    "patient_id": "PAT012",
    "status": "pending",
    "prescriber": None,
    "issued_on": None,
    "valid_until": "2026-12-21",
    "reviewed_by": "0b6c9a52-6a0e-4a53-9f0e-3d6f3b1f4c11",
    "reviewed_at": None,
    "review_reason": None,
    "created_at": "2026-11-21T04:50:36.951000Z",
    "items": [{**ITEM, "dispensed_units": 0}],
    "suggested_items": [],
    "file": None,
}
SHOWN = {name: value for name, value in PRESCRIPTION.items() if name != "reviewed_by"}
ORDER = {
    "order_id": "ORD1042",
    "status": "confirmed",
    "total_price": 45.0,
    "placed_at": "2026-11-21T04:50:36.951000Z",
    "items": [
        {
            "product_id": "MED003",
            "product_name": "Metformin 500mg",
            "quantity": 1,
            "unit_price": 45.0,
            "line_total": 45.0,
            "dosage_frequency": "twice_daily",
            "units_per_dose": 0.5,
        }
    ],
}
AFTER_REVIEW = {"outcome": "confirmed", "order": ORDER, "findings": []}
READING = {
    "prescriber": "Dr. S. Mehta",
    "issued_on": "2026-11-20",
    "valid_until": "2026-12-20",
    "items": [ITEM],
}
VERIFY = "/api/admin/prescriptions/RX003/verify"


def post(gateway: FakeGateway, path: str, body: Any, **headers: str) -> Any:
    return client_of(app, gateway=gateway).post(path, json=body, headers={**bearer(), **headers})


def test_my_prescriptions_name_no_staff() -> None:
    gateway = FakeGateway({"list_prescriptions": [PRESCRIPTION]})

    answer = client_of(app, gateway=gateway).get("/api/prescriptions", headers=bearer())

    assert answer.json() == {"prescriptions": [SHOWN], "count": 1}


def test_a_prescription_is_handed_in_with_what_it_may_say() -> None:
    gateway = FakeGateway({"submit_prescription": PRESCRIPTION})

    answer = post(gateway, "/api/prescriptions", {"items": [ITEM]}, **{"Idempotency-Key": "a"})

    assert (answer.status_code, answer.json()) == (201, SHOWN)
    assert gateway.calls == [("submit_prescription", {"p_items": [ITEM], "p_idempotency_key": "a"})]


def test_the_queue_has_prescriptions_and_orders() -> None:
    waiting = {**PRESCRIPTION, "patient_name": "Anjali Gupta", "allergies": None}
    order = {**ORDER, "patient_id": "PAT012", "patient_name": "Anjali Gupta", "findings": [{"code": "x"}]}
    gateway = FakeGateway({"review_queue": {"prescriptions": [waiting], "orders": [order]}})

    answer = client_of(app, gateway=gateway).get("/api/admin/prescriptions", headers=bearer())

    assert answer.json() == {
        "prescriptions": [{**SHOWN, "patient_name": "Anjali Gupta", "allergies": None}],
        "orders": [order],
    }


@pytest.mark.parametrize("left_out", [[], ["items"], ["prescriber", "issued_on", "valid_until"]])
def test_verifying_sends_what_was_read(left_out: list[str]) -> None:
    gateway = FakeGateway({"review_prescription": {"prescription": PRESCRIPTION, "orders": [AFTER_REVIEW]}})
    reading = {name: value for name, value in READING.items() if name not in left_out}

    answer = post(gateway, VERIFY, reading)

    assert answer.json() == {"prescription": SHOWN, "orders": [AFTER_REVIEW]}
    assert gateway.calls == [
        (
            "review_prescription",
            {"p_prescription_id": "RX003", "p_review": {"decision": "verify", **reading}},
        )
    ]


def test_rejecting_gives_the_reason() -> None:
    gateway = FakeGateway({"review_prescription": {"prescription": PRESCRIPTION, "orders": []}})

    post(gateway, "/api/admin/prescriptions/RX003/reject", {"reason": " No signature. "})

    review = {"decision": "reject", "reason": "No signature."}
    assert gateway.calls == [("review_prescription", {"p_prescription_id": "RX003", "p_review": review})]


def test_an_override_names_patient_rule_and_reason() -> None:
    made = {"override_id": 7, "valid_until": "2026-12-20", "orders": [AFTER_REVIEW]}
    gateway = FakeGateway({"override_finding": made})
    body = {"rule": "interaction:Aspirin+Warfarin", "reason": "INR is checked weekly."}

    answer = post(gateway, "/api/admin/patients/PAT012/overrides", body)

    assert (answer.status_code, answer.json()) == (201, made)
    [(name, arguments)] = gateway.calls
    assert name == "override_finding"
    assert arguments == {
        "p_patient_id": "PAT012",
        "p_rule": body["rule"],
        "p_reason": body["reason"],
        "p_subject": None,
    }


def test_rule_sets_are_listed_and_put_in_force() -> None:
    one = {
        "version": "2026-11-21+ef33d044",
        "status": "active",
        "source": "seed",
        "imported_at": "2026-11-21T04:50:36.951000Z",
        "activated_at": "2026-11-21T04:50:36.951000Z",
    }
    gateway = FakeGateway({"list_rule_sets": [one], "activate_rule_set": one})

    listed = client_of(app, gateway=gateway).get("/api/admin/rule-sets", headers=bearer())
    active = post(gateway, "/api/admin/rule-sets", {"version": one["version"]})

    assert listed.json() == {"rule_sets": [one]}
    assert (active.json()["version"], active.json()["status"]) == (one["version"], "active")
    assert gateway.calls[-1] == ("activate_rule_set", {"p_version": one["version"]})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/prescriptions", {"items": [ITEM] * 21}),
        ("/api/prescriptions", {"items": [{**ITEM, "units": "60"}]}),
        ("/api/prescriptions", {"items": [{**ITEM, "repeats": True}]}),
        ("/api/prescriptions", {"items": [{**ITEM, "units_per_dose": 0}]}),
        ("/api/prescriptions", {"file_path": "PAT001/rx.pdf"}),
        (VERIFY, {**READING, "items": []}),
        (VERIFY, {**READING, "valid_until": "soon"}),
        (VERIFY, {**READING, "prescriber": "\u0000"}),
        ("/api/admin/prescriptions/RX003/reject", {}),
        ("/api/admin/prescriptions/RX003/reject", {"reason": "  no  "}),
        ("/api/admin/patients/PAT012/overrides", {"rule": "x"}),
        ("/api/admin/rule-sets", {"version": ""}),
    ],
)
def test_what_is_incomplete_never_reaches_the_database(path: str, body: Any) -> None:
    gateway = FakeGateway()

    assert post(gateway, path, body).status_code == 422
    assert gateway.calls == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/prescriptions", None),
        ("POST", "/api/prescriptions", {}),
        ("GET", "/api/admin/prescriptions", None),
        ("POST", VERIFY, READING),
        ("POST", "/api/admin/prescriptions/RX003/reject", {"reason": "No signature."}),
        ("POST", "/api/admin/patients/PAT012/overrides", {"rule": "x", "reason": "Agreed."}),
        ("GET", "/api/admin/rule-sets", None),
        ("POST", "/api/admin/rule-sets", {"version": "1"}),
    ],
)
def test_a_guest_gets_nowhere(method: str, path: str, body: Any) -> None:
    gateway = FakeGateway()

    assert client_of(app, gateway=gateway).request(method, path, json=body).status_code == 401
    assert gateway.calls == []


def test_the_database_says_who_is_a_pharmacist() -> None:
    refused = Forbidden("Only a pharmacist may do this.", code="not_a_pharmacist")

    answer = post(FakeGateway({"review_prescription": refused}), VERIFY, READING)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_pharmacist")
