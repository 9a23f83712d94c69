"""The shelf over HTTP: what staff does there, and what patients then see of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.chatting import new_patient, shelf, stock
from tests.integration.ordering import (
    ADMIN,
    PHARMACIST,
    Json,
    as_staff,
    buy,
    hand_in,
    patient_id,
    placed,
    prescribed_item,
    reading,
    records,
)
from tests.running_stack import RunningStack

BANDAGE, CEFIXIME = "MED032", "MED060"
WHY = {"reason": "for this test"}


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


@pytest.fixture
def admin(stack: RunningStack) -> Iterator[httpx.Client]:
    with as_staff(stack, ADMIN) as api:
        yield api


@pytest.fixture
def pharmacist(stack: RunningStack) -> Iterator[httpx.Client]:
    with as_staff(stack, PHARMACIST) as api:
        yield api


@pytest.fixture
def empty_shelf(stack: RunningStack) -> Iterator[None]:
    with shelf(stack, BANDAGE, {}):
        yield


def day(days: int) -> str:
    return str(datetime.now(UTC).date() + timedelta(days=days))


def new_lot() -> str:
    """A lot number that no other test uses; lots are never deleted."""
    return f"T-{uuid4().hex[:12]}".upper()


def deliver(
    staff: httpx.Client,
    lot: str,
    packs: int,
    days: int = 400,
    product_id: str = BANDAGE,
    key: str | None = None,
) -> httpx.Response:
    delivery = {"lot": lot, "expiry": day(days), "packs": packs}
    headers = {"Idempotency-Key": key} if key else {}
    return staff.post(f"/api/admin/inventory/{product_id}/batches", json=delivery, headers=headers)


def received(staff: httpx.Client, packs: int, days: int = 400, product_id: str = BANDAGE) -> int:
    answer = deliver(staff, new_lot(), packs, days, product_id)
    assert answer.status_code == 201, answer.text
    batch_id: int = answer.json()["batch_id"]
    return batch_id


def act(
    staff: httpx.Client, batch_id: int, verb: str, product_id: str = BANDAGE, **body: Any
) -> httpx.Response:
    return staff.post(f"/api/admin/inventory/{product_id}/batches/{batch_id}/{verb}", json={**WHY, **body})


def inventory(staff: httpx.Client, product_id: str = BANDAGE) -> Json:
    answer = staff.get(f"/api/admin/inventory/{product_id}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def movements(staff: httpx.Client, batch_id: int) -> list[tuple[str, int, str | None, str | None]]:
    answer = staff.get(f"/api/admin/inventory/{BANDAGE}/movements", params={"batch_id": batch_id})
    assert answer.status_code == 200, answer.text
    return [
        (one["kind"], one["change"], one["order_id"], one["moved_by"]) for one in answer.json()["movements"]
    ]


@pytest.mark.usefixtures("empty_shelf")
def test_a_delivery_can_be_sold_and_every_pack_is_accounted_for(
    patient: httpx.Client, admin: httpx.Client
) -> None:
    batch_id = received(admin, 10)
    assert stock(patient, BANDAGE) == 10

    order_id = placed(buy(patient, (BANDAGE, 3)))["order_id"]
    assert act(admin, batch_id, "corrections", change=-2).json()["quantity"] == 5
    patient.post(f"/api/orders/{order_id}/cancel").raise_for_status()

    whole = inventory(admin)
    assert (whole["stock_quantity"], stock(patient, BANDAGE)) == (8, 8)
    assert movements(admin, batch_id) == [
        ("restocked", 3, order_id, patient_id(patient)),
        ("corrected", -2, None, "admin"),
        ("sold", -3, order_id, patient_id(patient)),
        ("received", 10, None, "admin"),
    ]


@pytest.mark.usefixtures("empty_shelf")
def test_a_delivery_is_booked_once_a_key(admin: httpx.Client) -> None:
    lot, key = new_lot(), str(uuid4())

    first = deliver(admin, lot, 10, key=key)
    again = deliver(admin, lot, 10, key=key)
    other = deliver(admin, lot, 11, key=key)
    another = deliver(admin, lot, 10, key=str(uuid4()))

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert another.json()["quantity"] == 20


@pytest.mark.usefixtures("empty_shelf")
def test_a_correction_is_made_once_a_key(admin: httpx.Client) -> None:
    batch_id, headers = received(admin, 10), {"Idempotency-Key": str(uuid4())}
    path = f"/api/admin/inventory/{BANDAGE}/batches/{batch_id}/corrections"

    answers = [admin.post(path, json={"change": -2, **WHY}, headers=headers) for _ in range(2)]

    assert [answer.json()["quantity"] for answer in answers] == [8, 8]
    assert inventory(admin)["stock_quantity"] == 8


@pytest.mark.usefixtures("empty_shelf")
def test_what_is_held_and_recalled_is_told_apart(
    patient: httpx.Client, admin: httpx.Client, pharmacist: httpx.Client
) -> None:
    fine, held, recalled = received(admin, 1, 50), received(admin, 2, 60), received(admin, 4, 70)
    assert act(admin, held, "hold").json()["status"] == "held"
    assert act(pharmacist, recalled, "recall").status_code == 200

    whole = inventory(admin)
    assert {name: whole[name] for name in ("stock_quantity", "held", "recalled", "expiring")} == {
        "stock_quantity": 1,
        "held": 2,
        "recalled": 4,
        "expiring": 1,
    }
    shown = {lot["batch_id"]: lot["sellable"] for lot in whole["batches"]}
    assert {batch_id: shown[batch_id] for batch_id in (fine, held, recalled)} == {
        fine: True,
        held: False,
        recalled: False,
    }
    assert stock(patient, BANDAGE) == 1
    assert buy(patient, (BANDAGE, 2)).status_code == 409

    assert act(admin, held, "release").status_code == 403
    assert act(pharmacist, held, "release").json()["sellable"] is True
    assert act(pharmacist, recalled, "release").json()["code"] == "lot_recalled"
    assert stock(patient, BANDAGE) == 3


@pytest.mark.usefixtures("empty_shelf")
def test_a_recall_finds_who_got_the_lot_and_what_can_still_be_stopped(
    stack: RunningStack, patient: httpx.Client, admin: httpx.Client
) -> None:
    batch_id = received(admin, 9)
    with new_patient(stack) as another:
        gone = placed(buy(patient, (BANDAGE, 2)))["order_id"]
        open_order = placed(buy(another, (BANDAGE, 3)))["order_id"]
        admin.put(f"/api/admin/orders/{gone}/status", json={"status": "shipped"}).raise_for_status()

        found = act(admin, batch_id, "recall").json()

        assert (found["batch"]["status"], found["count"], found["packs"], found["open_orders"]) == (
            "recalled",
            2,
            5,
            1,
        )
        assert [(row["order_id"], row["patient_id"], row["packs"]) for row in found["recipients"]] == [
            (open_order, patient_id(another), 3),
            (gone, patient_id(patient), 2),
        ]
        assert found["recipients"][1]["shipped_at"]
        shipped = admin.put(f"/api/admin/orders/{open_order}/status", json={"status": "shipped"})
        assert (shipped.status_code, shipped.json()["code"]) == (409, "order_has_recalled_packs")

        another.post(f"/api/orders/{open_order}/cancel").raise_for_status()
    path = f"/api/admin/inventory/{BANDAGE}/batches/{batch_id}/recipients"
    assert [row["order_id"] for row in admin.get(path).json()["recipients"]] == [gone]
    assert (inventory(admin)["recalled"], stock(patient, BANDAGE)) == (7, 0)


def test_a_waiting_order_is_confirmed_with_packs_that_may_be_sold(
    stack: RunningStack, patient: httpx.Client, admin: httpx.Client, pharmacist: httpx.Client
) -> None:
    prescription_id = hand_in(patient, prescribed_item("Cefixime", "200 mg", 10))
    with shelf(stack, CEFIXIME, {}):
        recalled = received(admin, 1, 50, CEFIXIME)
        order = placed(buy(patient, (CEFIXIME, 1)))
        assert order["status"] == "awaiting_pharmacist"
        act(admin, recalled, "recall", CEFIXIME).raise_for_status()
        verify = f"/api/admin/prescriptions/{prescription_id}/verify"

        without = pharmacist.post(verify, json=reading())
        assert (without.status_code, without.json()["code"]) == (409, "order_lacks_stock")
        assert order["order_id"] in without.json()["error"]

        received(admin, 1, 90, CEFIXIME)
        assert pharmacist.post(verify, json=reading()).json()["orders"][0]["outcome"] == "confirmed"
        assert stock(patient, CEFIXIME) == 0
    with records(stack) as database:
        lots = database.execute(
            "select b.status from public.order_allocations join public.product_batches as b using (batch_id) "
            "where order_id = %s",
            [order["order_id"]],
        ).fetchall()
    assert lots == [{"status": "available"}]


@pytest.mark.usefixtures("empty_shelf")
def test_lots_that_expire_soon_are_listed_the_first_first(stack: RunningStack, admin: httpx.Client) -> None:
    expired, soon, later, far = (received(admin, 1, days) for days in (30, 3, 4, 9))
    recalled = received(admin, 1, 5)
    act(admin, recalled, "recall").raise_for_status()
    with records(stack) as database:
        database.execute(
            "update public.product_batches set expiry = current_date where batch_id = %s", [expired]
        )

    def listed(**query: Any) -> list[int]:
        """Ours, over all pages."""
        found: list[int] = []
        cursor: Json = {}
        while True:
            page = admin.get(
                "/api/admin/inventory/batches/expiring", params={**query, **cursor, "limit": 1}
            ).json()
            found += [lot["batch_id"] for lot in page["batches"] if lot["product_id"] == BANDAGE]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    assert listed(days=4) == [soon, later]
    assert listed(days=9) == [soon, later, far]
    assert listed(days=4, include_expired=True) == [expired, soon, later]
    assert listed(days=0) == []


@pytest.mark.usefixtures("empty_shelf")
def test_what_runs_low_is_a_matter_of_thresholds(admin: httpx.Client) -> None:
    received(admin, 30)

    def low() -> set[str]:
        page = admin.get("/api/admin/inventory", params={"low_stock": True, "limit": 500}).json()
        assert all(product["low_stock"] for product in page["products"])
        return {product["product_id"] for product in page["products"]}

    def set_to(threshold: int | None) -> Json:
        answer = admin.put(f"/api/admin/inventory/{BANDAGE}", json={"low_stock_threshold": threshold})
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def set_default(threshold: int) -> None:
        defaults = {"low_stock_threshold": threshold, "near_expiry_days": 90}
        admin.put("/api/admin/inventory", json=defaults).raise_for_status()

    try:
        assert BANDAGE not in low()
        assert set_to(30)["low_stock"] is True
        assert BANDAGE in low()
        set_default(29)
        assert set_to(None)["low_stock_threshold"] == 29
        assert BANDAGE not in low()
        set_default(30)
        assert BANDAGE in low()
    finally:
        set_to(None)
        set_default(20)


def test_pages_together_are_the_whole_list(admin: httpx.Client) -> None:
    whole = admin.get("/api/admin/inventory", params={"limit": 500}).json()
    assert whole["next_cursor"] is None
    assert whole["count"] == len(whole["products"]) >= 100
    assert whole["defaults"] == {"low_stock_threshold": 20, "near_expiry_days": 90}

    paged: list[Json] = []
    cursor: Json = {}
    while True:
        page = admin.get("/api/admin/inventory", params={"limit": 7, **cursor}).json()
        paged += page["products"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert [product["product_id"] for product in paged] == [
        product["product_id"] for product in whole["products"]
    ]


@pytest.mark.usefixtures("empty_shelf")
def test_movements_come_page_by_page(admin: httpx.Client) -> None:
    batch_id = received(admin, 10)
    for _ in range(4):
        act(admin, batch_id, "corrections", change=1).raise_for_status()
    path = f"/api/admin/inventory/{BANDAGE}/movements"

    seen: list[int] = []
    query: Json = {"batch_id": batch_id, "limit": 2}
    while True:
        page = admin.get(path, params=query).json()
        seen += [one["quantity_after"] for one in page["movements"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == [14, 13, 12, 11, 10]


@pytest.mark.parametrize("cursor", ["x", "0", "-1", "99999999999999999999"])
@pytest.mark.parametrize("path", ["batches/expiring", f"{BANDAGE}/movements"])
def test_an_odd_cursor_is_422(admin: httpx.Client, path: str, cursor: str) -> None:
    assert admin.get(f"/api/admin/inventory/{path}", params={"cursor": cursor}).status_code == 422


def test_a_cursor_nobody_gave_out_leads_nowhere(admin: httpx.Client) -> None:
    for path, rows in (("batches/expiring", "batches"), ("", "products")):
        answer = admin.get(f"/api/admin/inventory/{path}".rstrip("/"), params={"cursor": "999999999"})
        assert answer.status_code == 200
        assert isinstance(answer.json()[rows], list)


@pytest.mark.parametrize("product_id", ["MED99999", "nothing"])
def test_an_unknown_product_is_404(admin: httpx.Client, product_id: str) -> None:
    for answer in (
        admin.get(f"/api/admin/inventory/{product_id}"),
        admin.get(f"/api/admin/inventory/{product_id}/movements"),
        admin.put(f"/api/admin/inventory/{product_id}", json={"low_stock_threshold": 1}),
        deliver(admin, new_lot(), 1, product_id=product_id),
    ):
        assert answer.status_code == 404, answer.text
