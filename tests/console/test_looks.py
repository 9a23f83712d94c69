"""Every view can be used by everybody: axe finds nothing wrong, in both themes and on a phone, and nothing is
wider than its window.
"""

from __future__ import annotations

from tests.console.people import Tried, new_tried
from tests.console.screen import Screen
from tests.integration.ordering import buy, placed
from tests.integration.uploads import uploaded
from tests.running_stack import RunningStack
from tests.specimens import picture


def test_trying_a_patient_can_be_used_by_everybody(screen: Screen, stack: RunningStack) -> None:
    screen.go("staff")
    screen.look_at("the sign-in")
    screen.staff()
    screen.go("try")
    screen.look_at("the choice of a patient")
    screen.become(new_tried(stack, allergies=["Penicillin"]))
    screen.look_at("the welcome")
    screen.say("amoxicillin")
    screen.look_at("a refusal")
    screen.say("2 packs of ORS sachets and dolo 650")
    screen.look_at("a card")
    screen.say("crocin")
    screen.look_at("a question")
    screen.say("one ORS sachets")
    screen.press("Confirm order")
    screen.page.wait_for_selector(".timeline li")
    screen.look_at(
        "how a turn went", on_a_phone=lambda: screen.page.get_by_label("How it went").first.check()
    )


def test_the_pharmacists_desk_can_be_used_by_everybody(
    screen: Screen, stack: RunningStack, tried: Tried
) -> None:
    with stack.api(tried.token) as patient:
        prescription_id = uploaded(patient, picture(), name="rx.png", declared="image/png")["prescription_id"]
        order_id = placed(buy(patient, ("MED060", 1)))["order_id"]
    screen.staff()
    screen.go("pharmacist")
    screen.page.get_by_role("button", name=f"Order {order_id}").click()
    screen.look_at("an order that waits")
    screen.press(f"Review {prescription_id}")
    screen.page.get_by_role("img", name="as it was uploaded").wait_for()
    screen.press("Add a medicine")
    screen.look_at("a prescription")
    screen.press("Reject …")
    screen.look_at("a question for the reason")
    screen.press("Close")
    screen.page.get_by_label("H1 register").check()
    screen.page.get_by_role("region", name="H1 register").wait_for()
    screen.look_at("the register")
    screen.page.get_by_label("Decisions").check()
    screen.page.get_by_role("button", name="Look at decision").first.wait_for()
    screen.look_at("decisions")
    screen.page.get_by_role("button", name="Look at decision").first.click()
    screen.look_at("a decision")


def test_the_shelf_can_be_used_by_everybody(screen: Screen) -> None:
    screen.staff()
    screen.go("stock")
    screen.page.get_by_role("row").nth(5).wait_for()
    screen.look_at("all products")
    screen.page.get_by_role("button", name="Dolo 650").click()
    screen.page.get_by_role("region", name="Movements").wait_for()
    screen.look_at("one product")
    screen.page.get_by_role("button", name="Correct lot").first.click()
    screen.look_at("a correction")
    screen.press("Close")
    screen.page.get_by_label("Expiring").check()
    screen.page.get_by_label("Within").wait_for()
    screen.look_at("what expires")


def test_refills_can_be_used_by_everybody(screen: Screen) -> None:
    screen.staff()
    screen.go("refills")
    screen.press("Scan and send now")
    screen.page.get_by_role("status").wait_for()
    screen.look_at("the alerts")
    screen.page.get_by_role("button", name="Put off").first.click()
    screen.look_at("putting off")
    screen.press("Close")
    screen.page.get_by_label("Look at a patient").fill("PAT001")
    screen.press("Look")
    screen.page.get_by_role("list", name="Supplies").wait_for()
    screen.look_at("a patient's medicines")


def test_the_system_can_be_used_by_everybody(screen: Screen) -> None:
    screen.staff()
    screen.go("system")
    screen.page.get_by_role("img", name="Decisions").wait_for()
    screen.page.get_by_role("region", name="Rule sets").get_by_role("row").nth(1).wait_for()
    screen.look_at("the system")
