"""Refills: what runs out is seen, reminded of, and put off with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.console.people import Tried
from tests.console.screen import Screen
from tests.integration.ordering import records
from tests.running_stack import RunningStack


@pytest.fixture
def running_out(stack: RunningStack, tried: Tried) -> Iterator[Tried]:
    """They bought 60 of Metformin, two a day, 28 days ago."""
    order_id = f"ORDC{uuid4().hex[:6].upper()}"
    with records(stack) as database:
        database.execute(
            """
            with placed as (
              insert into public.orders (order_id, patient_id, status, total, placed_at, placed_by)
              values (%(order)s, %(patient)s, 'delivered', 100, now() - interval '28 days', 'import')
              returning order_id
            )
            insert into public.order_items
              (order_id, line, product_id, packs, unit_price, dosage_frequency, units_per_dose)
            select order_id, 1, 'MED003', ceil(60.0 / p.units_per_pack)::int, 50, 'twice_daily', 1
            from placed, public.products as p where p.product_id = 'MED003'
            """,
            {"order": order_id, "patient": tried.patient_id},
        )
        yield tried
        database.execute("delete from public.refill_alerts where patient_id = %s", [tried.patient_id])
        database.execute("delete from public.orders where order_id = %s", [order_id])


def test_what_runs_out_is_found_and_put_off(screen: Screen, running_out: Tried) -> None:
    screen.staff()
    screen.go("refills")
    screen.press("Scan and send now")
    theirs = screen.page.get_by_role("region", name=running_out.name)
    theirs.wait_for()
    assert "2 days left" in theirs.inner_text()

    theirs.get_by_role("button", name="All medicines").click()
    medicines = screen.page.get_by_role("dialog")
    medicines.get_by_text("Due").wait_for()
    screen.press("Close", within=medicines)

    theirs.get_by_role("button", name="Put off").click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Bought it elsewhere")
    screen.press("Put off", within=dialog)
    theirs.wait_for(state="detached")
    screen.page.get_by_label("Put off", exact=True).check()
    theirs.wait_for()
    assert "put off until" in theirs.inner_text()
