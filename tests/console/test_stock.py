"""The shelf: a lot is received, held and recalled, and who got packs of it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.console.people import Tried
from tests.console.screen import Screen
from tests.integration.chatting import shelf
from tests.integration.ordering import buy, placed
from tests.running_stack import RunningStack

BANDAGE = "MED032"


@pytest.fixture
def empty_shelf(stack: RunningStack) -> Iterator[None]:
    with shelf(stack, BANDAGE, {}):
        yield


def test_a_lot_is_received_sold_recalled_and_its_buyer_named(
    screen: Screen, stack: RunningStack, tried: Tried, empty_shelf: None
) -> None:
    lot = f"T{uuid4().hex[:8].upper()}"
    screen.staff()
    screen.go("stock")
    screen.page.get_by_label("Find a product").fill("bandage")
    screen.page.keyboard.press("Enter")
    screen.page.get_by_role("row").filter(has_text=BANDAGE).get_by_role("button").click()

    form = screen.page.get_by_role("form", name="Receive a lot")
    form.get_by_label("Lot").fill(lot)
    form.get_by_label("Expiry").fill(str(datetime.now(UTC).date() + timedelta(days=400)))
    form.get_by_label("Packs").fill("20")
    screen.press("Receive", within=form)
    screen.page.get_by_role("button", name=f"Recall lot {lot}").wait_for()
    with stack.api(tried.token) as patient:
        order_id = placed(buy(patient, (BANDAGE, 2)))["order_id"]

        screen.press(f"Recall lot {lot}")
        dialog = screen.page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("Impurity, letter of the maker")
        screen.press("Recall", within=dialog)
        told = screen.page.get_by_role("dialog", name=f"Who got packs of lot {lot}")
        told.get_by_text(order_id).wait_for()
        assert tried.name in told.inner_text()
        assert "1 order of it has not left yet" in told.inner_text()
        assert buy(patient, (BANDAGE, 1)).status_code == 409
    screen.press("Close", within=told)
    assert screen.page.get_by_role("button", name=f"Recall lot {lot}").count() == 0
    assert "Recalled" in screen.page.get_by_role("region", name="Lots").inner_text()


def test_what_is_low_and_what_expires_is_told(screen: Screen) -> None:
    screen.staff()
    screen.go("stock")
    screen.page.get_by_role("row").nth(5).wait_for()
    screen.page.get_by_label("Expiring").check()
    screen.page.get_by_role("region", name="Lots that expire soon").wait_for()
    screen.page.get_by_label("Within").select_option("365")
    screen.page.get_by_label("Low").check()
    screen.page.get_by_role("region", name="Low stock").wait_for()
