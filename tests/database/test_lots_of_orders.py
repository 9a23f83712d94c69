"""Orders whose lots are held, recalled or expire: exchanged, or put back where nobody buys them."""

from __future__ import annotations

import psycopg
import pytest

from tests.database.people import Person, acting_as
from tests.database.shelf import Shelf


@pytest.mark.parametrize("change", ["recalled", "held", "expired"])
def test_what_is_cancelled_goes_back_into_a_lot_that_stays_unsellable(shelf: Shelf, change: str) -> None:
    batch_id = shelf.receive("DL2407", 10)
    order_id = shelf.placed(4)
    if change == "expired":
        shelf.put(batch_id, "expiry", shelf.day(0))
    else:
        shelf.set_status(batch_id, change)

    shelf.cancel(order_id)

    lot = shelf.lot(batch_id)
    assert (lot["quantity"], lot["sellable"], shelf.sellable()) == (10, False, 0)
    assert shelf.order(1)["outcome"] == "out_of_stock"
    shelf.commit()
    assert shelf.errors() == []


def waiting(shelf: Shelf) -> str:
    """An order that waits for a pharmacist, with packs of the shelf."""
    order_id = shelf.placed(2)
    shelf.database.execute("alter table public.orders disable trigger user")
    shelf.database.execute(
        "update public.orders set status = 'awaiting_pharmacist' where order_id = %s", [order_id]
    )
    shelf.database.execute("alter table public.orders enable trigger user")
    return order_id


def confirm(shelf: Shelf, order_id: str) -> None:
    with shelf.database.transaction():
        shelf.database.execute(
            "update public.orders set status = 'confirmed' where order_id = %s", [order_id]
        )


@pytest.mark.parametrize(
    ("column", "value"), [("status", "recalled"), ("status", "held"), ("expiry", "2020-01-01")]
)
def test_an_order_is_confirmed_with_packs_that_may_be_sold(shelf: Shelf, column: str, value: str) -> None:
    gone, left = shelf.receive("GONE", 1, days=50), shelf.receive("LEFT", 9, days=90)
    order_id = waiting(shelf)
    assert shelf.allocations(order_id) == {"GONE": 1, "LEFT": 1}
    shelf.put(gone, column, value)

    confirm(shelf, order_id)

    assert shelf.allocations(order_id) == {"LEFT": 2}
    assert shelf.entries(gone)[1:] == [("sold", -1, order_id), ("restocked", 1, order_id)]
    assert sum(change for _, change, _ in shelf.entries(left)) == 7
    shelf.commit()
    assert shelf.errors() == []


def test_without_other_packs_it_is_not_confirmed_and_keeps_what_it_has(shelf: Shelf) -> None:
    gone = shelf.receive("GONE", 2)
    order_id = waiting(shelf)
    shelf.set_status(gone, "recalled")
    shelf.receive("LEFT", 1)

    with pytest.raises(psycopg.DatabaseError, match="order_lacks_stock"):
        confirm(shelf, order_id)

    assert shelf.allocations(order_id) == {"GONE": 2}
    shelf.cancel(order_id)
    assert shelf.sellable() == 1


def test_an_order_whose_lots_are_fine_keeps_them(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 2)
    order_id = waiting(shelf)

    confirm(shelf, order_id)

    assert shelf.allocations(order_id) == {"DL2407": 2}
    assert len(shelf.entries(batch_id)) == 2


@pytest.mark.parametrize("status", ["processing", "shipped", "delivered"])
def test_staff_sends_no_recalled_packs_out(shelf: Shelf, status: str) -> None:
    batch_id = shelf.receive("DL2407", 5)
    order_id = shelf.placed(2)
    shelf.set_status(batch_id, "recalled")

    refusal = shelf.refused(shelf.staff, "set_order_status", order_id, status)

    assert refusal[:2] == (409, "order_has_recalled_packs")
    shelf.call(shelf.staff, "set_order_status", order_id, "cancelled")


def test_what_the_partner_reports_has_happened(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 5)
    order_id = shelf.placed(2)
    shelf.set_status(batch_id, "recalled")

    with acting_as(shelf.database, Person("webhooks", "service_role")):
        shelf.database.execute("reset role")
        shelf.database.execute("update public.orders set status = 'shipped' where order_id = %s", [order_id])

    [recipient] = shelf.call(shelf.staff, "lot_recipients", shelf.product_id, batch_id)["recipients"]
    assert (recipient["status"], recipient["left_us"]) == ("shipped", True)


def test_what_left_before_the_recall_may_still_arrive(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 5)
    order_id = shelf.placed(2)
    shelf.call(shelf.staff, "set_order_status", order_id, "shipped")
    shelf.set_status(batch_id, "recalled")

    shelf.call(shelf.staff, "set_order_status", order_id, "delivered")


# What is taken for an order


def ordered(shelf: Shelf, packs: int) -> str:
    """An order whose packs are not yet taken."""
    shelf.database.execute(
        """
        insert into public.orders (order_id, patient_id, status, total)
        values ('TEST-1', %s, 'confirmed', 0)
        """,
        [shelf.patient.patient_id],
    )
    shelf.database.execute(
        "insert into public.order_items (order_id, line, product_id, packs, unit_price) values "
        "('TEST-1', 1, %s, %s, 1)",
        [shelf.product_id, packs],
    )
    return "TEST-1"


@pytest.mark.parametrize("packs", [4, 10])
def test_an_order_gets_all_its_packs_or_none(shelf: Shelf, packs: int) -> None:
    """Also when the shelf is no longer what verification saw."""
    shelf.receive("A", 2, days=50)
    shelf.set_status(shelf.receive("B", 2, days=90), "held")
    shelf.receive("C", 1, days=95)
    order_id = ordered(shelf, packs)

    with pytest.raises(psycopg.DatabaseError, match="stock_changed"), shelf.database.transaction():
        shelf.database.execute("select private.take_stock(%s)", [order_id])

    assert shelf.allocations(order_id) == {}
    assert shelf.sellable() == 3


def test_the_first_to_expire_is_taken_first(shelf: Shelf) -> None:
    shelf.receive("LATER", 5, days=90)
    shelf.receive("SOON", 2, days=50)
    order_id = ordered(shelf, 4)

    shelf.database.execute("select private.take_stock(%s)", [order_id])

    assert shelf.allocations(order_id) == {"SOON": 2, "LATER": 2}


# Orders whose delivery failed


def move(shelf: Shelf, order_id: str, *statuses: str) -> None:
    """As the partner reports."""
    with acting_as(shelf.database, Person("webhooks", "service_role")):
        shelf.database.execute("reset role")
        for status in statuses:
            shelf.database.execute(
                "update public.orders set status = %s where order_id = %s", [status, order_id]
            )


def test_what_failed_before_it_left_is_still_on_the_shelf(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 5)
    order_id = shelf.placed(2)
    move(shelf, order_id, "processing", "failed")

    assert (shelf.lot(batch_id)["reserved"], shelf.lot(batch_id)["on_shelf"]) == (2, 5)
    count = {"counted": 1, "reason": "for this test"}
    refusal = shelf.refused(shelf.staff, "correct_lot", shelf.product_id, batch_id, count)
    assert refusal == (409, "below_reserved", {"quantity": 3, "reserved": 2, "orders": [order_id]})

    shelf.cancel(order_id)
    shelf.commit()
    assert shelf.entries(batch_id)[-1] == ("restocked", 2, order_id)
    assert shelf.errors() == []


def test_what_failed_after_it_left_does_not_come_back(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 5)
    order_id = shelf.placed(2)
    move(shelf, order_id, "shipped", "failed")
    assert (shelf.lot(batch_id)["reserved"], shelf.lot(batch_id)["on_shelf"]) == (0, 3)

    shelf.cancel(order_id)

    shelf.commit()
    assert (shelf.sellable(), shelf.errors()) == (3, [])
    assert shelf.entries(batch_id) == [("received", 5, None), ("sold", -2, order_id)]


def test_a_recall_names_whoever_may_have_packs_of_an_order_that_was_given_up(shelf: Shelf) -> None:
    batch_id = shelf.receive("DL2407", 9)
    lost, here, gone = shelf.placed(1), shelf.placed(2), shelf.placed(3)
    move(shelf, lost, "shipped", "failed")
    shelf.cancel(lost)
    move(shelf, here, "failed")
    move(shelf, gone, "shipped", "failed")

    found = shelf.call(shelf.staff, "recall_lot", shelf.product_id, batch_id, "Maker's notice 7")

    assert (found["count"], found["packs"], found["open_orders"]) == (3, 6, 1)
    assert [(row["order_id"], row["status"], row["left_us"]) for row in found["recipients"]] == [
        (gone, "failed", True),
        (here, "failed", False),
        (lost, "cancelled", True),
    ]
    assert [bool(row["shipped_at"]) for row in found["recipients"]] == [True, False, True]


def test_recalled_packs_are_not_sent_once_more(shelf: Shelf) -> None:
    here, gone = shelf.receive("HERE", 2, days=50), shelf.receive("GONE", 2, days=90)
    failed, lost = shelf.placed(2), shelf.placed(2)
    move(shelf, failed, "failed")
    move(shelf, lost, "shipped", "failed")
    for batch_id in (here, gone):
        shelf.set_status(batch_id, "recalled")

    for order_id, status in ((failed, "confirmed"), (failed, "shipped"), (lost, "confirmed")):
        refusal = shelf.refused(shelf.staff, "set_order_status", order_id, status)
        assert refusal[:2] == (409, "order_has_recalled_packs")
    shelf.call(shelf.staff, "set_order_status", lost, "delivered")
