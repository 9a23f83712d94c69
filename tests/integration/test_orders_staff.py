"""The order page of the staff: a row a line, and the one way an order may go."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.chatting import new_patient, stock
from tests.integration.ordering import (
    ADMIN,
    PHARMACIST,
    as_staff,
    buy,
    events,
    hand_in,
    patient_id,
    placed,
    status,
)
from tests.running_stack import RunningStack

ORS, BANDAGE, CEFIXIME = "MED021", "MED032", "MED060"
ROW = {
    "order_id", "patient_id", "patient_name", "product_id", "product_name", "quantity", "total_price",
    "purchase_date", "dosage_frequency", "status",
}  # fmt: skip


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


@pytest.fixture
def admin(stack: RunningStack) -> Iterator[httpx.Client]:
    with as_staff(stack, ADMIN) as api:
        yield api


def move(staff: httpx.Client, order_id: str, to: str) -> httpx.Response:
    return staff.put(f"/api/admin/orders/{order_id}/status", json={"status": to})


def test_every_line_is_a_row_with_an_id_of_its_own(patient: httpx.Client, admin: httpx.Client) -> None:
    order = placed(buy(patient, (ORS, 2), (BANDAGE, 1)))

    page = admin.get("/api/admin/orders").json()

    assert page.keys() == {"orders", "count", "pending", "delivered", "next_cursor"}
    first, second = page["orders"][:2]
    assert [first["order_id"], second["order_id"]] == [f"{order['order_id']}-1", f"{order['order_id']}-2"]
    assert [first["product_id"], second["product_id"]] == [ORS, BANDAGE]
    assert (first["quantity"], first["total_price"], first["status"]) == (2, 30.0, "confirmed")
    ids = [row["order_id"] for row in page["orders"]]
    assert len(ids) == len(set(ids))
    for row in page["orders"]:
        assert row.keys() == ROW
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["purchase_date"])
        assert all(value is not None for value in row.values())


def test_the_numbers_follow_what_happens(patient: httpx.Client, admin: httpx.Client) -> None:
    def numbers() -> tuple[int, int, int]:
        page = admin.get("/api/admin/orders", params={"limit": 1}).json()
        return page["count"], page["pending"], page["delivered"]

    count, pending, delivered = numbers()
    order_id = placed(buy(patient, (ORS, 1), (BANDAGE, 1)))["order_id"]
    assert numbers() == (count + 2, pending + 2, delivered)
    move(admin, order_id, "delivered")
    assert numbers() == (count + 2, pending, delivered + 2)


def test_pages_together_are_the_whole_list(patient: httpx.Client, admin: httpx.Client) -> None:
    placed(buy(patient, (ORS, 1), (BANDAGE, 1)))
    whole = [row["order_id"] for row in admin.get("/api/admin/orders", params={"limit": 12}).json()["orders"]]
    paged: list[str] = []
    cursor: dict[str, str] = {}
    while len(paged) < 12:
        page = admin.get("/api/admin/orders", params={"limit": 3, **cursor}).json()
        paged += [row["order_id"] for row in page["orders"]]
        cursor = {"cursor": page["next_cursor"]}

    assert paged == whole


def test_an_order_goes_forward_by_either_id(patient: httpx.Client, admin: httpx.Client) -> None:
    order_id = placed(buy(patient, (ORS, 1), (BANDAGE, 1)))["order_id"]

    for to, by in [("processing", f"{order_id}-2"), ("shipped", order_id), ("shipped", order_id)]:
        answer = move(admin, by, to)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == ROW
        assert answer.json()["status"] == to
    assert move(admin, f"{order_id}-2", "delivered").json()["product_id"] == BANDAGE
    assert status(patient, order_id) == "delivered"


@pytest.mark.parametrize(
    ("steps", "illegal"),
    [
        (["processing"], "confirmed"),
        (["shipped"], "processing"),
        (["shipped"], "cancelled"),
        (["delivered"], "shipped"),
        (["delivered"], "cancelled"),
        (["cancelled"], "confirmed"),
        (["cancelled"], "delivered"),
    ],
)
def test_an_order_never_goes_back(
    patient: httpx.Client, admin: httpx.Client, steps: list[str], illegal: str
) -> None:
    order_id = placed(buy(patient, (ORS, 1)))["order_id"]
    for step in steps:
        assert move(admin, order_id, step).status_code == 200

    assert move(admin, order_id, illegal).status_code == 409
    assert status(patient, order_id) == steps[-1]


def test_cancelling_by_status_restocks(
    stack: RunningStack, patient: httpx.Client, admin: httpx.Client
) -> None:
    before = stock(patient, ORS)
    order_id = placed(buy(patient, (ORS, 3)))["order_id"]

    assert move(admin, order_id, "cancelled").json()["status"] == "cancelled"

    assert stock(patient, ORS) == before
    assert events(stack, order_id) == ["order.confirmed", "order.cancelled"]


@pytest.mark.parametrize("account", [ADMIN, PHARMACIST])
def test_what_waits_for_a_pharmacist_is_only_cancelled(
    stack: RunningStack, patient: httpx.Client, account: tuple[str, str]
) -> None:
    hand_in(patient)
    order_id = placed(buy(patient, (CEFIXIME, 1)))["order_id"]
    with as_staff(stack, account) as staff:
        for to in ("confirmed", "processing", "shipped", "delivered"):
            answer = move(staff, order_id, to)
            assert (answer.status_code, answer.json()["code"]) == (409, "order_awaits_pharmacist")
        assert status(patient, order_id) == "awaiting_pharmacist"

        assert move(staff, order_id, "cancelled").status_code == 200
    assert status(patient, order_id) == "cancelled"
    assert events(stack, order_id) == []


@pytest.mark.parametrize("order_id", ["ORD99999999", "ORD001-99", "ORD001-99999999", "ORD001-", "x"])
def test_an_unknown_order_is_404(admin: httpx.Client, order_id: str) -> None:
    assert move(admin, order_id, "shipped").status_code == 404


@pytest.mark.parametrize("word", ["awaiting_pharmacist", "failed", "Shipped", "", None, 1])
def test_another_status_is_422(admin: httpx.Client, word: object) -> None:
    answer = admin.put("/api/admin/orders/ORD001/status", json={"status": word})

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_errors_of_the_list_keep_its_form(stack: RunningStack, patient: httpx.Client) -> None:
    empty = {"orders": [], "count": 0, "pending": 0, "delivered": 0}
    with stack.api() as guest:
        answers = [
            (guest.get("/api/admin/orders"), 401),
            (patient.get("/api/admin/orders"), 403),
            (patient.get("/api/admin/orders", params={"limit": 0}), 422),
            (patient.delete("/api/admin/orders"), 405),
        ]

    for answer, expected in answers:
        assert answer.status_code == expected
        assert answer.json() == answer.json() | empty
        assert isinstance(answer.json()["error"], str)


def test_patients_do_not_move_orders(stack: RunningStack, patient: httpx.Client) -> None:
    order_id = placed(buy(patient, (ORS, 1)))["order_id"]
    with stack.api() as guest:
        assert move(guest, order_id, "delivered").status_code == 401
    assert move(patient, order_id, "delivered").status_code == 403
    assert status(patient, order_id) == "confirmed"


def steps(staff: httpx.Client, order_id: str) -> list[tuple[str | None, ...]]:
    answer = staff.get(f"/api/admin/orders/{order_id}/history")
    assert answer.status_code == 200, answer.text
    return [
        (step["from"], step["to"], step["changed_by"], step["role"], step["reason"])
        for step in answer.json()["changes"]
    ]


def test_every_step_is_recorded_with_who_took_it(
    stack: RunningStack, patient: httpx.Client, admin: httpx.Client
) -> None:
    order_id = placed(buy(patient, (ORS, 1)))["order_id"]
    assert steps(admin, order_id) == []
    move(admin, order_id, "processing")
    move(admin, order_id, "processing")
    move(admin, order_id, "confirmed")
    with as_staff(stack, PHARMACIST) as pharmacist:
        move(pharmacist, f"{order_id}-1", "shipped")

    assert steps(admin, f"{order_id}-1") == [
        ("confirmed", "processing", "admin", "admin", None),
        ("processing", "shipped", "pharmacist", "pharmacist", None),
    ]


def test_a_cancellation_is_recorded_with_its_reason(patient: httpx.Client, admin: httpx.Client) -> None:
    order_id = placed(buy(patient, (ORS, 1)))["order_id"]
    patient.post(f"/api/orders/{order_id}/cancel", json={"reason": "Ordered twice"}).raise_for_status()

    assert steps(admin, order_id) == [
        ("confirmed", "cancelled", patient_id(patient), "patient", "Ordered twice")
    ]


def test_the_history_is_for_staff(patient: httpx.Client, admin: httpx.Client) -> None:
    order_id = placed(buy(patient, (ORS, 1)))["order_id"]

    assert patient.get(f"/api/admin/orders/{order_id}/history").status_code == 403
    assert admin.get("/api/admin/orders/ORD99999999/history").status_code == 404
