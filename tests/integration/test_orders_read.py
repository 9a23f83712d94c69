"""Reading orders on the real stack: one's own, page by page, never another's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.running_stack import RunningStack

RAHUL, ANJALI = "rahul@example.com", "anjali@example.com"


def test_orders_have_the_fields_the_frontend_reads(stack: RunningStack) -> None:
    with stack.as_patient(RAHUL) as rahul:
        page = rahul.get("/api/orders").json()

    assert page.keys() == {"orders", "count", "next_cursor"}
    assert page["count"] == len(page["orders"]) > 0
    for order in page["orders"]:
        assert order.keys() == {"order_id", "status", "total_price", "placed_at", "items", "tracking"}
        assert datetime.fromisoformat(order["placed_at"]).utcoffset() == timedelta(0)
        assert order["total_price"] == pytest.approx(sum(item["line_total"] for item in order["items"]))
        for item in order["items"]:
            assert item["line_total"] == pytest.approx(item["quantity"] * item["unit_price"])
            assert isinstance(item["warnings"], list)


def test_orders_come_newest_first(stack: RunningStack) -> None:
    with stack.as_patient(RAHUL) as rahul:
        placed = [order["placed_at"] for order in rahul.get("/api/orders").json()["orders"]]

    assert placed == sorted(placed, reverse=True)


def test_pages_together_are_the_whole_list(stack: RunningStack) -> None:
    with stack.as_patient(RAHUL) as rahul:
        whole = [order["order_id"] for order in rahul.get("/api/orders").json()["orders"]]
        paged: list[str] = []
        cursor = ""
        while True:
            page = rahul.get(
                "/api/orders", params={"limit": 2, "cursor": cursor} if cursor else {"limit": 2}
            ).json()
            paged += [order["order_id"] for order in page["orders"]]
            if (cursor := page["next_cursor"]) is None:
                break

    assert paged == whole


def test_one_order_is_the_same_as_in_the_list(stack: RunningStack) -> None:
    with stack.as_patient(RAHUL) as rahul:
        listed = rahul.get("/api/orders", params={"limit": 1}).json()["orders"][0]

        assert rahul.get(f"/api/orders/{listed['order_id']}").json() == listed


def test_somebody_elses_order_looks_like_no_order_at_all(stack: RunningStack) -> None:
    with stack.as_patient(RAHUL) as rahul, stack.as_patient(ANJALI) as anjali:
        rahuls = rahul.get("/api/orders").json()["orders"][0]["order_id"]
        another, unknown = anjali.get(f"/api/orders/{rahuls}"), anjali.get("/api/orders/ORD99999999")
        anjalis = {order["order_id"] for order in anjali.get("/api/orders").json()["orders"]}

    assert (another.status_code, another.json()["code"]) == (404, "order_not_found")
    assert another.json() | {"instance": ""} == unknown.json() | {"instance": ""}
    assert rahuls not in anjalis


def test_another_patients_order_is_no_cursor_either(stack: RunningStack) -> None:
    with stack.as_patient(RAHUL) as rahul, stack.as_patient(ANJALI) as anjali:
        rahuls = rahul.get("/api/orders").json()["orders"][0]["order_id"]

        assert anjali.get("/api/orders", params={"cursor": rahuls}).json()["orders"] == []


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/ORD001"])
def test_a_guest_sees_no_orders(stack: RunningStack, path: str) -> None:
    with stack.api() as guest:
        assert guest.get(path).status_code == 401
