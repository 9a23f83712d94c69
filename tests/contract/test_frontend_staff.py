"""The frontend's staff page: one row an order line, numbers beside it, and the same members in errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.frontend import Frontend, Shape, day, filled, money, read, rows, whole, wrong_in
from tests.integration.ordering import ADMIN
from tests.running_stack import DEMO_PASSWORD, RunningStack

ROW: Shape = {
    "order_id": filled,
    "patient_id": filled,
    "patient_name": filled,
    "product_id": filled,
    "product_name": filled,
    "quantity": whole,
    "total_price": money,
    "purchase_date": day,
    "dosage_frequency": filled,
    "status": filled,
}
LIST: Shape = {"orders": rows, "count": whole, "pending": whole, "delivered": whole}
NOTHING = {"orders": [], "count": 0, "pending": 0, "delivered": 0}


@pytest.fixture
def page(stack: RunningStack) -> Iterator[Frontend]:
    username, password = ADMIN
    with Frontend(stack) as frontend:
        assert frontend.post("/api/admin/login", {"username": username, "password": password}).is_success
        yield frontend


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[Frontend]:
    with Frontend(stack) as frontend:
        frontend.post("/api/auth/login", {"email": "anjali@example.com", "password": DEMO_PASSWORD})
        yield frontend


def test_the_list_has_a_row_for_every_line(page: Frontend) -> None:
    listed = read(page.get("/api/admin/orders"))

    assert wrong_in(listed, LIST) == []
    assert [wrong for row in listed["orders"] for wrong in wrong_in(row, ROW)] == []
    ids = [row["order_id"] for row in listed["orders"]]
    assert len(ids) == len(set(ids))
    assert listed["pending"] + listed["delivered"] <= listed["count"]


def test_a_new_order_of_two_products_is_two_new_rows_on_top(page: Frontend, patient: Frontend) -> None:
    before = read(page.get("/api/admin/orders"))
    body = {"items": [{"product_id": "MED021", "quantity": 1}, {"product_id": "MED032", "quantity": 2}]}
    order = read(patient.post("/api/orders", body))

    after = read(page.get("/api/admin/orders"))

    assert (after["count"], after["pending"]) == (before["count"] + 2, before["pending"] + 2)
    top = after["orders"][:2]
    assert {row["product_id"]: row["quantity"] for row in top} == {"MED021": 1, "MED032": 2}
    assert sum(row["total_price"] for row in top) == order["total_price"]


def test_a_status_is_changed_with_the_id_of_a_row(page: Frontend, patient: Frontend) -> None:
    patient.post("/api/orders", {"items": [{"product_id": "MED021", "quantity": 1}]})
    row = read(page.get("/api/admin/orders"))["orders"][0]

    for status in ("processing", "shipped", "delivered"):
        answer = page.put(f"/api/admin/orders/{row['order_id']}/status", {"status": status})
        assert answer.status_code == 200, answer.text
        assert wrong_in(read(answer), ROW) == []
        assert read(answer) == {**row, "status": status}


@pytest.mark.parametrize("status", ["confirmed", "lost", "", None])
def test_an_impossible_status_is_refused_with_a_sentence(page: Frontend, status: str | None) -> None:
    delivered = next(
        row for row in read(page.get("/api/admin/orders"))["orders"] if row["status"] == "delivered"
    )

    answer = page.put(f"/api/admin/orders/{delivered['order_id']}/status", {"status": status})

    assert answer.status_code in (409, 422)
    assert wrong_in(read(answer), {"error": filled}) == []


@pytest.mark.parametrize("query", [{}, {"limit": 0}, {"limit": "many"}, {"cursor": "?"}])
def test_an_error_of_the_list_has_its_members_too(
    stack: RunningStack, patient: Frontend, query: dict[str, object]
) -> None:
    with Frontend(stack) as guest:
        for visitor, status in ((guest, 401), (patient, 403)):
            answer = visitor.get("/api/admin/orders", **query)
            assert answer.status_code in (status, 422)
            body = read(answer)
            assert {name: body.get(name) for name in NOTHING} == NOTHING
            assert filled(body["error"])
