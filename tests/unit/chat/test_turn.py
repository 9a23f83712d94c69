"""A turn over HTTP with a database that only pretends: two calls, and what they carry."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from functions.chat.handler import app
from shared.errors import Conflict, Forbidden, NotFound, Unavailable
from tests.unit.shared.fakes import FakeGateway, bearer, client_of

CONVERSATION = "6f1c1d0e-7a53-4a3e-9f0e-3d6f3b1f4c11"
PROPOSAL = {
    "proposal_id": "0b6c9a52-6a0e-4a53-9f0e-3d6f3b1f4c11",
    "digest": "d1ge57",
    "status": "open",
    "items": [{"product_id": "MED001", "qty": 2}],
    "order_id": None,
}


def context(**more: Any) -> dict[str, Any]:
    return {
        "patient": {"patient_id": "PAT012", "name": "Anjali Gupta", "preferred_language": "en"},
        "conversation_id": CONVERSATION,
        "state": {},
        "proposal": None,
        "last_order": None,
        "mentions": [],
        "terms": [],
        "usual": [],
        "advice": [],
        "products": {},
        **more,
    }


def gateway(outcome: dict[str, Any] | None = None, **known: Any) -> FakeGateway:
    said = {"outcome": "said", "card": None, "conversation_id": CONVERSATION}
    return FakeGateway({"chat_context": context(**known), "chat_turn": outcome or said})


def client(database: FakeGateway) -> TestClient:
    return client_of(app, gateway=database)


def say(database: FakeGateway, message: str, **more: Any) -> dict[str, Any]:
    answer = client(database).post("/api/chat", json={"message": message, **more}, headers=bearer())
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


@pytest.mark.parametrize("message", ["hello", "yes", "no", "chest pain", "2 strips of nothing", "???"])
def test_a_turn_is_two_calls_of_the_database(message: str) -> None:
    database = gateway()

    said = say(database, message)

    assert [name for name, _ in database.calls] == ["chat_context", "chat_turn"]
    assert said["reply"]
    assert said["conversation_id"] == CONVERSATION
    assert database.calls[1][1]["p_turn"]["trace_id"] == said["trace_id"]
    assert [step["step"] for step in said["thinking"]] == ["extract", "verify", "act"]


def test_a_confirmation_names_the_proposal_and_its_digest() -> None:
    placed = {
        "outcome": "placed",
        "card": {"type": "order_status", "status": "confirmed", "order_id": "ORD1", "total": 60, "items": []},
        "conversation_id": CONVERSATION,
    }
    database = gateway(placed, proposal=PROPOSAL)

    said = say(database, "yes")

    turn = database.calls[1][1]["p_turn"]
    assert turn["act"] == "confirm"
    assert (turn["proposal_id"], turn["digest"]) == (PROPOSAL["proposal_id"], PROPOSAL["digest"])
    assert said["card_data"]["order_id"] == "ORD1"
    assert said["card_data"]["message"] == said["reply"]


@pytest.mark.parametrize("message", ["yes but only one", "no", "hello", "chest pain"])
def test_nothing_else_carries_a_digest(message: str) -> None:
    database = gateway(proposal=PROPOSAL)

    say(database, message)

    turn = database.calls[1][1]["p_turn"]
    assert turn["act"] != "confirm"
    assert "digest" not in turn


def test_a_newcomers_yes_is_answered_with_the_question() -> None:
    database = gateway(
        {"outcome": "questions", "card": None, "questions": ["age"], "conversation_id": CONVERSATION},
        proposal=PROPOSAL,
    )

    assert "how old" in say(database, "yes")["reply"]


def test_the_callers_words_are_stored_as_they_were_written() -> None:
    database = gateway()

    say(database, "  2 strips, PLEASE!  ")

    assert database.calls[1][1]["p_turn"]["message"] == "2 strips, PLEASE!"


def test_an_answer_is_in_the_language_asked_for() -> None:
    database = gateway()

    said = say(database, "hello", language="mr")

    assert database.calls[1][1]["p_turn"]["language"] == "mr"
    assert any("\u0900" <= letter <= "\u097f" for letter in said["reply"])


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (NotFound("There is no such conversation.", code="conversation_not_found"), 404),
        (Forbidden("You may only act for yourself."), 403),
        (Unavailable("The database does not answer.", code="database_unavailable"), 503),
        (Conflict("Somebody was faster.", code="conflict"), 409),
    ],
)
@pytest.mark.parametrize("call", ["chat_context", "chat_turn"])
def test_what_the_database_refuses_is_told_with_a_reply(call: str, failure: Exception, status: int) -> None:
    database = gateway()
    database.answers[call] = failure

    answer = client(database).post("/api/chat", json={"message": "yes"}, headers=bearer())

    assert answer.status_code == status
    assert answer.json()["reply"]
    assert answer.json()["card_data"] is None


def test_a_guest_is_asked_to_sign_in() -> None:
    database = gateway()

    answer = client(database).post("/api/chat", json={"message": "hello", "patient_id": "PAT001"})

    assert answer.status_code == 401
    assert "sign in" in answer.json()["reply"]
    assert database.calls == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b"null", 422),
        (b'{"message": ""}', 422),
        (b'{"message": " \\n "}', 422),
        (b'{"message": 7}', 422),
        (b'{"message": "a\\u0000"}', 422),
        (b'{"message": "\\u001b[31m"}', 422),
        (b'{"message": "\\ud800"}', 422),
        (b'{"message": "' + b"x" * 2_001 + b'"}', 422),
        (b'{"message": "' + b"x" * 10_000 + b'"}', 422),
        (b'{"message": "hello", "language": "fr"}', 422),
        (b'{"message": "hello", "conversation_id": "1"}', 422),
    ],
)
def test_what_is_no_message_reaches_no_database(body: bytes, status: int) -> None:
    database = gateway()

    answer = client(database).post(
        "/api/chat", content=body, headers={**bearer(), "content-type": "application/json"}
    )

    assert answer.status_code == status
    assert answer.json()["reply"]
    assert isinstance(answer.json()["error"], str)
    assert database.calls == []


def test_a_message_of_two_thousand_characters_is_taken() -> None:
    assert say(gateway(), "a " * 999 + "b")["reply"]
