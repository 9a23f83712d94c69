"""What was said, checked and decided can be read again: by whom it is about, and by staff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.chatting import Conversation, new_patient
from tests.integration.ordering import ADMIN, PHARMACIST, Json, as_staff, buy, placed
from tests.running_stack import RunningStack

ORS = "MED021"


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


def read(api: httpx.Client, path: str, **query: Any) -> Json:
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_a_long_conversation_is_read_page_by_page_from_its_end(patient: httpx.Client) -> None:
    chat = Conversation(patient)
    said = ["hello", "what is the price of dolo 650", "thanks", "2 boxes of ORS"]
    for message in said:
        chat.say(message)
    path = f"/api/conversations/{chat.conversation_id}"

    whole = read(patient, path)
    assert [one["role"] for one in whole["messages"]] == ["patient", "assistant"] * 4
    assert [one["text"] for one in whole["messages"][::2]] == said
    assert whole["next_cursor"] is None

    pages: list[Json] = []
    query: Json = {"limit": 3}
    while True:
        page = read(patient, path, **query)
        assert 0 < len(page["messages"]) <= 3
        pages = page["messages"] + pages
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert pages == whole["messages"]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 501}, {"cursor": "x"}, {"cursor": 0}])
def test_an_odd_page_of_a_conversation_is_422(patient: httpx.Client, query: Json) -> None:
    assert patient.get(f"/api/conversations/{uuid4()}", params=query).status_code == 422


@pytest.mark.parametrize("account", [ADMIN, PHARMACIST])
def test_staff_reads_what_patients_do(
    stack: RunningStack, patient: httpx.Client, account: tuple[str, str]
) -> None:
    chat = Conversation(patient)
    trace_id = chat.say("2 boxes of ORS")["trace_id"]
    conversation = f"/api/conversations/{chat.conversation_id}"
    decision = f"/api/decisions/{trace_id}"

    with as_staff(stack, account) as staff:
        assert read(staff, conversation) == read(patient, conversation)
        assert read(staff, decision) == read(patient, decision)


def test_the_decision_of_a_direct_order_names_each_check(patient: httpx.Client) -> None:
    order = placed(buy(patient, (ORS, 1)))

    found = read(patient, f"/api/decisions/{order['trace_id']}")

    assert found["trace_id"] == order["trace_id"]
    [decision] = found["decisions"]
    assert (decision["kind"], decision["outcome"], decision["order_id"]) == (
        "order",
        "placed",
        order["order_id"],
    )
    assert decision["rule_set"]
    assert {check["check"] for check in decision["checks"]} >= {"allergy", "interaction", "out_of_stock"}


def test_a_refusal_can_be_looked_up_by_what_it_answered(patient: httpx.Client) -> None:
    refused = buy(patient, ("MED060", 1)).json()

    [decision] = read(patient, f"/api/decisions/{refused['trace_id']}")["decisions"]

    assert decision["outcome"] == "refused"
    assert decision["findings"] == refused["findings"]
    assert all(finding["source"] and finding["rule"] for finding in decision["findings"])


def test_nobody_else_reads_them(stack: RunningStack, patient: httpx.Client) -> None:
    chat = Conversation(patient)
    trace_id = chat.say("hello")["trace_id"]
    with new_patient(stack) as another, stack.api() as guest:
        for path, unknown in (
            (f"/api/conversations/{chat.conversation_id}", f"/api/conversations/{uuid4()}"),
            (f"/api/decisions/{trace_id}", f"/api/decisions/{uuid4()}"),
        ):
            theirs, nobodys = another.get(path), another.get(unknown)
            assert (theirs.status_code, nobodys.status_code) == (404, 404)
            assert theirs.json()["error"] == nobodys.json()["error"]
            assert guest.get(path).status_code == 401
