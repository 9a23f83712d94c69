"""What staff looks up: decisions, the H1 register, the outbox, how the service is doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.chatting import Conversation, new_patient
from tests.integration.ordering import (
    PHARMACIST,
    as_staff,
    buy,
    patient_id,
    placed,
    prescribe,
    prescribed_item,
    records,
)
from tests.running_stack import RunningStack

Json = dict[str, Any]
CEFIXIME, ORS = "MED060", "MED021"


@pytest.fixture
def staff(stack: RunningStack) -> Iterator[httpx.Client]:
    with as_staff(stack, PHARMACIST) as api:
        yield api


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


def read(staff: httpx.Client, path: str, **query: Any) -> Json:
    answer = staff.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def decisions(staff: httpx.Client, **query: Any) -> list[Json]:
    found: list[Json] = read(staff, "/api/admin/decisions", **query)["decisions"]
    return found


def day(days: int) -> str:
    return str(datetime.now(UTC).date() + timedelta(days=days))


def test_decisions_are_found_by_patient_order_outcome_and_finding(
    stack: RunningStack, staff: httpx.Client
) -> None:
    with new_patient(stack, allergies=["Penicillin"]) as patient:
        who = patient_id(patient)
        Conversation(patient).say("amoxicillin")
        order_id = placed(buy(patient, (ORS, 1)))["order_id"]

    assert {one["outcome"] for one in decisions(staff, patient_id=who)} == {"refused", "placed"}
    [refused] = decisions(staff, patient_id=who, code="allergy")
    assert "allergy" in {finding["code"] for finding in refused["findings"]}
    assert refused["rule_set"]
    assert decisions(staff, patient_id=who, code="interaction") == []
    [found] = decisions(staff, order_id=order_id)
    assert (found["patient_id"], found["outcome"]) == (who, "placed")
    assert decisions(staff, order_id=f"{order_id}-1") == [found]
    assert decisions(staff, patient_id=who, outcome="placed", since=day(0), until=day(0)) == [found]
    assert decisions(staff, patient_id=who, until=day(-1)) == []
    assert decisions(staff, patient_id=who, since=day(1)) == []


def test_pages_of_decisions_show_each_once(patient: httpx.Client, staff: httpx.Client) -> None:
    for _ in range(5):
        Conversation(patient).say("one ORS sachets")
    who = patient_id(patient)
    seen: list[int] = []
    cursor = None
    while True:
        page = read(
            staff, "/api/admin/decisions", patient_id=who, limit=2, **({"cursor": cursor} if cursor else {})
        )
        seen += [one["decision_id"] for one in page["decisions"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert seen == sorted(seen, reverse=True)
    assert seen == [one["decision_id"] for one in decisions(staff, patient_id=who)]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize("value", ["' or true --", "$1", "%", "{}", "\\"])
def test_what_is_looked_for_is_only_ever_a_value(staff: httpx.Client, value: str) -> None:
    for field in ("patient_id", "order_id", "outcome", "code", "kind"):
        answer = staff.get("/api/admin/decisions", params={field: value})
        assert answer.status_code in (200, 422), answer.text
        assert answer.status_code == 422 or answer.json()["decisions"] == []


def test_a_sale_of_h1_and_its_reversal_stand_in_the_register_with_their_lots(
    stack: RunningStack, patient: httpx.Client, staff: httpx.Client
) -> None:
    prescribe(stack, patient, prescribed_item("Cefixime", "200 mg", 10))
    order_id = placed(buy(patient, (CEFIXIME, 1)))["order_id"]
    who = patient_id(patient)

    [sold] = read(staff, "/api/admin/dispense-register", patient_id=who)["entries"]
    assert (sold["entry"], sold["order_id"], sold["packs"]) == ("dispensed", order_id, 1)
    assert sold["prescriber"] == "Dr. S. Mehta"
    assert len(sold["lots"]) == 1
    patient.post(f"/api/orders/{order_id}/cancel").raise_for_status()
    entries = read(staff, "/api/admin/dispense-register", patient_id=who, since=day(0))["entries"]
    assert [one["entry"] for one in entries] == ["reversed", "dispensed"]
    assert read(staff, "/api/admin/dispense-register", patient_id=who, product_id=ORS)["entries"] == []
    page = read(staff, "/api/admin/dispense-register", patient_id=who, limit=1)
    rest = read(staff, "/api/admin/dispense-register", patient_id=who, limit=1, cursor=page["next_cursor"])
    assert [*page["entries"], *rest["entries"]] == entries
    assert rest["next_cursor"] is None


def test_the_outbox_is_told_without_its_content(
    stack: RunningStack, patient: httpx.Client, staff: httpx.Client
) -> None:
    order_id = placed(buy(patient, (ORS, 1)))["order_id"]

    events = read(staff, "/api/admin/outbox", state="waiting", limit=200)["events"]
    [event] = [one for one in events if one["order_id"] == order_id]
    assert (event["event_type"], event["state"], event["destination"]) == (
        "order.confirmed",
        "waiting",
        "partner",
    )
    assert "payload" not in event
    with records(stack) as database:
        database.execute(
            "update public.outbox_events set annulled_at = now() where order_id = %s", [order_id]
        )
    found = read(staff, "/api/admin/outbox", state="annulled", limit=200)["events"]
    assert order_id in {one["order_id"] for one in found}
    deliveries = read(staff, f"/api/admin/orders/{order_id}-1/deliveries")
    assert [one["state"] for one in deliveries["events"]] == ["annulled"]
    assert deliveries["exchanges"] == []


def test_the_overview_counts_what_happens(patient: httpx.Client, staff: httpx.Client) -> None:
    def placed_orders() -> int:
        hours = read(staff, "/api/admin/service", hours=2)["hours"]
        return sum(hour["decisions"].get("placed", 0) for hour in hours)

    before = placed_orders()
    placed(buy(patient, (ORS, 1)))
    overview = read(staff, "/api/admin/service", hours=2)
    assert len(overview["hours"]) == 2
    assert placed_orders() == before + 1
    assert overview["outbox"]["waiting"] >= 1


@pytest.mark.parametrize(
    "path",
    [
        "decisions?since=21-11-2026",
        "decisions?limit=0",
        "decisions?cursor=x",
        "outbox?state=lost",
        "service?hours=0",
    ],
)
def test_what_makes_no_sense_is_refused(staff: httpx.Client, path: str) -> None:
    assert staff.get(f"/api/admin/{path}").status_code == 422
