"""The mock partner's books: once an event, the same draws for a seed, nothing forgotten in a restart."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from infra.local.partner import read_behaviour
from infra.local.warehouse import Behaviour, Warehouse

QUICK = Behaviour(step_seconds=0.001)


def confirmed(order_id: str = "ORD1") -> dict[str, Any]:
    return {"type": "order.confirmed", "data": {"order_id": order_id, "ship_to": "PAT1", "items": []}}


def plan(warehouse: Warehouse) -> list[tuple[str, str]]:
    return [
        (row[0], row[1]) for row in warehouse.rows("select order_id, status from reports order by due_at")
    ]


def test_an_event_is_acted_on_once_however_often_it_comes() -> None:
    warehouse = Warehouse(":memory:", QUICK)
    for _ in range(3):
        warehouse.take("msg_1", confirmed(), None)

    assert [status for _, status in plan(warehouse)] == ["accepted", "packed", "shipped", "delivered"]
    assert warehouse.rows("select deliveries from taken") == [(3,)]


def test_the_same_seed_draws_the_same_for_an_order_whatever_comes_first() -> None:
    behaviour = Behaviour(step_seconds=1, shuffling=0.5, late=0.5, undeliverable=0.3, refusing=0.3)
    plans = []
    for orders in (range(20), reversed(range(20))):
        warehouse = Warehouse(":memory:", behaviour)
        for number in orders:
            warehouse.take(f"msg_{number}", confirmed(f"ORD{number}"), None)
        plans.append(sorted(warehouse.rows("select order_id, status, webhook_id from reports")))

    assert plans[0] == plans[1]
    assert len({status for _, status, _ in plans[0]}) == 6


def test_what_is_cancelled_is_reported_no_further() -> None:
    warehouse = Warehouse(":memory:", Behaviour(step_seconds=60))
    warehouse.take("msg_1", confirmed(), None)

    warehouse.take("msg_2", {"type": "order.cancelled", "data": {"order_id": "ORD1"}}, None)
    warehouse.take("msg_3", confirmed(), None)  # late, after its cancellation

    assert plan(warehouse) == []


def test_an_order_that_failed_succeeds_when_it_is_asked_for_again() -> None:
    warehouse = Warehouse(":memory:", Behaviour(step_seconds=0.001, undeliverable=1))
    warehouse.take("msg_1", confirmed(), None)
    assert plan(warehouse)[-1] == ("ORD1", "failed")

    warehouse.take("msg_2", confirmed(), None)
    assert plan(warehouse)[-1] == ("ORD1", "delivered")


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    books = tmp_path / "books.sqlite3"
    warehouse = Warehouse(books, QUICK)
    warehouse.take("msg_1", confirmed(), "request-1")
    warehouse.close()
    time.sleep(0.05)

    due = Warehouse(books, QUICK).due(10)

    assert len(due) == 4
    assert {report.request_id for report in due} == {"request-1"}


def test_a_report_in_hand_is_not_taken_by_another() -> None:
    warehouse = Warehouse(":memory:", QUICK)
    warehouse.take("msg_1", confirmed(), None)
    time.sleep(0.05)

    assert len(warehouse.due(10)) == 4
    assert warehouse.due(10) == []


def test_its_behaviour_comes_from_the_environment() -> None:
    assert read_behaviour({"NEXUS_PARTNER_FAILING": "0.3", "NEXUS_PARTNER_SEED": "7"}) == Behaviour(
        seed=7, failing=0.3
    )
