"""From a prescription handed in to an order confirmed or cancelled, and who may decide about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.integration.chatting import new_patient, stock
from tests.integration.ordering import (
    ADMIN,
    PHARMACIST,
    Json,
    as_staff,
    buy,
    events,
    hand_in,
    patient_id,
    placed,
    prescribe,
    prescribed_item,
    reading,
    records,
    register,
    status,
    units_used,
    verify,
)
from tests.running_stack import RunningStack

CEFIXIME, CLARITHROMYCIN, ATORVASTATIN, FLUCONAZOLE, PAN_D = "MED060", "MED066", "MED010", "MED065", "MED008"
CEFIXIME_ITEM = prescribed_item("Cefixime", "200 mg", 10, dosage_frequency="twice_daily")
STATINS = "interaction:Atorvastatin+Clarithromycin"
DOMPERIDONE = "interaction:Domperidone+Fluconazole"


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


@pytest.fixture
def pharmacist(stack: RunningStack) -> Iterator[httpx.Client]:
    with as_staff(stack, PHARMACIST) as api:
        yield api


def queue(pharmacist: httpx.Client, kind: str, **named: str) -> list[Json]:
    answer = pharmacist.get("/api/admin/prescriptions")
    assert answer.status_code == 200, answer.text
    return [one for one in answer.json()[kind] if named.items() <= one.items()]


def override(pharmacist: httpx.Client, patient: httpx.Client, rule: str, **more: Any) -> httpx.Response:
    body = {"rule": rule, "reason": "Agreed with Dr. Mehta for seven days.", **more}
    return pharmacist.post(f"/api/admin/patients/{patient_id(patient)}/overrides", json=body)


def test_my_prescriptions_are_mine_alone(stack: RunningStack, patient: httpx.Client) -> None:
    assert patient.get("/api/prescriptions").json() == {"prescriptions": [], "count": 0}
    prescription_id = hand_in(patient, CEFIXIME_ITEM)

    [mine] = patient.get("/api/prescriptions").json()["prescriptions"]

    assert (mine["prescription_id"], mine["status"]) == (prescription_id, "pending")
    assert mine["items"] == [CEFIXIME_ITEM | {"dispensed_units": 0}]
    with stack.as_patient("rahul@example.com") as rahul:
        theirs = {one["prescription_id"] for one in rahul.get("/api/prescriptions").json()["prescriptions"]}
    assert prescription_id not in theirs


def test_a_key_hands_in_once(patient: httpx.Client) -> None:
    answers = [
        patient.post("/api/prescriptions", json={}, headers={"Idempotency-Key": "a"}).json() for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert patient.get("/api/prescriptions").json()["count"] == 1


@pytest.mark.parametrize("suggested", [[CEFIXIME_ITEM], []])
def test_what_is_not_verified_can_be_ordered_and_waits(
    stack: RunningStack, patient: httpx.Client, pharmacist: httpx.Client, suggested: list[Json]
) -> None:
    prescription_id = hand_in(patient, *suggested)
    order = placed(buy(patient, (CEFIXIME, 1)))
    order_id = order["order_id"]
    assert order["status"] == "awaiting_pharmacist"
    assert (events(stack, order_id), register(stack, order_id)) == ([], [])
    [waiting] = queue(pharmacist, "orders", order_id=order_id)
    assert [(finding["code"], finding["waits"]) for finding in waiting["findings"]] == [
        ("prescription_required", True)
    ]
    assert queue(pharmacist, "prescriptions", prescription_id=prescription_id)

    review = verify(stack, prescription_id, CEFIXIME_ITEM)

    assert review["prescription"]["status"] == "verified"
    assert [(one["outcome"], one["order"]["order_id"]) for one in review["orders"]] == [
        ("confirmed", order_id)
    ]
    assert status(patient, order_id) == "confirmed"
    assert events(stack, order_id) == ["order.confirmed"]
    assert units_used(patient) == {"Cefixime": 10}
    assert register(stack, order_id) == [("dispensed", CEFIXIME, 10)]
    assert queue(pharmacist, "orders", order_id=order_id) == []
    assert buy(patient, (CEFIXIME, 1)).status_code == 422, "the only fill is used up"


def test_a_rejected_prescription_cancels_its_orders(
    stack: RunningStack, patient: httpx.Client, pharmacist: httpx.Client
) -> None:
    prescription_id = hand_in(patient, CEFIXIME_ITEM)
    before = stock(patient, CEFIXIME)
    order_id = placed(buy(patient, (CEFIXIME, 1)))["order_id"]
    assert stock(patient, CEFIXIME) == before - 1

    review = pharmacist.post(
        f"/api/admin/prescriptions/{prescription_id}/reject", json={"reason": "The signature is missing."}
    ).json()

    assert review["prescription"]["review_reason"] == "The signature is missing."
    assert [one["outcome"] for one in review["orders"]] == ["cancelled"]
    assert (status(patient, order_id), stock(patient, CEFIXIME)) == ("cancelled", before)
    assert events(stack, order_id) == []


def test_a_prescription_for_something_else_confirms_nothing(
    stack: RunningStack, patient: httpx.Client
) -> None:
    prescription_id = hand_in(patient)
    order_id = placed(buy(patient, (CEFIXIME, 1)))["order_id"]

    verify(stack, prescription_id, prescribed_item("Cefixime", "400 mg", 10))

    assert status(patient, order_id) == "cancelled"


def test_a_prescription_is_reviewed_once(
    stack: RunningStack, patient: httpx.Client, pharmacist: httpx.Client
) -> None:
    prescription_id = prescribe(stack, patient, CEFIXIME_ITEM)

    for review, body in (("verify", reading()), ("reject", {"reason": "Second thoughts."})):
        answer = pharmacist.post(f"/api/admin/prescriptions/{prescription_id}/{review}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "prescription_reviewed")


@pytest.mark.parametrize(
    "changes",
    [
        {"prescriber": ""},
        {"issued_on": "2020-01-01", "valid_until": "2020-02-01"},
        {"valid_until": "2020-02-01"},
        {"valid_until": "tomorrow"},
        {"items": []},
        {"items": [CEFIXIME_ITEM, CEFIXIME_ITEM]},
        {"items": [CEFIXIME_ITEM | {"dosage_frequency": "hourly"}]},
        {"items": [CEFIXIME_ITEM | {"units": 0}]},
        {"items": [CEFIXIME_ITEM | {"repeats": 25}]},
        {"items": [CEFIXIME_ITEM | {"strength": " "}]},
    ],
)
def test_an_incomplete_reading_is_422_and_changes_nothing(
    patient: httpx.Client, pharmacist: httpx.Client, changes: Json
) -> None:
    prescription_id = hand_in(patient)

    answer = pharmacist.post(
        f"/api/admin/prescriptions/{prescription_id}/verify", json=reading(CEFIXIME_ITEM) | changes
    )

    assert answer.status_code == 422, answer.text
    assert patient.get("/api/prescriptions").json()["prescriptions"][0]["status"] == "pending"


def test_an_unknown_prescription_is_404(pharmacist: httpx.Client) -> None:
    answer = pharmacist.post("/api/admin/prescriptions/RX99999999/reject", json={"reason": "Not there."})

    assert (answer.status_code, answer.json()["code"]) == (404, "prescription_not_found")


def test_an_override_lets_a_major_finding_pass_and_shows_on_the_order(
    stack: RunningStack, patient: httpx.Client, pharmacist: httpx.Client
) -> None:
    prescribe(
        stack,
        patient,
        prescribed_item("Clarithromycin", "500 mg", 10, dosage_frequency="twice_daily"),
        prescribed_item("Atorvastatin", "10 mg", 30),
    )
    order = placed(buy(patient, (CLARITHROMYCIN, 1), (ATORVASTATIN, 1)))
    order_id = order["order_id"]
    assert order["status"] == "awaiting_pharmacist"
    [waiting] = queue(pharmacist, "orders", order_id=order_id)
    assert {finding["rule"] for finding in waiting["findings"] if finding["waits"]} == {STATINS}

    answer = override(pharmacist, patient, STATINS)

    assert answer.status_code == 201, answer.text
    assert answer.json()["valid_until"] == reading()["valid_until"]
    assert [one["outcome"] for one in answer.json()["orders"]] == ["confirmed"]
    assert events(stack, order_id) == ["order.confirmed"]
    shown = patient.get(f"/api/orders/{order_id}").json()
    assert shown["status"] == "confirmed"
    reasons = {
        warning["overridden"]["reason"]
        for item in shown["items"]
        for warning in item["warnings"]
        if warning["rule"] == STATINS
    }
    assert reasons == {"Agreed with Dr. Mehta for seven days."}


def test_a_contraindicated_pair_is_refused_whoever_asks(
    stack: RunningStack, patient: httpx.Client, pharmacist: httpx.Client
) -> None:
    prescribe(stack, patient, prescribed_item("Fluconazole", "150 mg", 4, dosage_frequency="once_weekly"))

    answer = override(pharmacist, patient, DOMPERIDONE)

    assert (answer.status_code, answer.json()["code"]) == (422, "contraindicated")
    refused = buy(patient, (FLUCONAZOLE, 1), (PAN_D, 1))
    assert refused.status_code == 422
    assert DOMPERIDONE in {finding["rule"] for finding in refused.json()["findings"]}


@pytest.mark.parametrize(
    ("rule", "more", "code"),
    [
        ("interaction:Nothing+Something", {}, "not_overridable"),
        ("limit:Paracetamol", {}, "not_overridable"),
        ("allergy:unrecognised", {}, "not_overridable"),
        (STATINS, {"reason": " "}, "validation_failed"),
    ],
)
def test_other_findings_have_no_override(
    patient: httpx.Client, pharmacist: httpx.Client, rule: str, more: Json, code: str
) -> None:
    answer = override(pharmacist, patient, rule, **more)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_an_override_names_a_patient_that_exists(pharmacist: httpx.Client) -> None:
    body = {"rule": STATINS, "reason": "Agreed with the prescriber."}

    assert pharmacist.post("/api/admin/patients/PAT99999/overrides", json=body).status_code == 404


def test_the_rules_in_force_can_be_put_in_force_again(stack: RunningStack, pharmacist: httpx.Client) -> None:
    versions = pharmacist.get("/api/admin/rule-sets").json()["rule_sets"]
    [active] = [version for version in versions if version["status"] == "active"]

    again = pharmacist.post("/api/admin/rule-sets", json={"version": active["version"]})
    unknown = pharmacist.post("/api/admin/rule-sets", json={"version": "no such version"})

    assert (again.status_code, again.json()["status"]) == (200, "active")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "rule_set_not_found")


def test_an_invalid_rule_set_is_not_put_in_force(stack: RunningStack, pharmacist: httpx.Client) -> None:
    with records(stack) as database:
        database.execute("insert into public.rule_sets (version, source) values ('empty', 'test')")
        try:
            answer = pharmacist.post("/api/admin/rule-sets", json={"version": "empty"})
        finally:
            database.execute("delete from public.rule_sets where version = 'empty'")

    assert (answer.status_code, answer.json()["code"]) == (422, "rule_set_invalid")
    assert "active" in {one["status"] for one in pharmacist.get("/api/admin/rule-sets").json()["rule_sets"]}


Call = Callable[[httpx.Client], httpx.Response]

ANY_STAFF: dict[str, Call] = {
    "queue": lambda api: api.get("/api/admin/prescriptions"),
    "rule sets": lambda api: api.get("/api/admin/rule-sets"),
    "orders": lambda api: api.get("/api/admin/orders"),
    "status": lambda api: api.put("/api/admin/orders/ORD0/status", json={"status": "shipped"}),
}
PHARMACISTS: dict[str, Call] = {
    "verify": lambda api: api.post("/api/admin/prescriptions/RX0/verify", json=reading(CEFIXIME_ITEM)),
    "reject": lambda api: api.post("/api/admin/prescriptions/RX0/reject", json={"reason": "Not there."}),
    "override": lambda api: api.post(
        "/api/admin/patients/PAT0/overrides", json={"rule": STATINS, "reason": "Not there."}
    ),
    "activate": lambda api: api.post("/api/admin/rule-sets", json={"version": "not there"}),
}


@pytest.mark.parametrize("name", [*ANY_STAFF, *PHARMACISTS])
def test_each_role_may_do_its_own(stack: RunningStack, patient: httpx.Client, name: str) -> None:
    call = {**ANY_STAFF, **PHARMACISTS}[name]
    with stack.api() as guest, as_staff(stack, ADMIN) as admin, as_staff(stack, PHARMACIST) as pharmacist:
        said = [call(api).status_code for api in (guest, patient, admin, pharmacist)]

    allowed = (200, 404)  # what the calls name does not exist; whoever learns that was let in
    assert said[:2] == [401, 403]
    assert (said[2] in allowed) if name in ANY_STAFF else (said[2] == 403)
    assert said[3] in allowed


def test_staff_has_no_prescriptions_of_its_own(stack: RunningStack, pharmacist: httpx.Client) -> None:
    assert pharmacist.get("/api/prescriptions").status_code == 403
    assert pharmacist.post("/api/prescriptions", json={}).status_code == 403


@pytest.mark.parametrize(
    "arguments",
    [
        {"p_file_path": "PAT001/rx.pdf"},
        {"p_items": 7},
        {"p_items": ["x"]},
        {"p_items": [{}]},
        {"p_items": [CEFIXIME_ITEM | {"units": "many"}]},
        {"p_items": [CEFIXIME_ITEM] * 21},
        {"p_items": [CEFIXIME_ITEM | {"ingredient": " "}]},
        {"p_idempotency_key": ""},
    ],
)
def test_past_the_function_the_database_refuses_bad_prescriptions(
    stack: RunningStack, patient: httpx.Client, arguments: Json
) -> None:
    with stack.rest(patient.headers["authorization"].removeprefix("Bearer ")) as rest:
        answer = rest.post("/rpc/submit_prescription", json=arguments)

    assert answer.status_code == 422, answer.text
    assert patient.get("/api/prescriptions").json()["count"] == 0
