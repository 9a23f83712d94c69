"""Trying it as a patient: order, be refused, choose and change, and see how it went."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.console.people import Tried, new_tried
from tests.console.screen import Screen
from tests.integration.chatting import orders
from tests.integration.fulfilment import Fulfilment, fulfilment
from tests.running_stack import RunningStack


@pytest.fixture
def warehouse(stack: RunningStack) -> Iterator[Fulfilment]:
    with fulfilment(stack) as found:
        yield found


def order_shown(screen: Screen) -> str:
    shown = screen.card.inner_text()
    found = re.search(r"ORD\d+", shown)
    assert found, shown
    return found[0]


def until(screen: Screen, status: str) -> None:
    screen.page.wait_for_selector(f'.way[data-status="{status}"]')


def test_an_order_by_chat_is_seen_arriving_at_the_warehouse_and_coming_back(
    screen: Screen, tried: Tried, warehouse: Fulfilment
) -> None:
    screen.staff()
    screen.become(tried)

    screen.say("2 packs of ORS sachets")
    assert "₹30.00" in screen.card.inner_text()
    assert "ORS Sachets" in screen.panel.inner_text()
    screen.press("Confirm order")
    screen.page.wait_for_selector(".way")
    order_id = order_shown(screen)
    until(screen, "confirmed")
    screen.panel.get_by_text("Order confirmed written to the outbox").wait_for()

    warehouse.dispatch()
    screen.panel.get_by_text("Order confirmed sent to the warehouse").wait_for()
    assert [one.type for one in warehouse.partner.about(order_id)] == ["order.confirmed"]
    warehouse.report(order_id, "accepted")
    until(screen, "processing")
    warehouse.report(order_id, "shipped", tracking_number="BD123456789IN")
    until(screen, "shipped")
    assert "BD123456789IN" in screen.panel.inner_text()
    warehouse.report(order_id, "delivered")
    until(screen, "delivered")
    screen.panel.get_by_text("Warehouse reports: delivered").wait_for()


def test_the_way_of_an_order_needs_no_staff_but_says_less(screen: Screen, tried: Tried) -> None:
    screen.become(tried)
    screen.say("one ORS sachets")
    screen.press("Confirm order")

    until(screen, "confirmed")
    assert "Sign in as staff" in screen.panel.inner_text()
    assert "outbox" not in screen.panel.locator(".timeline").all_inner_texts()


def test_a_blocked_order_says_why_by_which_rule_and_from_which_source(
    screen: Screen, stack: RunningStack
) -> None:
    screen.become(new_tried(stack, allergies=["Penicillin"]))

    screen.say("amoxicillin")
    shown = screen.card.inner_text()
    assert "Amoxicillin" in shown
    assert screen.card.locator(".finding.bad").count() >= 1
    screen.panel.locator(".checks .blocked").first.wait_for()
    told = screen.panel.inner_text()
    assert "Allergy" in told
    assert "rules 20" in told
    assert "allergy:" in told  # the rule
    assert screen.page.get_by_role("button", name="Confirm order").count() == 0


def test_the_panel_tells_what_was_understood_and_how_long_it_took(screen: Screen, tried: Tried) -> None:
    screen.become(tried)

    screen.say("2 strips of dolo 650 and crocin")
    told = screen.panel.inner_text()
    assert re.search(r"Extract\s+[\d.]+ ms\s+order", told)
    assert re.search(r"Verify\s+[\d.]+ ms", told)
    assert re.search(r"Act\s+[\d.]+ ms", told)
    assert re.search(r"dolo.*2 packs.*Dolo 650.*MED001", told)
    assert "Crocin Advance" in told


def test_an_option_is_chosen_with_a_press(screen: Screen, tried: Tried) -> None:
    screen.become(tried)
    screen.say("crocin")

    screen.card.get_by_role("button", name="Crocin Advance").click()
    screen.page.get_by_role("button", name="Confirm order").wait_for()
    assert "Crocin Advance" in screen.card.inner_text()


def test_a_card_is_changed_item_by_item(screen: Screen, tried: Tried) -> None:
    screen.become(tried)
    screen.say("dolo 650 and ORS sachets")

    screen.press("ORS Sachets +1")
    screen.press("Change")
    screen.page.locator(".said").nth(1).wait_for()
    assert "₹60.00" in screen.card.locator(".total").inner_text()  # 30 and twice 15
    screen.press("Remove: Dolo 650")
    screen.page.locator(".said").nth(2).wait_for()
    assert "₹30.00" in screen.card.locator(".total").inner_text()
    # A card that was answered is no longer to be acted on.
    assert screen.page.get_by_role("button", name="Confirm order").count() == 1


def test_an_alternative_is_taken_with_a_press(screen: Screen, stack: RunningStack) -> None:
    screen.become(new_tried(stack, allergies=["Aspirin"]))
    screen.say("ibuprofen")

    instead = screen.card.locator(".options button").first
    name = instead.locator("strong").inner_text()
    instead.click()
    screen.page.get_by_role("button", name="Confirm order").wait_for()
    assert name in screen.card.inner_text()


def test_the_button_orders_its_own_card_or_nothing(screen: Screen, stack: RunningStack, tried: Tried) -> None:
    """Another window of the same patient has put another card in its place meanwhile."""
    screen.become(tried)
    screen.say("one ORS sachets")
    with stack.api(tried.token) as elsewhere:
        elsewhere.post("/api/chat", json={"message": "5 strips of dolo 650"})
        screen.press("Confirm order")
        screen.page.locator(".said").nth(1).wait_for()
        assert orders(elsewhere) == []
    assert "has changed" in screen.page.locator(".said").last.inner_text()
    screen.expect_refusal(409)


@pytest.mark.parametrize(
    ("language", "message", "confirm"),
    [("हिन्दी", "ओआरएस का एक पैकेट", "ऑर्डर पक्का करें"), ("मराठी", "ओआरएसचे एक पाकीट द्या", "ऑर्डर नक्की करा")],
)
def test_an_order_in_another_language(
    screen: Screen, stack: RunningStack, tried: Tried, language: str, message: str, confirm: str
) -> None:
    screen.become(tried)
    screen.page.get_by_label(language).check()
    screen.say(message)
    screen.press(confirm)
    screen.page.wait_for_selector(".way")

    with stack.api(tried.token) as api:
        assert orders(api) == [order_shown(screen)]


def test_an_emergency_can_be_called(screen: Screen, tried: Tried) -> None:
    screen.become(tried)
    screen.say("I have chest pain and cannot breathe")

    assert screen.page.get_by_role("link", name="Call 112").get_attribute("href") == "tel:112"


def test_what_is_missing_in_the_profile_is_asked_for(screen: Screen, stack: RunningStack) -> None:
    patient = new_tried(stack, allergies=None)
    screen.become(patient)
    screen.say("one ORS sachets")
    screen.press("Confirm order")
    screen.page.locator(".said").nth(1).wait_for()
    screen.expect_refusal(422)
    assert "allerg" in screen.page.locator(".said").last.inner_text()

    screen.say("none")
    screen.press("Confirm order")
    screen.page.wait_for_selector(".way")


def test_the_seeds_patients_are_offered_and_nobodys_session_is_kept(screen: Screen) -> None:
    screen.go("try")

    assert screen.page.locator(".person").count() == 12
    screen.page.get_by_role("button", name="Anjali Gupta").click()
    screen.page.wait_for_selector("#message")
    assert screen.page.context.cookies() == []
    kept = screen.page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert kept == '{"nexus.tried":"PAT012"}'
