"""The ledger of the shelf: whatever happens to packs is in it, and it adds up."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.people import Person, acting_as
from tests.database.shelf import Shelf


def test_what_the_seed_put_on_the_shelf_is_in_the_ledger(shelf: Shelf) -> None:
    shelf.commit()

    assert shelf.errors() == []


def test_an_order_and_its_cancellation_are_entries_that_name_it(shelf: Shelf) -> None:
    soon, later = shelf.receive("SOON", 2, days=10), shelf.receive("LATER", 9, days=20)

    order_id = shelf.placed(5)
    shelf.commit()
    assert shelf.entries(soon) == [("received", 2, None), ("sold", -2, order_id)]
    assert shelf.entries(later) == [("received", 9, None), ("sold", -3, order_id)]

    shelf.cancel(order_id)
    shelf.commit()
    assert shelf.entries(soon)[2:] == [("restocked", 2, order_id)]
    assert shelf.entries(later)[2:] == [("restocked", 3, order_id)]
    assert shelf.errors() == []


def test_who_moved_packs_is_kept(shelf: Shelf) -> None:
    batch_id = shelf.receive("LOT", 9)
    shelf.placed(1)

    names = shelf.database.execute(
        "select moved_by_name from public.stock_movements where batch_id = %s order by movement_id",
        [batch_id],
    ).fetchall()

    assert names == [("admin",), (shelf.patient.patient_id,)]


def test_a_change_past_every_function_is_found_out_when_it_is_committed(shelf: Shelf) -> None:
    batch_id = shelf.receive("LOT", 9)
    shelf.put(batch_id, "quantity", 4)
    shelf.put(batch_id, "quantity", 6)

    shelf.commit()

    assert shelf.entries(batch_id) == [("received", 9, None), ("unexplained", -3, None)]
    assert shelf.errors() == []


def test_an_allocation_that_took_nothing_is_found_out_too(shelf: Shelf) -> None:
    batch_id = shelf.receive("LOT", 9)
    order_id = shelf.placed(2)
    shelf.database.execute("delete from public.order_allocations where order_id = %s", [order_id])

    shelf.commit()

    assert shelf.entries(batch_id)[2:] == [("restocked", 2, order_id), ("unexplained", -2, None)]
    assert shelf.errors() == []


def test_an_order_that_is_refused_leaves_no_entry(shelf: Shelf) -> None:
    batch_id = shelf.receive("LOT", 2)

    assert shelf.order(3)["outcome"] == "out_of_stock"

    shelf.commit()
    assert shelf.entries(batch_id) == [("received", 2, None)]


def test_a_lot_with_entries_is_never_deleted(shelf: Shelf) -> None:
    batch_id = shelf.receive("LOT", 2)

    with pytest.raises(psycopg.errors.ForeignKeyViolation), shelf.database.transaction():
        shelf.database.execute("delete from public.product_batches where batch_id = %s", [batch_id])


def test_the_service_may_read_the_ledger_and_nothing_else(shelf: Shelf) -> None:
    service = Person("service", "service_role")
    row = "insert into public.stock_movements (batch_id, change, quantity_after, kind) values (1, 1, 1, 'x')"
    with acting_as(shelf.database, service):
        shelf.database.execute("select from public.stock_movements limit 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as(shelf.database, service):
        shelf.database.execute(row.encode())


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(1, 4)),
        st.tuples(st.just("cancel"), st.integers(0, 3)),
        st.tuples(st.just("receive"), st.integers(1, 6)),
        st.tuples(st.just("change"), st.integers(-5, 5).filter(bool)),
        st.tuples(st.just("counted"), st.integers(0, 9)),
        st.tuples(st.just("hold"), st.just(0)),
        st.tuples(st.just("recall"), st.just(0)),
        st.tuples(st.just("directly"), st.integers(0, 9)),
        st.tuples(st.just("commit"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_the_entries_add_up(shelf: Shelf, steps: list[tuple[str, int]]) -> None:
    with shelf.database.transaction(force_rollback=True):
        lots = [shelf.receive("A", 5, days=50), shelf.receive("B", 5, days=90)]
        placed: dict[str, int] = {}
        for place, (step, number) in enumerate(steps):
            lot = lots[place % 2]
            try:
                if step == "order":
                    order = shelf.order(number)["order"]
                    if order:
                        placed[order["order_id"]] = number
                elif step == "cancel" and placed:
                    order_id = list(placed)[number % len(placed)]
                    shelf.cancel(order_id)
                    placed[order_id] = 0
                elif step == "receive":
                    shelf.receive("AB"[place % 2], number, days=50 if place % 2 == 0 else 90)
                elif step in ("change", "counted"):
                    shelf.correct(lot, **{step: number})
                elif step in ("hold", "recall"):
                    shelf.set_status(lot, {"hold": "held", "recall": "recalled"}[step])
                elif step == "directly":
                    shelf.put(lot, "quantity", number)
                elif step == "commit":
                    shelf.commit()
            except psycopg.DatabaseError as refusal:
                if not (refusal.sqlstate or "").startswith("PT4"):
                    raise
        shelf.commit()

        assert shelf.errors() == []
        for order_id, packs in placed.items():
            assert sum(shelf.allocations(order_id).values()) == packs
        kinds = {kind for lot in lots for kind, _, _ in shelf.entries(lot)}
        if "directly" not in {step for step, _ in steps}:
            assert "unexplained" not in kinds
