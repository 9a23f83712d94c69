"""Placing and cancelling orders without a conversation, on the real stack."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.integration.chatting import Conversation, changed, new_patient, orders, shelf, stock
from tests.integration.ordering import (
    PHARMACIST,
    Json,
    as_staff,
    buy,
    decisions,
    events,
    patient_id,
    placed,
    prescribe,
    prescribed_item,
    records,
    register,
    units_used,
    until_waiting,
)
from tests.running_stack import RunningStack

ORS, DOLO, CEFIXIME, BANDAGE = "MED021", "MED001", "MED060", "MED032"
ONE: list[Json] = [{"product_id": ORS, "quantity": 1}]


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


def codes(problem: Json) -> set[tuple[str, str]]:
    return {
        (finding["product_id"], finding["code"])
        for finding in problem["findings"]
        if finding["severity"] == "block"
    }


def proposal(patient: httpx.Client, message: str = "2 boxes of ORS") -> Json:
    """The card of an open proposal of the patient."""
    card = Conversation(patient).card(message)
    assert card["type"] == "order_confirmation", card
    return card


def confirm(patient: httpx.Client, card: Json, **changes: str) -> httpx.Response:
    named = {"proposal_id": card["proposal_id"], "digest": card["digest"]}
    return patient.post("/api/orders", json={**named, **changes})


# Placing directly


def test_what_is_ordered_is_placed_told_and_taken_from_the_shelf(
    stack: RunningStack, patient: httpx.Client
) -> None:
    before = stock(patient, ORS)

    order = placed(buy(patient, (ORS, 2)))

    assert (order["status"], order["total_price"]) == ("confirmed", 30.0)
    assert stock(patient, ORS) == before - 2
    assert events(stack, order["order_id"]) == ["order.confirmed"]
    shown = patient.get(f"/api/orders/{order['order_id']}").json()
    assert shown == {name: value for name, value in order.items() if name != "trace_id"}
    [decision] = decisions(stack, order["trace_id"])
    assert (decision["kind"], decision["outcome"]) == ("order", "placed")
    assert decision["order_id"] == order["order_id"]
    assert decision["rule_set_version"]
    assert {check["result"] for check in decision["checks"]} <= {"clear", "not_done"}


def test_the_old_form_names_one_product(patient: httpx.Client) -> None:
    body = {"patient_id": patient_id(patient), "product_id": ORS, "quantity": 1}

    assert [item["product_id"] for item in placed(patient.post("/api/orders", json=body))["items"]] == [ORS]


@pytest.mark.parametrize(
    "dosage", ["twice_daily", {"dosage_frequency": "twice_daily", "units_per_dose": 1.5}]
)
def test_the_dosage_is_that_of_every_line(stack: RunningStack, patient: httpx.Client, dosage: object) -> None:
    order = placed(buy(patient, (ORS, 1), (BANDAGE, 1), dosage=dosage))

    with records(stack) as database:
        said = database.execute(
            "select dosage_frequency, units_per_dose from public.order_items where order_id = %s",
            [order["order_id"]],
        ).fetchall()
    units = 1 if isinstance(dosage, str) else 1.5
    assert [(row["dosage_frequency"], float(row["units_per_dose"])) for row in said] == [
        ("twice_daily", units)
    ] * 2


def test_a_refusal_says_why_and_is_recorded(stack: RunningStack, patient: httpx.Client) -> None:
    answer = buy(patient, (ORS, 1), (CEFIXIME, 1))

    assert (answer.status_code, answer.json()["code"]) == (422, "refused")
    assert codes(answer.json()) == {(CEFIXIME, "prescription_required")}
    assert answer.json()["error"] == "Cefixime 200mg needs a valid prescription."
    assert orders(patient) == []
    [decision] = decisions(stack, answer.json()["trace_id"])
    assert (decision["outcome"], decision["order_id"]) == ("refused", None)
    assert decision["findings"] == answer.json()["findings"]


def test_a_dose_beyond_the_limit_is_refused(patient: httpx.Client) -> None:
    dosage = {"dosage_frequency": "four_times_daily", "units_per_dose": 4}

    answer = buy(patient, (DOLO, 1), dosage=dosage)

    assert (DOLO, "max_daily_dose") in codes(answer.json())


def test_an_unknown_product_is_a_finding(patient: httpx.Client) -> None:
    answer = buy(patient, ("MED99999", 1))

    assert (answer.status_code, codes(answer.json())) == (422, {("MED99999", "not_found")})


def test_only_missing_stock_is_409_and_alternatives_are_offered(
    stack: RunningStack, patient: httpx.Client
) -> None:
    with shelf(stack, DOLO, {"TEST-LAST": (1, 90, "available")}):
        answer = buy(patient, (DOLO, 2))
        with_another_reason = buy(patient, (DOLO, 2), (CEFIXIME, 1))

    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    assert codes(answer.json()) == {(DOLO, "out_of_stock")}
    assert answer.json()["rejected_items"][0]["alternatives"]
    assert (with_another_reason.status_code, with_another_reason.json()["code"]) == (422, "refused")


def test_what_was_never_asked_is_asked_before_selling(stack: RunningStack) -> None:
    with new_patient(stack, age=None, allergies=None) as unasked:
        answer = buy(unasked, (ORS, 1))

        assert (answer.status_code, answer.json()["code"]) == (422, "profile_incomplete")
        assert answer.json()["questions"] == ["age", "allergies"]
        assert orders(unasked) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"items": []},
        {"items": [{"product_id": ORS, "quantity": 0}]},
        {"items": [{"product_id": ORS, "quantity": "1"}]},
        {"items": [{"product_id": ORS, "quantity": 1.5}]},
        {"items": [{"product_id": ORS, "packs": 1}]},
        {"items": ONE * 21},
        {"items": ONE, "dosage": "hourly"},
        {"items": ONE, "dosage": {"dosage_frequency": "once_daily", "units_per_dose": 0}},
        {"items": ONE, "proposal_id": str(uuid4()), "digest": "0" * 64},
        {"proposal_id": str(uuid4())},
    ],
)  # fmt: skip
def test_what_is_no_order_is_422_and_places_nothing(patient: httpx.Client, body: object) -> None:
    answer = patient.post("/api/orders", json=body)

    assert answer.status_code == 422, answer.text
    assert orders(patient) == []


@pytest.mark.parametrize(
    "request_body",
    [
        7,
        ["proposal_id"],
        None,
        {"items": "x"},
        {"items": ["x", 1, None]},
        {"items": [{"product_id": {}, "quantity": {}}]},
        {"items": [{"product_id": ORS, "quantity": 1e9}]},
        {"items": [{"product_id": ORS, "quantity": 1}], "dosage": 7},
        {"proposal_id": 1, "digest": 1},
        {"proposal_id": "nothing", "digest": "x"},
    ],
)
def test_past_the_function_the_database_refuses_the_same(
    stack: RunningStack, patient: httpx.Client, request_body: object
) -> None:
    token = patient.headers["authorization"].removeprefix("Bearer ")
    with stack.rest(token) as rest:
        answer = rest.post("/rpc/create_order", json={"p_request": request_body})

    assert answer.status_code == 422, answer.text
    assert orders(patient) == []


def test_another_patient_cannot_be_ordered_for(stack: RunningStack, patient: httpx.Client) -> None:
    answer = buy(patient, (ORS, 1), patient_id="PAT001")

    assert answer.status_code == 403


def test_staff_orders_for_a_patient_it_names(stack: RunningStack, patient: httpx.Client) -> None:
    with as_staff(stack, PHARMACIST) as pharmacist:
        unnamed = buy(pharmacist, (ORS, 1))
        order = placed(buy(pharmacist, (ORS, 1), patient_id=patient_id(patient)))

    assert (unnamed.status_code, unnamed.json()["code"]) == (403, "not_a_patient")
    assert orders(patient) == [order["order_id"]]
    with records(stack) as database:
        row = database.execute(
            "select placed_by from public.orders where order_id = %s", [order["order_id"]]
        ).fetchone()
    assert row == {"placed_by": "staff"}


# The same request again


def with_key(patient: httpx.Client, key: str, packs: int = 1, product_id: str = ORS) -> httpx.Response:
    body = {"items": [{"product_id": product_id, "quantity": packs}]}
    return patient.post("/api/orders", json=body, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_get_the_first_answer(patient: httpx.Client) -> None:
    first, again = with_key(patient, "a"), with_key(patient, "a")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert len(orders(patient)) == 1
    assert placed(with_key(patient, "b"))["order_id"] != first.json()["order_id"]


def test_a_refusal_is_an_answer_to_repeat_too(stack: RunningStack, patient: httpx.Client) -> None:
    with shelf(stack, BANDAGE, {}):
        first = with_key(patient, "a", product_id=BANDAGE)
    again = with_key(patient, "a", product_id=BANDAGE)

    assert (first.status_code, again.status_code) == (409, 409)
    assert again.json() == first.json()


def test_another_body_under_the_same_key_is_refused(patient: httpx.Client) -> None:
    placed(with_key(patient, "a"))

    answer = with_key(patient, "a", packs=2)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(orders(patient)) == 1


def test_keys_are_everyones_own(stack: RunningStack, patient: httpx.Client) -> None:
    with new_patient(stack) as another:
        mine, theirs = placed(with_key(patient, "a")), placed(with_key(another, "a"))

    assert mine["order_id"] != theirs["order_id"]


def test_at_the_same_time_one_is_placed(patient: httpx.Client) -> None:
    with ThreadPoolExecutor(max_workers=8) as callers:
        answers = list(callers.map(lambda _: with_key(patient, "a"), range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "request_in_progress"
    }
    assert len({placed(answer)["order_id"] for answer in answers if answer.status_code == 201}) == 1
    assert len(orders(patient)) == 1


def test_while_the_first_is_worked_on_the_same_is_409(stack: RunningStack, patient: httpx.Client) -> None:
    with ThreadPoolExecutor() as call, records(stack) as database, database.transaction():
        database.execute(
            "select from public.product_batches where product_id = %s order by batch_id for update", [ORS]
        )
        first = call.submit(with_key, patient, "a")
        until_waiting(stack, first)

        again, other = with_key(patient, "a"), with_key(patient, "a", packs=2)

    assert (again.status_code, again.json()["code"]) == (409, "request_in_progress")
    assert (other.status_code, other.json()["code"]) == (409, "request_in_progress")
    order_id = placed(first.result())["order_id"]
    assert placed(with_key(patient, "a"))["order_id"] == order_id
    assert orders(patient) == [order_id]


def test_keys_are_forgotten_after_a_day(stack: RunningStack, patient: httpx.Client) -> None:
    placed(with_key(patient, "old"))
    placed(with_key(patient, "older"))
    with records(stack) as database:
        database.execute("update public.idempotency_keys set created_at = created_at - interval '25 hours'")

        placed(with_key(patient, "old", packs=2))

        kept = database.execute("select key from public.idempotency_keys").fetchall()
    assert kept == [{"key": "old"}]


# From a card


def test_a_card_is_confirmed_once_with_its_digest(stack: RunningStack, patient: httpx.Client) -> None:
    card = proposal(patient)

    order, again = placed(confirm(patient, card)), placed(confirm(patient, card))

    assert (order["total_price"], again["order_id"]) == (card["total"], order["order_id"])
    assert orders(patient) == [order["order_id"]]
    [decision] = decisions(stack, order["trace_id"])
    assert (decision["kind"], decision["outcome"]) == ("confirm", "placed")


def test_a_card_confirmed_from_many_sides_at_once_is_one_order(patient: httpx.Client) -> None:
    chat = Conversation(patient)
    card = chat.card("2 boxes of ORS")
    with ThreadPoolExecutor(max_workers=8) as callers:
        spoken = [callers.submit(chat.say, "yes") for _ in range(3)]
        posted = [callers.submit(confirm, patient, card) for _ in range(5)]
        order_ids = {placed(answer.result())["order_id"] for answer in posted}
        said = {answer.result()["card_data"].get("order_id") for answer in spoken}

    assert len(order_ids) == 1
    assert said - {None} <= order_ids
    assert orders(patient) == list(order_ids)


def test_another_digest_places_nothing_and_shows_what_is_open(patient: httpx.Client) -> None:
    card = proposal(patient)

    answer = confirm(patient, card, digest="0" * 64)

    assert (answer.status_code, answer.json()["code"]) == (409, "proposal_changed")
    assert answer.json()["card"].items() <= {**card, "awaits_pharmacist": False}.items()
    assert orders(patient) == []
    placed(confirm(patient, card))


def test_a_changed_price_gives_a_new_card_that_can_be_confirmed(
    stack: RunningStack, patient: httpx.Client
) -> None:
    card = proposal(patient)
    with changed(stack, "products", "price", 17, ORS):
        answer = confirm(patient, card)

        assert (answer.status_code, answer.json()["code"]) == (409, "proposal_changed")
        assert orders(patient) == []
        assert answer.json()["card"]["total"] == 34.0
        assert placed(confirm(patient, answer.json()["card"]))["total_price"] == 34.0


def test_an_expired_card_gives_a_new_one(stack: RunningStack, patient: httpx.Client) -> None:
    card = proposal(patient)
    with records(stack) as database:
        database.execute(
            "update public.proposals set expires_at = now() where proposal_id = %s", [card["proposal_id"]]
        )

    answer = confirm(patient, card)

    assert (answer.status_code, answer.json()["code"]) == (409, "proposal_expired")
    assert orders(patient) == []
    placed(confirm(patient, answer.json()["card"]))


def test_a_card_whose_stock_is_gone_is_out_of_stock(stack: RunningStack, patient: httpx.Client) -> None:
    card = proposal(patient)
    with shelf(stack, ORS, {}):
        answer = confirm(patient, card)

    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    assert codes(answer.json()) == {(ORS, "out_of_stock")}


def test_an_incomplete_profile_is_asked_for_with_a_card_too(stack: RunningStack) -> None:
    with new_patient(stack, conditions=None) as unasked:
        card = proposal(unasked)

        answer = confirm(unasked, card)

    assert (answer.status_code, answer.json()["questions"]) == (422, ["conditions"])


def test_a_card_of_somebody_else_does_not_exist(stack: RunningStack, patient: httpx.Client) -> None:
    card = proposal(patient)
    with new_patient(stack) as another:
        answer = confirm(another, card)

        assert (answer.status_code, answer.json()["code"]) == (404, "proposal_not_found")
        assert orders(another) == []
    assert orders(patient) == []


# Cancelling


def test_cancelling_gives_back_stock_and_prescription_and_reverses_the_register(
    stack: RunningStack, patient: httpx.Client
) -> None:
    prescribe(stack, patient, prescribed_item("Cefixime", "200 mg", 10))
    before = stock(patient, CEFIXIME)
    order = placed(buy(patient, (CEFIXIME, 1)))
    order_id = order["order_id"]
    assert (order["status"], stock(patient, CEFIXIME), units_used(patient)) == (
        "confirmed",
        before - 1,
        {"Cefixime": 10},
    )
    assert buy(patient, (CEFIXIME, 1)).status_code == 422

    for _ in range(2):
        cancelled = patient.post(f"/api/orders/{order_id}/cancel", json={"reason": "Ordered twice"})

        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        assert (stock(patient, CEFIXIME), units_used(patient)) == (before, {"Cefixime": 0})
        assert register(stack, order_id) == [("dispensed", CEFIXIME, 10), ("reversed", CEFIXIME, 10)]
        assert events(stack, order_id) == ["order.confirmed", "order.cancelled"]
    assert placed(buy(patient, (CEFIXIME, 1)))["status"] == "confirmed"


def test_what_is_shipped_is_not_cancelled(stack: RunningStack, patient: httpx.Client) -> None:
    order_id = placed(buy(patient, (ORS, 1)))["order_id"]
    with as_staff(stack, PHARMACIST) as pharmacist:
        pharmacist.put(f"/api/admin/orders/{order_id}/status", json={"status": "shipped"}).raise_for_status()

    answer = patient.post(f"/api/orders/{order_id}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "order_not_cancellable")


def test_an_order_of_somebody_else_is_not_there_to_cancel(stack: RunningStack, patient: httpx.Client) -> None:
    order_id = placed(buy(patient, (ORS, 1)))["order_id"]
    with new_patient(stack) as another:
        answer = another.post(f"/api/orders/{order_id}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")
    assert patient.get(f"/api/orders/{order_id}").json()["status"] == "confirmed"
