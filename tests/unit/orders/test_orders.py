"""A patient's orders: only one's own, newest first."""

from __future__ import annotations

from typing import Any

import pytest

from functions.orders.handler import app
from shared.errors import NotFound, Unavailable
from tests.unit.shared.fakes import FakeGateway, bearer, client_of

ORDER = {
    "order_id": "ORD1042",
    "status": "confirmed",
    "total_price": 60.0,
    "placed_at": "2026-11-21T04:50:36.951000Z",
    "items": [
        {
            "product_id": "MED001",
            "product_name": "Dolo 650",
            "quantity": 2,
            "unit_price": 30.0,
            "line_total": 60.0,
            "warnings": [
                {"code": "duplicate_therapy", "message": "You also take Crocin.", "source": "rule 7"}
            ],
        }
    ],
    "tracking": None,
}


def test_my_orders_come_as_a_page() -> None:
    gateway = FakeGateway({"list_orders": {"orders": [ORDER], "count": 1, "next_cursor": None}})

    answer = client_of(app, gateway=gateway).get("/api/orders", headers=bearer())

    assert answer.json() == {"orders": [ORDER], "count": 1, "next_cursor": None}
    assert gateway.calls == [("list_orders", {"p_limit": 50, "p_before": None})]


def test_the_next_page_starts_after_the_cursor() -> None:
    gateway = FakeGateway({"list_orders": {"orders": [], "count": 0, "next_cursor": None}})

    client_of(app, gateway=gateway).get("/api/orders?limit=2&cursor=ORD1042", headers=bearer())

    assert gateway.calls == [("list_orders", {"p_limit": 2, "p_before": "ORD1042"})]


def test_times_are_utc_in_iso_8601_however_the_database_writes_them() -> None:
    gateway = FakeGateway({"get_order": {**ORDER, "placed_at": "2026-11-21T04:50:36.951+00:00"}})

    answer = client_of(app, gateway=gateway).get("/api/orders/ORD1042", headers=bearer())

    assert answer.json()["placed_at"] == "2026-11-21T04:50:36.951000Z"


def test_somebody_elses_order_does_not_exist() -> None:
    unknown = NotFound("There is no such order.", code="order_not_found")

    answer = client_of(app, gateway=FakeGateway({"get_order": unknown})).get(
        "/api/orders/ORD1", headers=bearer()
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/ORD1042"])
def test_a_guest_has_no_orders(path: str) -> None:
    gateway = FakeGateway()

    assert client_of(app, gateway=gateway).get(path).status_code == 401
    assert gateway.calls == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=-1", "limit=ten", "cursor=%00", "cursor=a;b"]
)
def test_wrong_parameters_are_422(query: str) -> None:
    assert (
        client_of(app, gateway=FakeGateway()).get(f"/api/orders?{query}", headers=bearer()).status_code == 422
    )


@pytest.mark.parametrize("failure", [Unavailable(code="database_unavailable"), RuntimeError("broken")])
def test_failures_have_the_usual_form(failure: Any) -> None:
    answer = client_of(app, gateway=FakeGateway({"list_orders": failure})).get(
        "/api/orders", headers=bearer()
    )

    assert answer.status_code >= 500
    assert isinstance(answer.json()["error"], str)
