"""The inventory's routes: what is asked of the database, and what never reaches it."""

from __future__ import annotations

from typing import Any

import pytest

from functions.inventory.handler import app
from shared.errors import Conflict, Forbidden
from tests.unit.shared.fakes import FakeGateway, bearer, client_of

LOT = {
    "batch_id": 17,
    "product_id": "MED001",
    "lot": "DL2407",
    "expiry": "2028-06-30",
    "days_left": 587,
    "status": "available",
    "status_reason": None,
    "status_changed_at": None,
    "sellable": True,
    "quantity": 3,
    "reserved": 5,
    "on_shelf": 8,
    "received_at": "2026-11-21T04:50:36.951000Z",
}
STOCK = {
    "product_id": "MED001",
    "product_name": "Dolo 650",
    "category": "Pain Relief",
    "package_size": "15 Tablets",
    "price": 30.0,
    "stock_quantity": 3,
    "reserved": 5,
    "held": 0,
    "recalled": 0,
    "expired": 0,
    "expiring": 0,
    "next_expiry": "2028-06-30",
    "low_stock": True,
    "low_stock_threshold": 20,
}
RECIPIENTS = {
    "batch": {**LOT, "status": "recalled", "sellable": False},
    "recipients": [
        {
            "patient_id": "PAT012",
            "name": "Anjali Gupta",
            "phone": None,
            "email": "anjali@example.com",
            "order_id": "ORD1042",
            "status": "confirmed",
            "packs": 5,
            "ordered_at": "2026-11-21T04:50:36.951000Z",
            "shipped_at": None,
            "delivered_at": None,
            "left_us": False,
        }
    ],
    "count": 1,
    "packs": 5,
    "open_orders": 1,
    "next_cursor": None,
}
BATCH = "/api/admin/inventory/MED001/batches/17"
WHY = {"reason": "Two strips broken"}


def ask(gateway: FakeGateway, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return client_of(app, gateway=gateway).request(method, path, json=body, headers={**bearer(), **headers})


def test_the_list_is_asked_for_page_by_page() -> None:
    page = {
        "products": [STOCK],
        "count": 1,
        "next_cursor": "MED001",
        "defaults": {"low_stock_threshold": 20, "near_expiry_days": 90},
    }
    gateway = FakeGateway({"list_inventory": page})

    answer = ask(gateway, "GET", "/api/admin/inventory?low_stock=true&limit=1&cursor=MED000")

    assert answer.json() == page
    assert gateway.calls == [
        ("list_inventory", {"p_limit": 1, "p_after": "MED000", "p_low_stock": True}),
    ]


def test_one_product_comes_with_its_lots() -> None:
    found = {**STOCK, "batches": [LOT]}
    gateway = FakeGateway({"product_inventory": found})

    assert ask(gateway, "GET", "/api/admin/inventory/MED001").json() == found


def test_the_word_batches_leads_to_the_lots_that_expire() -> None:
    page = {"batches": [{**LOT, "product_name": "Dolo 650"}], "count": 1, "days": 30, "next_cursor": "17"}
    gateway = FakeGateway({"expiring_lots": page})

    answer = ask(gateway, "GET", "/api/admin/inventory/batches/expiring?days=30&cursor=4")

    assert answer.json() == page
    assert gateway.calls == [
        ("expiring_lots", {"p_days": 30, "p_expired": False, "p_limit": 100, "p_after": 4}),
    ]


def test_a_delivery_goes_to_the_database_with_its_key() -> None:
    gateway = FakeGateway({"receive_lot": LOT})
    delivery = {"lot": " DL2407 ", "expiry": "2028-06-30", "packs": 200}

    answer = ask(gateway, "POST", "/api/admin/inventory/MED001/batches", delivery, **{"Idempotency-Key": "a"})

    assert (answer.status_code, answer.json()) == (201, LOT)
    assert gateway.calls == [
        (
            "receive_lot",
            {
                "p_product_id": "MED001",
                "p_delivery": {**delivery, "lot": "DL2407"},
                "p_idempotency_key": "a",
            },
        ),
    ]


@pytest.mark.parametrize(
    ("correction", "field"),
    [
        ({"change": -2}, "reason"),
        ({"change": -2, "reason": " "}, "reason"),
        ({"change": 0, **WHY}, "body"),
        ({"change": 1.5, **WHY}, "change"),
        ({"change": "1", **WHY}, "change"),
        ({"change": True, **WHY}, "change"),
        ({"counted": -1, **WHY}, "counted"),
        ({"counted": 10**9, **WHY}, "counted"),
        ({"expiry": "30.06.2028", **WHY}, "expiry"),
        ({"change": 1, "counted": 2, **WHY}, "body"),
        ({"quantity": 1, **WHY}, "quantity"),
        (WHY, "body"),
    ],
)
def test_what_is_no_correction_never_reaches_the_database(correction: Any, field: str) -> None:
    gateway = FakeGateway()

    answer = ask(gateway, "POST", f"{BATCH}/corrections", correction)

    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert gateway.calls == []


@pytest.mark.parametrize("correction", [{"change": -2}, {"counted": 0}, {"expiry": "2028-05-31"}])
def test_a_correction_is_passed_on_as_it_is(correction: Any) -> None:
    gateway = FakeGateway({"correct_lot": LOT})

    assert ask(gateway, "POST", f"{BATCH}/corrections", {**correction, **WHY}).status_code == 201
    assert gateway.calls[0][1]["p_correction"] == {**correction, **WHY}


@pytest.mark.parametrize(("verb", "status"), [("hold", "held"), ("release", "available")])
def test_holding_and_releasing_set_the_status(verb: str, status: str) -> None:
    gateway = FakeGateway({"set_lot_status": LOT})

    assert ask(gateway, "POST", f"{BATCH}/{verb}", WHY).json() == LOT
    assert gateway.calls == [
        (
            "set_lot_status",
            {"p_product_id": "MED001", "p_batch_id": 17, "p_status": status, "p_reason": WHY["reason"]},
        ),
    ]


def test_a_recall_answers_with_who_got_the_lot() -> None:
    gateway = FakeGateway({"recall_lot": RECIPIENTS})

    assert ask(gateway, "POST", f"{BATCH}/recall", WHY).json() == RECIPIENTS


@pytest.mark.parametrize("verb", ["hold", "release", "recall"])
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "ab"}, {"reason": "x" * 501}, None])
def test_none_of_them_goes_without_a_reason(verb: str, body: Any) -> None:
    assert ask(FakeGateway(), "POST", f"{BATCH}/{verb}", body).status_code == 422


@pytest.mark.parametrize("batch_id", ["0", "-1", "x", "1.5", "1e3", "99999999999999999999"])
def test_what_is_no_lots_id_is_422(batch_id: str) -> None:
    answer = ask(FakeGateway(), "POST", f"/api/admin/inventory/MED001/batches/{batch_id}/hold", WHY)

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({"low_stock_threshold": 5}, {"low_stock_threshold": 5}),
        ({"low_stock_threshold": None}, {"low_stock_threshold": None}),
        ({"counts": [{"batch_id": 17, "counted": 8}], **WHY},) * 2,
    ],
)
def test_a_threshold_that_is_null_is_not_one_that_is_left_out(change: Any, sent: Any) -> None:
    gateway = FakeGateway({"set_product_inventory": {**STOCK, "batches": []}})

    assert ask(gateway, "PUT", "/api/admin/inventory/MED001", change).status_code == 200
    assert gateway.calls[0][1]["p_changes"] == sent


@pytest.mark.parametrize(
    "change", [{}, WHY, {"counts": [], **WHY}, {"counts": [{"batch_id": 17, "counted": 8}]}]
)
def test_a_change_that_changes_nothing_or_says_no_reason_is_422(change: Any) -> None:
    assert ask(FakeGateway(), "PUT", "/api/admin/inventory/MED001", change).status_code == 422


def test_defaults_are_set_together() -> None:
    defaults = {"low_stock_threshold": 20, "near_expiry_days": 60}
    gateway = FakeGateway({"set_inventory_defaults": defaults})

    assert ask(gateway, "PUT", "/api/admin/inventory", defaults).json() == defaults
    assert gateway.calls == [
        ("set_inventory_defaults", {"p_low_stock_threshold": 20, "p_near_expiry_days": 60}),
    ]
    assert ask(gateway, "PUT", "/api/admin/inventory", {"near_expiry_days": 60}).status_code == 422


def test_a_refusal_says_what_stands_against_it() -> None:
    refusal = Conflict("Only 3 are free.", code="below_reserved", extra={"quantity": 3, "orders": ["ORD1"]})

    answer = ask(FakeGateway({"correct_lot": refusal}), "POST", f"{BATCH}/corrections", {"change": -9, **WHY})

    assert (answer.status_code, answer.json()["code"]) == (409, "below_reserved")
    assert (answer.json()["quantity"], answer.json()["orders"]) == (3, ["ORD1"])


def test_whose_business_it_is_the_database_says() -> None:
    gateway = FakeGateway({"list_inventory": Forbidden("Only staff may do this.", code="not_staff")})

    assert ask(gateway, "GET", "/api/admin/inventory").status_code == 403
    assert client_of(app, gateway=gateway).get("/api/admin/inventory").status_code == 401
