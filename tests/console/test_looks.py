"""Every view can be used by everybody: axe finds nothing wrong, in both themes and on a phone, and nothing is
wider than its window.
"""

from __future__ import annotations

from tests.console.people import new_tried
from tests.console.screen import Screen
from tests.running_stack import RunningStack


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
