"""The system: health, what was decided and sent, and the rules in force."""

from __future__ import annotations

from tests.console.people import Tried, new_tried
from tests.console.screen import Screen
from tests.integration.ordering import buy, placed
from tests.running_stack import RunningStack


def test_the_service_is_seen_at_work(screen: Screen, stack: RunningStack, tried: Tried) -> None:
    with stack.api(tried.token) as patient:
        order_id = placed(buy(patient, ("MED021", 1)))["order_id"]
    with stack.api(new_tried(stack, allergies=["Penicillin"]).token) as patient:
        patient.post("/api/chat", json={"message": "amoxicillin"})
    screen.staff()
    screen.go("system")

    outbox = screen.page.get_by_role("region", name="Outbox events")
    outbox.get_by_text(order_id).wait_for()
    assert "Order confirmed" in outbox.inner_text()
    shown = screen.page.get_by_role("img", name="Decisions").get_attribute("aria-label")
    assert "placed" in shown
    assert "refused" in shown
    assert "Allergy" in screen.page.get_by_role("main").inner_text()
    assert "Active" in screen.page.get_by_role("region", name="Rule sets").inner_text()
    screen.page.get_by_text("Service", exact=True).wait_for()
