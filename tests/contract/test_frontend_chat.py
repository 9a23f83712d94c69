"""The frontend's chat: there is always something to show, and a card has what its type promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.document import OPERATIONS
from tests.contract.frontend import (
    Frontend,
    Shape,
    filled,
    flag,
    moment,
    money,
    one_of,
    or_null,
    read,
    rows,
    text,
    texts,
    whole,
    wrong_in,
)
from tests.integration.ordering import PHARMACIST
from tests.running_stack import DEMO_PASSWORD, RunningStack

ANSWER: Shape = {
    "reply": filled,
    "card_data": or_null(lambda value: isinstance(value, dict) and filled(value.get("type"))),
    "conversation_id": filled,
    "trace_id": filled,
    "thinking": rows,
}
REFUSAL: Shape = {"reply": filled, "error": filled}
WARNING: Shape = {"code": filled, "message": filled, "source": or_null(text)}
PROPOSED_ITEM: Shape = {
    "product_id": filled,
    "product_name": filled,
    "qty": whole,
    "price": money,
    "line_total": money,
    "package_size": filled,
    "prescription_required": flag,
    "warnings": rows,
}
REJECTED_ITEM: Shape = {
    "product_id": filled,
    "product_name": filled,
    "reason": filled,
    "code": filled,
    "severity": filled,
    "source": or_null(text),
    "alternatives": rows,
}
CARDS: dict[str, Shape] = {
    "order_confirmation": {
        "proposal_id": filled,
        "digest": filled,
        "expires_at": moment,
        "items": rows,
        "total": money,
        "product_id": filled,
        "product_name": filled,
        "price": money,
        "quantity": whole,
        "warnings": rows,
    },
    "clarification": {"question": filled, "options": rows},
    "safety_alert": {"message": filled, "rejected_items": rows},
    "order_status": {
        "status": one_of("confirmed", "awaiting_pharmacist"),
        "order_id": filled,
        "items": rows,
        "total": money,
        "message": filled,
    },
    "order_tracking": {"order_id": filled, "status": filled},
    "emergency": {"message": filled, "numbers": texts},
}
OPTION: Shape = {"product_id": filled, "product_name": filled, "price": money, "package_size": filled}


CHAT = next(one for one in OPERATIONS if one.name == "POST /api/chat")


@pytest.fixture
def page(stack: RunningStack) -> Iterator[Frontend]:
    with Frontend(stack) as frontend:
        signed_in = frontend.post(
            "/api/auth/login", {"email": "anjali@example.com", "password": DEMO_PASSWORD}
        )
        assert signed_in.status_code == 200
        yield frontend


def say(page: Frontend, message: str, language: str = "en", **more: Any) -> Any:
    """As the page sends it: with the patient's id, without a conversation."""
    answer = page.post(
        "/api/chat", {"patient_id": "PAT012", "message": message, "language": language, **more}
    )
    assert answer.status_code == 200, answer.text
    said = read(answer)
    assert wrong_in(said, ANSWER) == []
    assert CHAT.errors_of(answer.json(), CHAT.answer_schema("200")) == []
    card = said["card_data"]
    if card:
        assert wrong_in(card, CARDS[card["type"]]) == []
    return said


def test_a_medicine_is_bought_with_words_alone(page: Frontend) -> None:
    """No conversation id, no button: the open conversation is on the server, a yes is a message."""
    card = say(page, "2 packs of ORS sachets please")["card_data"]
    assert card["type"] == "order_confirmation"
    assert [wrong for item in card["items"] for wrong in wrong_in(item, PROPOSED_ITEM)] == []
    assert [wrong for warning in card["warnings"] for wrong in wrong_in(warning, WARNING)] == []
    first = card["items"][0]
    assert (card["product_id"], card["price"], card["quantity"]) == (
        first["product_id"],
        first["price"],
        first["qty"],
    )
    assert card["total"] == sum(item["line_total"] for item in card["items"])

    placed = say(page, "yes, confirm")["card_data"]

    assert placed["type"] == "order_status"
    assert placed["total"] == card["total"]
    orders = read(page.get("/api/orders"))
    assert orders["orders"][0]["order_id"] == placed["order_id"]


def test_an_order_status_is_shown_only_when_something_was_placed(page: Frontend) -> None:
    say(page, "no, cancel that")
    before = read(page.get("/api/orders"))["orders"]

    for message in ("yes", "haan bhej do", "confirm the order please"):
        card = say(page, message)["card_data"] or {"type": None}
        if card["type"] == "order_status":
            assert card["order_id"] in [order["order_id"] for order in before]
    assert read(page.get("/api/orders"))["orders"] == before


def test_a_name_with_several_variants_is_asked_about(page: Frontend) -> None:
    card = say(page, "crocin")["card_data"]

    assert card["type"] == "clarification"
    assert [wrong for option in card["options"] for wrong in wrong_in(option, OPTION)] == []
    assert len(card["options"]) > 1
    say(page, "no")


def test_what_is_refused_says_why(page: Frontend) -> None:
    card = say(page, "azithromycin 500 please")["card_data"]

    assert card["type"] == "safety_alert"
    assert card["rejected_items"]
    assert [wrong for item in card["rejected_items"] for wrong in wrong_in(item, REJECTED_ITEM)] == []


def test_an_emergency_has_numbers_to_call(page: Frontend) -> None:
    card = say(page, "I have chest pain and cannot breathe")["card_data"]

    assert card["type"] == "emergency"
    assert {"112", "108"} <= set(card["numbers"])


def test_an_order_is_tracked(page: Frontend) -> None:
    say(page, "one ORS sachets")
    say(page, "yes")

    assert say(page, "where is my order?")["card_data"]["type"] == "order_tracking"


@pytest.mark.parametrize(
    ("message", "language", "devanagari"),
    [
        ("hello", "en", False),
        ("hello", "hi", True),
        ("hello", "mr", True),
        ("मुझे डोलो चाहिए", "en", True),
        ("मला डोलो हवे आहे", "mr", True),
    ],
)
def test_the_reply_is_in_the_language_of_the_page_or_in_the_script_of_the_message(
    page: Frontend, message: str, language: str, devanagari: bool
) -> None:
    reply = say(page, message, language)["reply"]

    assert any("\u0900" <= character <= "\u097f" for character in reply) == devanagari
    say(page, "no")


def test_a_client_may_bring_a_conversation_of_its_own(page: Frontend) -> None:
    conversation_id = str(uuid4())

    said = say(page, "hello", conversation_id=conversation_id)

    assert said["conversation_id"] == conversation_id
    assert len(read(page.get(f"/api/conversations/{conversation_id}"))["messages"]) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"message": ""}, 422),
        ({"message": "   "}, 422),
        ({"message": "x" * 2001}, 422),
        ({"message": "a\x00b"}, 422),
        ({"message": 7}, 422),
        ({"message": "hello", "language": "ta"}, 422),
        ({"message": "hello", "conversation_id": "mine"}, 422),
        ({"message": "hello", "patient_id": "PAT001"}, 403),
        ({"message": "hello", "patient_id": "PAT999999"}, 403),
        ([], 422),
        (None, 422),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_refusal_has_a_reply_too(page: Frontend, body: Any, status: int) -> None:
    answer = page.post("/api/chat", body)

    assert answer.status_code == status
    assert wrong_in(read(answer), REFUSAL) == []


def test_a_guest_is_asked_to_sign_in(stack: RunningStack) -> None:
    with Frontend(stack) as guest:
        answer = guest.post("/api/chat", {"patient_id": "PAT001", "message": "hello", "language": "en"})

    assert answer.status_code == 401
    assert wrong_in(read(answer), REFUSAL) == []
    assert "sign in" in read(answer)["reply"]


def test_staff_is_told_whose_chat_it_would_be(stack: RunningStack) -> None:
    username, password = PHARMACIST
    with Frontend(stack) as staff:
        staff.post("/api/admin/login", {"username": username, "password": password})
        answer = staff.post("/api/chat", {"message": "hello", "language": "en"})

    assert answer.status_code == 403
    assert wrong_in(read(answer), REFUSAL) == []
