"""The HTTP side of refills: what is asked of the database, and how its answers are shown."""

from __future__ import annotations

from typing import Any

import pytest

from functions.refills.handler import app
from shared.errors import Conflict, Forbidden, NotFound
from tests.unit.shared.fakes import FakeGateway, bearer, client_of

REFILL: dict[str, Any] = {
    "product_id": "MED003",
    "product_name": "Metformin 500mg",
    "package_size": "30 Tablets",
    "dosage_frequency": "twice_daily",
    "units_per_dose": 1.0,
    "last_bought_on": "2026-11-03",
    "run_out_on": "2026-12-04",
    "days_left": 13,
    "status": "supplied",
    "reminders": True,
    "replaced_by": None,
    "alert_id": None,
    "snoozed_until": None,
    "pdc_90": 0.9889,
    "pdc_180": None,
    "reorder": {
        "quantity": 2,
        "price": 45.0,
        "line_total": 90.0,
        "advice": "reorder",
        "available": True,
        "reason": None,
        "warnings": [],
        "awaits_pharmacist": False,
    },
}
ALERT: dict[str, Any] = {
    "alert_id": 17,
    "patient_id": "PAT001",
    "patient_name": "Rahul Sharma",
    "product_id": "MED003",
    "product_name": "Metformin 500mg",
    "quantity": 2,
    "run_out_on": "2026-12-04",
    "days_left": 3,
    "status": "open",
    "closed_reason": None,
    "closed_at": None,
    "snoozed_until": None,
    "reason": None,
    "advice": None,
    "last_reminder": None,
    "reminded_at": None,
    "pdc_90": None,
    "pdc_180": None,
    "created_at": "2026-11-27T00:30:00Z",
}
CARD: dict[str, Any] = {
    "type": "order_confirmation",
    "proposal_id": "6f2c1c1e-3f0b-4c55-9a53-0f6f4a3a7d10",
    "digest": "0" * 64,
    "expires_at": "2026-11-21T09:30:00Z",
    "items": [{"product_id": "MED003", "qty": 2}],
    "total": 90,
    "product_id": "MED003",
    "product_name": "Metformin 500mg",
    "price": 45,
    "quantity": 2,
    "warnings": [],
    "awaits_pharmacist": False,
}
TRACE = "9f2c1c1e-3f0b-4c55-9a53-0f6f4a3a7d10"


def rejected(code: str) -> dict[str, Any]:
    return {"product_id": "MED003", "code": code, "reason": f"It is {code}.", "alternatives": []}


def test_my_refills_come_with_the_way_to_order_them_again() -> None:
    gateway = FakeGateway(
        {"list_refills": {"refills": [{**REFILL, "reorder": {**REFILL["reorder"]}}], "count": 1}}
    )

    answer = client_of(app, gateway=gateway).get("/api/refills", headers=bearer()).json()

    assert answer["count"] == 1
    assert answer["refills"][0] | {"reorder": None} == REFILL | {"reorder": None}
    assert answer["refills"][0]["reorder"]["href"] == "/api/refills/reorder"
    assert answer["refills"][0]["reorder"]["body"] == {"items": [{"product_id": "MED003"}]}
    assert gateway.calls == [("list_refills", {"p_patient_id": None})]


def test_staff_names_the_patient() -> None:
    gateway = FakeGateway({"list_refills": {"refills": [], "count": 0}})
    client_of(app, gateway=gateway).get("/api/patients/PAT001/refills", headers=bearer())
    assert gateway.calls == [("list_refills", {"p_patient_id": "PAT001"})]


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (None, {}),
        ({}, {}),
        ({"items": [{"product_id": "MED003"}]}, {"items": [{"product_id": "MED003"}]}),
        (
            {"items": [{"product_id": "MED003", "quantity": 1}]},
            {"items": [{"product_id": "MED003", "quantity": 1}]},
        ),
    ],
)
def test_a_reorder_is_a_card_and_no_order(body: Any, asked: dict[str, Any]) -> None:
    proposed = {"outcome": "proposed", "card": CARD, "questions": ["age"], "trace_id": TRACE}
    gateway = FakeGateway({"propose_refill": proposed})

    answer = client_of(app, gateway=gateway).post(
        "/api/refills/reorder", json=body, headers={**bearer(), "Idempotency-Key": "tap"}
    )

    assert answer.status_code == 201
    assert answer.json() | CARD == answer.json()
    assert (answer.json()["questions"], answer.json()["trace_id"]) == (["age"], TRACE)
    assert gateway.calls == [
        ("propose_refill", {"p_request": asked, "p_patient_id": None, "p_idempotency_key": "tap"})
    ]


@pytest.mark.parametrize(
    ("codes", "status", "code"),
    [
        (["out_of_stock"], 409, "out_of_stock"),
        (["prescription_required"], 422, "refused"),
        (["out_of_stock", "allergy"], 422, "refused"),
    ],
)
def test_what_cannot_be_ordered_says_why(codes: list[str], status: int, code: str) -> None:
    card = {"type": "safety_alert", "rejected_items": [rejected(each) for each in codes]}
    gateway = FakeGateway({"propose_refill": {"outcome": "refused", "card": card, "trace_id": TRACE}})

    answer = client_of(app, gateway=gateway).post("/api/refills/reorder", headers=bearer())

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["rejected_items"] == card["rejected_items"]
    assert answer.json()["error"] == " ".join(f"It is {each}." for each in codes)


@pytest.mark.parametrize(
    "body",
    [
        {"items": []},
        {"items": [{"product_id": "MED003"}] * 21},
        {"items": [{"product_id": "MED003", "quantity": 0}]},
        {"items": [{"product_id": "MED003", "quantity": "2"}]},
        {"items": [{"quantity": 2}]},
        {"items": {"product_id": "MED003"}},
        {"products": ["MED003"]},
        [],
        "MED003",
    ],
    ids=str,
)
def test_a_reorder_that_is_none_is_422(body: Any) -> None:
    gateway = FakeGateway()
    answer = client_of(app, gateway=gateway).post("/api/refills/reorder", json=body, headers=bearer())
    assert answer.status_code == 422
    assert gateway.calls == []


def test_alerts_are_a_bare_array_with_the_next_page_in_the_link_header() -> None:
    gateway = FakeGateway({"list_refill_alerts": {"alerts": [ALERT], "next_cursor": 17}})

    answer = client_of(app, gateway=gateway).get(
        "/api/admin/refill-alerts?limit=1&status=all", headers=bearer()
    )

    assert answer.json() == [ALERT]
    assert answer.headers["link"] == '</api/admin/refill-alerts?limit=1&status=all&cursor=17>; rel="next"'
    assert gateway.calls == [
        ("list_refill_alerts", {"p_status": "all", "p_patient_id": None, "p_limit": 1, "p_after": None})
    ]


@pytest.mark.parametrize(
    "query", ["status=new", "limit=0", "limit=501", "cursor=0", "cursor=x", "cursor=99999999999999999999"]
)
def test_wrong_parameters_are_422(query: str) -> None:
    answer = client_of(app, gateway=FakeGateway()).get(f"/api/admin/refill-alerts?{query}", headers=bearer())
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("path", "body", "decision"),
    [
        (
            "snooze",
            {"until": "2026-11-30", "reason": "On holiday"},
            {"decision": "snooze", "until": "2026-11-30", "reason": "On holiday"},
        ),
        (
            "dismiss",
            {"reason": "Moved away"},
            {"decision": "dismiss", "reason": "Moved away", "discontinued": False},
        ),
    ],
)
def test_a_decision_names_its_alert(path: str, body: Any, decision: dict[str, Any]) -> None:
    gateway = FakeGateway({"decide_refill_alert": ALERT})

    answer = client_of(app, gateway=gateway).post(
        f"/api/admin/refill-alerts/17/{path}", json=body, headers=bearer()
    )

    assert answer.json() == ALERT
    assert gateway.calls == [("decide_refill_alert", {"p_alert_id": 17, "p_decision": decision})]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("17/snooze", {"until": "2026-11-30"}),
        ("17/snooze", {"until": "soon", "reason": "On holiday"}),
        ("17/dismiss", {"reason": "x"}),
        ("17/dismiss", {"reason": "x" * 501}),
        ("17/dismiss", {}),
        ("seventeen/dismiss", {"reason": "Moved away"}),
        ("0/dismiss", {"reason": "Moved away"}),
    ],
)
def test_a_decision_without_its_parts_is_422(path: str, body: Any) -> None:
    gateway = FakeGateway()
    answer = client_of(app, gateway=gateway).post(
        f"/api/admin/refill-alerts/{path}", json=body, headers=bearer()
    )
    assert answer.status_code == 422
    assert gateway.calls == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound(code="alert_not_found"), 404),
        (Conflict(code="alert_closed"), 409),
        (Forbidden(code="not_staff"), 403),
    ],
)
def test_the_databases_refusal_is_the_answer(error: Exception, status: int) -> None:
    gateway = FakeGateway({"decide_refill_alert": error})
    answer = client_of(app, gateway=gateway).post(
        "/api/admin/refill-alerts/17/dismiss", json={"reason": "Moved away"}, headers=bearer()
    )
    assert answer.status_code == status


def test_a_scan_by_hand_goes_on_to_its_end_and_says_what_it_did() -> None:
    done = {"scanned": 12, "alerts_created": 5, "alerts_closed": 1, "reminders": 4, "failures": 0}
    where = {"state": "finished", "scan_id": 3, "stage": "reminders"}
    gateway = FakeGateway({"trigger_refill_scan": {**where, **done}})

    answer = client_of(app, gateway=gateway).post("/api/admin/trigger-refill-scan", headers=bearer())

    assert answer.json() == {**done, "complete": True}


def test_what_is_discontinued_is_said_with_its_reason() -> None:
    gateway = FakeGateway({"discontinue_medicine": {"product_id": "MED003", "status": "discontinued"}})

    answer = client_of(app, gateway=gateway).post(
        "/api/refills/discontinue",
        json={"product_id": "MED003", "reason": "The doctor stopped it"},
        headers=bearer(),
    )

    assert answer.json() == {"product_id": "MED003", "status": "discontinued"}
    assert gateway.calls == [
        (
            "discontinue_medicine",
            {"p_product_id": "MED003", "p_reason": "The doctor stopped it", "p_patient_id": None},
        )
    ]
