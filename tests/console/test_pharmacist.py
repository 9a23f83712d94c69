"""The pharmacists' desk: read a prescription beside its image, let its order go on, look things up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.console.people import Tried, new_tried
from tests.console.screen import Screen
from tests.integration.fulfilment import Fulfilment, fulfilment
from tests.integration.ordering import buy, placed, prescribe, prescribed_item, status
from tests.integration.uploads import uploaded
from tests.running_stack import RunningStack
from tests.specimens import picture

CEFIXIME = "MED060"


@pytest.fixture
def patient(stack: RunningStack, tried: Tried) -> Iterator[httpx.Client]:
    with stack.api(tried.token) as api:
        yield api


@pytest.fixture
def warehouse(stack: RunningStack) -> Iterator[Fulfilment]:
    with fulfilment(stack) as found:
        yield found


def fill(form: Any, **values: str) -> None:
    for label, value in values.items():
        form.get_by_label(label.replace("_", " "), exact=True).fill(value)


def test_a_prescription_is_verified_and_its_order_goes_on(
    screen: Screen, patient: httpx.Client, warehouse: Fulfilment
) -> None:
    prescription_id = uploaded(patient, picture(), name="rx.png", declared="image/png")["prescription_id"]
    order_id = placed(buy(patient, (CEFIXIME, 1)))["order_id"]
    assert status(patient, order_id) == "awaiting_pharmacist"
    screen.staff()
    screen.go("pharmacist")

    screen.page.get_by_role("button", name=f"Prescription {prescription_id}").click()
    image = screen.page.get_by_role("img", name=f"Prescription {prescription_id} as it was uploaded")
    image.evaluate("image => image.decode()")
    assert image.evaluate("image => image.naturalWidth") == 64
    screen.press("Add a medicine")
    form = screen.page.get_by_role("form", name="What the prescription says")
    fill(form, Prescriber="Dr. S. Mehta", Ingredient="Cefixime", Strength="200 mg", Units_a_fill="10")
    screen.press("Verify")

    outcome = screen.page.get_by_role("region", name=f"Outcome of {prescription_id}")
    outcome.get_by_text("Confirmed", exact=True).wait_for()
    assert status(patient, order_id) == "confirmed"
    outcome.get_by_text("Order confirmed written to the outbox").wait_for()
    warehouse.dispatch()
    outcome.get_by_text("Order confirmed sent to the warehouse").wait_for()

    screen.page.get_by_label("H1 register").check()
    row = screen.page.get_by_role("row").filter(has_text=order_id)
    assert "Dr. S. Mehta" in row.inner_text()
    assert "Cefixime 200mg" in row.inner_text()


def test_a_prescription_is_rejected_with_a_reason_and_its_order_is_cancelled(
    screen: Screen, patient: httpx.Client
) -> None:
    prescription_id = uploaded(patient, picture(), name="rx.png", declared="image/png")["prescription_id"]
    order_id = placed(buy(patient, (CEFIXIME, 1)))["order_id"]
    screen.staff()
    screen.go("pharmacist")

    screen.page.get_by_role("button", name=f"Prescription {prescription_id}").click()
    screen.press("Reject …")
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("The signature is missing.")
    screen.press("Reject", within=dialog)

    outcome = screen.page.get_by_role("region", name=f"Outcome of {prescription_id}")
    outcome.get_by_text("The signature is missing.").wait_for()
    assert status(patient, order_id) == "cancelled"


def test_a_major_finding_is_overridden_with_a_reason(screen: Screen, stack: RunningStack) -> None:
    """Aspirin and warfarin, both prescribed: the order waits, and goes on when a pharmacist says why."""
    tried = new_tried(stack, age=67)
    with stack.api(tried.token) as patient:
        prescribe(
            stack, patient, prescribed_item("Warfarin", "5 mg", 60), prescribed_item("Aspirin", "75 mg", 60)
        )
        products = patient.get("/api/products", params={"search": "warfarin"}).json()
        warfarin = next(one for one in products if "arfarin" in one["active_ingredient"])["product_id"]
        products = patient.get("/api/products", params={"search": "ecosprin"}).json()
        aspirin = next(one for one in products if one["active_ingredient"] == "Aspirin")["product_id"]
        order_id = placed(buy(patient, (warfarin, 1), (aspirin, 1)))["order_id"]
        assert status(patient, order_id) == "awaiting_pharmacist"
        screen.staff()
        screen.go("pharmacist")

        screen.page.get_by_role("button", name=f"Order {order_id}").click()
        screen.page.get_by_role("button", name="Override …").first.click()
        dialog = screen.page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("Low dose, agreed with Dr. Mehta; INR is checked weekly.")
        screen.press("Override", within=dialog)
        screen.page.get_by_role("region", name="Outcome of the override").wait_for()
        assert status(patient, order_id) == "confirmed"


def test_decisions_are_found_by_what_was_found(screen: Screen, stack: RunningStack) -> None:
    allergic = new_tried(stack, allergies=["Penicillin"])
    with stack.api(allergic.token) as patient:
        refused = patient.post("/api/chat", json={"message": "amoxicillin"}).json()
    screen.staff()
    screen.go("pharmacist")
    screen.page.get_by_label("Decisions").check()
    screen.page.get_by_label("Patient").fill(allergic.patient_id)
    screen.page.get_by_label("Finding").select_option("allergy")
    row = screen.page.get_by_role("row").filter(has_text=allergic.patient_id)
    row.wait_for()
    assert "Allergy" in row.inner_text()

    row.get_by_role("button").click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_text(refused["trace_id"]).wait_for()
    dialog.locator(".checks .blocked").first.wait_for()


def test_an_admin_reads_the_queue_and_decides_nothing(screen: Screen, patient: httpx.Client) -> None:
    prescription_id = uploaded(patient, picture(), name="rx.png", declared="image/png")["prescription_id"]
    screen.staff("Demo Admin")
    screen.go("pharmacist")
    screen.page.get_by_role("button", name=f"Prescription {prescription_id}").click()

    screen.page.get_by_text("Only a pharmacist verifies or rejects.").wait_for()
    assert screen.page.get_by_role("button", name="Verify").count() == 0
    assert screen.page.get_by_role("img", name="as it was uploaded").count() == 0


def test_a_session_that_has_ended_leads_back_to_the_sign_in(screen: Screen) -> None:
    screen.staff()
    screen.page.context.clear_cookies()
    screen.go("pharmacist")

    screen.page.get_by_role("heading", name="Pharmacist").wait_for()
    screen.page.get_by_label("Password").wait_for()
    assert all("401" in one for one in screen.complaints), json.dumps(screen.complaints)
    screen.complaints.clear()
