"""Lots: what may be received, corrected, held and recalled, by whom, and what that means for orders."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.database.people import Person, staff
from tests.database.shelf import Shelf


@pytest.fixture
def pharmacist(shelf: Shelf) -> Person:
    return staff(shelf.database, "pharmacist")


# Receiving


@pytest.mark.parametrize("written", ["DL 24 07", "  dl 24  07 ", "ｄｌ　24 07", "Dl\t24 07"])
def test_a_lot_is_the_same_however_it_is_written(shelf: Shelf, written: str) -> None:
    first = shelf.receive("DL 24 07", 5)

    assert shelf.receive(written, 3) == first
    assert (shelf.lot(first)["lot"], shelf.lot(first)["quantity"]) == ("DL 24 07", 8)


def test_a_lot_that_came_before_lots_were_written_in_one_way_is_found_too(shelf: Shelf) -> None:
    shelf.database.execute(
        """
        insert into public.product_batches (product_id, lot, expiry, quantity)
        values (%s, 'old lot', %s, 2)
        """,
        [shelf.product_id, shelf.day(400)],
    )

    assert shelf.lot(shelf.receive("OLD LOT", 3))["quantity"] == 5


def test_the_same_lot_number_of_another_product_is_another_lot(shelf: Shelf) -> None:
    delivery = {"lot": "OF TWO PRODUCTS", "expiry": shelf.day(400), "packs": 1}

    mine = shelf.receive("OF TWO PRODUCTS", 1)

    assert shelf.call(shelf.staff, "receive_lot", "MED021", delivery)["batch_id"] != mine


def test_another_expiry_of_a_lot_is_a_mistake_somewhere(shelf: Shelf) -> None:
    shelf.receive("DL2407", 5, days=400)
    delivery = {"lot": "DL2407", "expiry": shelf.day(401), "packs": 5}

    status, code, members = shelf.refused(shelf.staff, "receive_lot", shelf.product_id, delivery)

    assert (status, code) == (409, "lot_has_other_expiry")
    assert (members["batch"]["expiry"], members["batch"]["quantity"]) == (shelf.day(400), 5)


def test_more_of_a_held_lot_is_held_with_it(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 5)
    shelf.set_status(batch_id, "held")

    shelf.receive("DL2407", 5)

    assert (shelf.lot(batch_id)["quantity"], shelf.sellable()) == (10, 0)


def test_more_of_a_recalled_lot_is_turned_away(shelf: Shelf) -> None:
    shelf.set_status(shelf.receive("DL2407", 5), "recalled")
    delivery = {"lot": "dl2407", "expiry": shelf.day(400), "packs": 5}

    assert shelf.refused(shelf.staff, "receive_lot", shelf.product_id, delivery)[:2] == (409, "lot_recalled")


@pytest.mark.parametrize("days", [0, -1])
def test_what_has_expired_is_turned_away(shelf: Shelf, days: int) -> None:
    delivery = {"lot": "DL2407", "expiry": shelf.day(days), "packs": 5}

    assert shelf.refused(shelf.staff, "receive_lot", shelf.product_id, delivery)[:2] == (422, "lot_expired")


@pytest.mark.parametrize(
    "change",
    [
        {"lot": ""},
        {"lot": "  "},
        {"lot": "x" * 51},
        {"lot": "DL\u0007"},
        {"lot": None},
        {"packs": 0},
        {"packs": -1},
        {"packs": 1.5},
        {"packs": "5"},
        {"packs": 100_001},
        {"packs": 1e20},
        {"expiry": None},
        {"expiry": "2028-02-30"},
        {"expiry": "2028-13-01"},
        {"expiry": "tomorrow"},
        {"expiry": 20280101},
        {"expiry": "9999-12-31"},
        {"note": "x" * 501},
    ],
    ids=str,
)
def test_what_is_no_delivery_is_refused(shelf: Shelf, change: dict[str, object]) -> None:
    delivery = {"lot": "DL2407", "expiry": shelf.day(400), "packs": 5, **change}

    assert shelf.refused(shelf.staff, "receive_lot", shelf.product_id, delivery)[0] == 422
    assert shelf.sellable() == 0


def test_what_no_shelf_holds_is_refused_and_nothing_overflows(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 5)
    shelf.put(batch_id, "quantity", 2_147_483_600)
    delivery = {"lot": "DL2407", "expiry": shelf.day(400), "packs": 100}

    assert shelf.refused(shelf.staff, "receive_lot", shelf.product_id, delivery)[0] == 422


# Correcting


def test_a_count_is_of_the_shelf_with_what_orders_wait_for(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 10)
    shelf.placed(4)

    assert (shelf.lot(batch_id)["quantity"], shelf.lot(batch_id)["on_shelf"]) == (6, 10)
    counted = shelf.correct(batch_id, counted=9)

    assert (counted["quantity"], counted["reserved"], counted["on_shelf"]) == (5, 4, 9)
    assert shelf.entries(batch_id)[-1] == ("corrected", -1, None)


def test_a_count_that_finds_what_is_known_changes_nothing(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 10)

    shelf.correct(batch_id, counted=10)

    assert len(shelf.entries(batch_id)) == 1


@pytest.mark.parametrize("correction", [{"counted": 3}, {"change": -7}])
def test_packs_of_orders_are_not_corrected_away(shelf: Shelf, correction: dict[str, int]) -> None:
    batch_id = shelf.receive("DL2407", 10)
    order_id = shelf.placed(4)
    correction_of = {"reason": "for this test", **correction}

    status, code, members = shelf.refused(
        shelf.staff, "correct_lot", shelf.product_id, batch_id, correction_of
    )

    assert (status, code) == (409, "below_reserved")
    assert members == {"quantity": 6, "reserved": 4, "orders": [order_id]}
    shelf.cancel(order_id)
    assert shelf.correct(batch_id, counted=3)["quantity"] == 3


def test_what_was_shipped_is_no_more_on_the_shelf(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 10)
    shelf.call(shelf.staff, "set_order_status", shelf.placed(4), "shipped")

    assert (shelf.lot(batch_id)["reserved"], shelf.lot(batch_id)["on_shelf"]) == (0, 6)


def test_whoever_wants_to_sell_longer_must_be_a_pharmacist(shelf: Shelf, pharmacist: Person) -> None:
    batch_id = shelf.receive("DL2407", 10, days=400)
    later = {"expiry": shelf.day(500), "reason": "misread"}

    assert shelf.correct(batch_id, expiry=shelf.day(300))["days_left"] == 300
    assert shelf.refused(shelf.staff, "correct_lot", shelf.product_id, batch_id, later)[0] == 403
    assert shelf.call(pharmacist, "correct_lot", shelf.product_id, batch_id, later)["days_left"] == 500


@pytest.mark.parametrize(
    "correction",
    [
        {},
        {"change": 1},
        {"change": 1, "reason": "  a "},
        {"change": 1, "reason": "x" * 501},
        {"change": 0, "reason": "nothing"},
        {"change": "1", "reason": "a word"},
        {"change": 1, "counted": 2, "reason": "both"},
        {"change": "x", "counted": 2, "reason": "both"},
        {"counted": -1, "reason": "less than none"},
        {"expiry": "never", "reason": "no day"},
        {"expiry": "9999-12-31", "reason": "too far"},
    ],
    ids=str,
)
def test_what_is_no_correction_is_refused(shelf: Shelf, pharmacist: Person, correction: Any) -> None:
    batch_id = shelf.receive("DL2407", 10)

    assert shelf.refused(pharmacist, "correct_lot", shelf.product_id, batch_id, correction)[0] == 422
    assert len(shelf.entries(batch_id)) == 1


def test_a_lot_is_only_found_under_its_product(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 10)

    for function, arguments in {
        "correct_lot": ({"change": 1, "reason": "for this test"},),
        "set_lot_status": ("held", "for this test"),
        "recall_lot": ("for this test",),
        "lot_recipients": (),
        "list_stock_movements": (),
    }.items():
        for product_id, lot in (("MED021", batch_id), (shelf.product_id, 999_999_999)):
            assert shelf.refused(shelf.staff, function, product_id, lot, *arguments)[0] == 404


def test_counts_are_entered_all_or_none(shelf: Shelf) -> None:
    first, second = shelf.receive("A", 10, days=50), shelf.receive("B", 10, days=60)
    shelf.placed(4)

    def count(*counts: tuple[object, object]) -> dict[str, Any]:
        entered = [{"batch_id": lot, "counted": packs} for lot, packs in counts]
        return {"counts": entered, "reason": "Stocktaking"}

    wrong = [
        (409, count((second, 7), (first, 3))),
        (404, count((second, 7), (999_999_999, 3))),
        (422, count((second, 7), (first, "3"))),
        (422, count((second, 7), (second, 7))),
        (422, {**count((second, 7)), "reason": ""}),
        (422, {"counts": "all", "reason": "Stocktaking"}),
        (422, {"low_stock_threshold": -1}),
        (422, {}),
    ]
    for status, changes in wrong:
        assert shelf.refused(shelf.staff, "set_product_inventory", shelf.product_id, changes)[0] == status
    assert (shelf.lot(first)["quantity"], shelf.lot(second)["quantity"]) == (6, 10)

    counted = shelf.call(
        shelf.staff, "set_product_inventory", shelf.product_id, count((second, 7), (first, 5))
    )
    assert [lot["quantity"] for lot in counted["batches"]] == [1, 7]


# Holding and recalling


def test_a_held_lot_is_not_sold_until_a_pharmacist_releases_it(shelf: Shelf, pharmacist: Person) -> None:
    batch_id = shelf.receive("DL2407", 10)

    held = shelf.set_status(batch_id, "held")
    assert (held["status"], held["sellable"], held["status_reason"]) == ("held", False, "for this test")
    assert (shelf.sellable(), shelf.order(1)["outcome"]) == (0, "out_of_stock")

    release = (shelf.product_id, batch_id, "available", "Tested: fine")
    assert shelf.refused(shelf.staff, "set_lot_status", *release)[:2] == (403, "not_a_pharmacist")
    shelf.call(pharmacist, "set_lot_status", *release)
    assert (shelf.sellable(), shelf.order(1)["outcome"]) == (10, "placed")


def test_a_recalled_lot_stays_recalled(shelf: Shelf, pharmacist: Person) -> None:
    batch_id = shelf.receive("DL2407", 10)
    shelf.set_status(batch_id, "recalled")

    assert shelf.set_status(batch_id, "recalled")["status"] == "recalled"
    for status in ("held", "available"):
        again = (shelf.product_id, batch_id, status, "for this test")
        assert shelf.refused(pharmacist, "set_lot_status", *again)[:2] == (409, "lot_recalled")
    with pytest.raises(psycopg.DatabaseError, match="lot_recalled"), shelf.database.transaction():
        shelf.put(batch_id, "status", "available")
    assert shelf.sellable() == 0


def test_what_becomes_of_a_lot_is_recorded_once(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 10)
    for status in ("held", "held", "recalled"):
        shelf.set_status(batch_id, status)
    shelf.correct(batch_id, expiry=shelf.day(300))

    recorded = shelf.database.execute(
        "select action, details -> 'status' ->> 'to', details ->> 'reason', actor_name from public.audit_log "
        "where subject = %s order by audit_id",
        [f"{shelf.product_id}/DL2407"],
    ).fetchall()

    assert recorded == [
        ("lot_status", "held", "for this test", "admin"),
        ("lot_status", "recalled", "for this test", "admin"),
        ("lot_expiry", None, "for this test", "admin"),
    ]


def test_a_recall_names_everybody_whose_order_has_packs(shelf: Shelf) -> None:
    recalled, other = shelf.receive("RECALLED", 5, days=50), shelf.receive("OTHER", 9, days=90)
    shelf.cancel(shelf.placed(1))
    first, second = shelf.placed(2), shelf.placed(4)
    shelf.call(shelf.staff, "set_order_status", first, "delivered")

    found = shelf.call(shelf.staff, "recall_lot", shelf.product_id, recalled, "Maker's notice 7")

    assert (found["count"], found["packs"], found["open_orders"]) == (2, 5, 1)
    assert {
        row["order_id"]: (row["patient_id"], row["packs"], row["status"], row["left_us"])
        for row in found["recipients"]
    } == {
        first: (shelf.patient.patient_id, 2, "delivered", True),
        second: (shelf.patient.patient_id, 3, "confirmed", False),
    }
    delivered = next(row for row in found["recipients"] if row["order_id"] == first)
    assert delivered["delivered_at"]
    assert delivered["shipped_at"]
    assert delivered["email"] == shelf.patient.email
    assert shelf.call(shelf.staff, "lot_recipients", shelf.product_id, other)["packs"] == 1


def test_recipients_come_page_by_page(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 50)
    orders = [shelf.placed(1) for _ in range(5)]

    def page(cursor: object = None) -> dict[str, Any]:
        return shelf.call(shelf.staff, "lot_recipients", shelf.product_id, batch_id, 2, cursor)

    seen: list[str] = []
    found = page()
    while True:
        seen += [row["order_id"] for row in found["recipients"]]
        assert found["count"] == 5
        if found["next_cursor"] is None:
            break
        found = page(found["next_cursor"])
    assert seen == orders[::-1]
