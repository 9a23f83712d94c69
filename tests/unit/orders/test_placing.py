"""Placing, cancelling and moving orders: what is asked of the database, and what its outcomes become."""

from __future__ import annotations

from typing import Any

import pytest

from functions.orders.handler import app
from shared.errors import Conflict, Forbidden, Unavailable
from tests.unit.shared.fakes import FakeGateway, bearer, client_of

TRACE = "7d3c2a61-55c3-4f0e-9a54-0f4f6f2f5a11"
ORDER = {
    "order_id": "ORD1042",
    "status": "awaiting_pharmacist",
    "status_reason": None,
    "total_price": 60.0,
    "placed_at": "2026-11-21T04:50:36.951000Z",
    "items": [
        {
            "product_id": "MED001",
            "product_name": "Dolo 650",
            "quantity": 2,
            "unit_price": 30.0,
            "line_total": 60.0,
            "warnings": [],
        }
    ],
    "tracking": None,
}
FINDING = {"product_id": "MED060", "code": "prescription_required", "severity": "block"}
REJECTED = {"product_id": "MED060", "reason": "Cefixime 200mg needs a valid prescription."}
CARD = {"type": "order_confirmation", "proposal_id": TRACE}
ROW = {
    "order_id": "ORD1042-1",
    "patient_id": "PAT012",
    "patient_name": "Anjali Gupta",
    "product_id": "MED001",
    "product_name": "Dolo 650",
    "quantity": 2,
    "total_price": 60.0,
    "purchase_date": "2026-11-21",
    "dosage_frequency": "as_needed",
    "status": "shipped",
}
ITEMS = [{"product_id": "MED001", "quantity": 2}]
DIGEST = "0" * 64


def outcome(name: str, **members: Any) -> FakeGateway:
    usual: dict[str, Any] = {
        "order": None,
        "findings": [],
        "rejected_items": [],
        "questions": [],
        "card": None,
    }
    return FakeGateway({"create_order": {**usual, "outcome": name, "trace_id": TRACE, **members}})


def place(gateway: FakeGateway, body: Any, **headers: str) -> Any:
    return client_of(app, gateway=gateway).post("/api/orders", json=body, headers={**bearer(), **headers})


def test_a_placed_order_is_shown_as_it_will_be_read() -> None:
    answer = place(outcome("placed", order=ORDER), {"items": ITEMS})

    assert answer.status_code == 201
    shown = {name: value for name, value in ORDER.items() if name != "status_reason"}
    assert answer.json() == {**shown, "trace_id": TRACE}


@pytest.mark.parametrize(
    "body",
    [
        {"items": ITEMS},
        {"items": ITEMS, "dosage": "twice_daily"},
        {"items": ITEMS, "dosage": {"dosage_frequency": "twice_daily", "units_per_dose": 1.5}},
        {"product_id": "MED001", "quantity": 2},
        {"proposal_id": TRACE, "digest": DIGEST},
    ],
)
def test_each_form_goes_to_the_database_as_it_came(body: dict[str, Any]) -> None:
    gateway = outcome("placed", order=ORDER)

    place(gateway, body)
    place(gateway, {**body, "patient_id": "PAT001"}, **{"Idempotency-Key": "a key"})

    assert gateway.calls == [
        ("create_order", {"p_request": body, "p_patient_id": None, "p_idempotency_key": None}),
        ("create_order", {"p_request": body, "p_patient_id": "PAT001", "p_idempotency_key": "a key"}),
    ]


@pytest.mark.parametrize(
    ("name", "members", "status", "sentence"),
    [
        ("out_of_stock", ("findings", "rejected_items"), 409, REJECTED["reason"]),
        ("refused", ("findings", "rejected_items"), 422, REJECTED["reason"]),
        ("profile_incomplete", ("questions",), 422, "Please complete your profile before ordering."),
        ("proposal_changed", ("card",), 409, "The offer has changed since it was shown."),
        ("proposal_expired", ("card",), 409, "The offer has expired."),
    ],
)
def test_what_was_not_placed_is_an_error_with_its_reasons(
    name: str, members: tuple[str, ...], status: int, sentence: str
) -> None:
    said = {"findings": [FINDING], "rejected_items": [REJECTED, REJECTED], "questions": ["age"], "card": CARD}

    answer = place(outcome(name, **said), {"items": ITEMS})

    assert (answer.status_code, answer.json()["code"], answer.json()["error"]) == (status, name, sentence)
    assert answer.json() == answer.json() | {member: said[member] for member in members} | {"trace_id": TRACE}


def test_an_error_of_the_database_stays_what_it_is() -> None:
    running = Conflict("The same request is still being worked on.", code="request_in_progress")

    answer = place(FakeGateway({"create_order": running}), {"items": ITEMS})

    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"items": ITEMS, "product_id": "MED001", "quantity": 1}, "body"),
        ({"product_id": "MED001"}, "body"),
        ({"digest": DIGEST}, "body"),
        ({"proposal_id": TRACE, "digest": DIGEST, "dosage": "twice_daily"}, "body"),
        ({"proposal_id": TRACE, "digest": "short"}, "digest"),
        ({"items": []}, "items"),
        ({"items": [{"product_id": "MED001", "quantity": True}]}, "items.0.quantity"),
        ({"items": [{"product_id": "MED001", "quantity": 10_000}]}, "items.0.quantity"),
        ({"items": [{"product_id": "MED 001", "quantity": 1}]}, "items.0.product_id"),
        ({"items": ITEMS, "dosage_frequency": "twice_daily"}, "dosage_frequency"),
    ],
)
def test_what_is_no_order_never_reaches_the_database(body: Any, field: str) -> None:
    gateway = FakeGateway()

    answer = place(gateway, body)

    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert gateway.calls == []


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_1_to_255_characters(key: str) -> None:
    assert place(FakeGateway(), {"items": ITEMS}, **{"Idempotency-Key": key}).status_code == 422


@pytest.mark.parametrize(
    ("body", "reason"), [(None, None), ({}, None), ({"reason": " "}, None), ({"reason": "Late"}, "Late")]
)
def test_cancelling_may_give_a_reason(body: Any, reason: str | None) -> None:
    gateway = FakeGateway({"cancel_order": {**ORDER, "status": "cancelled"}})

    answer = client_of(app, gateway=gateway).post("/api/orders/ORD1042/cancel", json=body, headers=bearer())

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert gateway.calls == [("cancel_order", {"p_order_id": "ORD1042", "p_reason": reason})]


def test_staff_sees_lines_and_numbers() -> None:
    page = {"orders": [ROW], "count": 7, "pending": 4, "delivered": 2, "next_cursor": "ORD1042-1"}
    gateway = FakeGateway({"list_order_lines": page})

    answer = client_of(app, gateway=gateway).get(
        "/api/admin/orders?limit=1&cursor=ORD1043-2", headers=bearer()
    )

    assert answer.json() == page
    assert gateway.calls == [("list_order_lines", {"p_limit": 1, "p_before": "ORD1043-2"})]


@pytest.mark.parametrize("failure", [Forbidden(), Unavailable(), RuntimeError("broken")])
def test_errors_of_the_staff_list_have_its_members(failure: Exception) -> None:
    client = client_of(app, gateway=FakeGateway({"list_order_lines": failure}))

    for answer in (client.get("/api/admin/orders", headers=bearer()), client.get("/api/admin/orders")):
        assert answer.status_code >= 400
        assert isinstance(answer.json()["error"], str)
        assert answer.json() == answer.json() | {"orders": [], "count": 0, "pending": 0, "delivered": 0}


def test_other_errors_have_no_such_members() -> None:
    assert "orders" not in client_of(app).get("/api/orders").json()


def test_a_status_is_set_and_the_row_returned() -> None:
    gateway = FakeGateway({"set_order_status": ROW})

    answer = client_of(app, gateway=gateway).put(
        "/api/admin/orders/ORD1042-1/status", json={"status": "shipped"}, headers=bearer()
    )

    assert answer.json() == ROW
    assert gateway.calls == [("set_order_status", {"p_order_id": "ORD1042-1", "p_status": "shipped"})]


def test_the_history_says_who_took_each_step() -> None:
    step = {
        "from": "confirmed",
        "to": "shipped",
        "changed_at": "2026-11-21T04:50:36.951000Z",
        "changed_by": "admin",
        "role": "admin",
        "reason": None,
    }
    history = {
        "order_id": "ORD1042",
        "placed_at": ORDER["placed_at"],
        "placed_by": "patient",
        "changes": [step],
    }
    gateway = FakeGateway({"order_history": history})

    answer = client_of(app, gateway=gateway).get("/api/admin/orders/ORD1042-1/history", headers=bearer())

    assert answer.json() == history
    assert gateway.calls == [("order_history", {"p_order_id": "ORD1042-1"})]


@pytest.mark.parametrize("status", ["failed", "awaiting_pharmacist", "SHIPPED", None])
def test_only_the_known_words_are_a_status(status: object) -> None:
    answer = client_of(app, gateway=FakeGateway()).put(
        "/api/admin/orders/ORD1042/status", json={"status": status}, headers=bearer()
    )

    assert answer.status_code == 422
