"""What a message answers: a confirmation only when it is one, a refusal, a profile question, an emergency."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.chat.small_shelf import DOLO_650, decide, understand

ON_THE_CARD = [(DOLO_650, 1)]


@pytest.mark.parametrize(
    "message",
    [
        "yes",
        "Yes!",
        "yes please",
        "YES, CONFIRM",
        "ok",
        "okay thanks",
        "place the order",
        "go ahead",
        "haan",
        "haan bhej do",
        "हाँ",
        "हाँ भेज दो",
        "होय",
    ],
)
def test_a_yes_confirms(message: str) -> None:
    assert decide(message, proposed=ON_THE_CARD).act == "confirm"


@pytest.mark.parametrize(
    "message",
    [
        "yesterday",
        "don't confirm",
        "do not place the order",
        "yes but only one",
        "yes?",
        "ok?",
        "not sure, is it safe?",
        "my eyes hurt",
        "yes no",
        "yes, cancel",
        "yes, if my doctor agrees",
        "i never said yes",
        "should I confirm",
        "yes and cetirizine",
        "yes 2",
        "haan nahi",
        "हाँ नहीं",
        "",
        "😀",
        "confirm nothing",
    ],
)
def test_anything_less_does_not(message: str) -> None:
    assert decide(message, proposed=ON_THE_CARD).act != "confirm"


@given(st.text(max_size=60))
def test_words_at_random_confirm_nothing(noise: str) -> None:
    assert decide(f"{noise} perhaps not yet", proposed=ON_THE_CARD).act != "confirm"


def test_without_a_card_there_is_nothing_to_confirm() -> None:
    decided = decide("yes")

    assert (decided.act, [said.key for said in decided.said]) == ("say", ["nothing-to-confirm"])


@pytest.mark.parametrize(
    "message",
    [
        "no",
        "cancel",
        "no thanks",
        "please cancel my order",
        "nahi",
        "नहीं",
        "नको",
        "i want to cancel",
        "I don't want it",
        "don't want it",
    ],
)
def test_a_no_takes_the_card_away(message: str) -> None:
    assert decide(message, proposed=ON_THE_CARD).act == "decline"


# The profile


def asked(field: str) -> dict[str, dict[str, str]]:
    return {"awaiting": {"kind": "profile", "field": field}}


@pytest.mark.parametrize(
    ("message", "age"),
    [("34", 34), ("I am 34 years old", 34), ("thirty four", 34), ("age 34", 34), ("३४", 34), ("1", 1)],
)
def test_an_age_is_read(message: str, age: int) -> None:
    assert understand(message, state=asked("age")).profile == {"age": age}


@pytest.mark.parametrize(
    "message",
    ["0", "-5", "500", "34.5", "30 or 40", "1e9", "yes", "I don't know", "2 strips of dolo 650", ""],
)
def test_what_is_no_age_is_asked_again(message: str) -> None:
    assert understand(message, state=asked("age")).profile == {}


@pytest.mark.parametrize("field", ["allergies", "conditions"])
@pytest.mark.parametrize("message", ["none", "no", "nothing", "nahi", "नहीं", "नाही"])
def test_none_is_an_answer(field: str, message: str) -> None:
    assert understand(message, state=asked(field)).profile == {field: []}


@pytest.mark.parametrize(
    ("message", "allergies"),
    [
        ("penicillin", ["penicillin"]),
        ("penicillin and sulfa", ["penicillin", "sulfa"]),
        ("I am allergic to penicillin, aspirin", ["penicillin", "aspirin"]),
        ("sulfa drugs", ["sulfa drugs"]),
    ],
)
def test_allergies_are_listed(message: str, allergies: list[str]) -> None:
    assert understand(message, state=asked("allergies")).profile == {"allergies": allergies}


@pytest.mark.parametrize(
    "message", ["yes", "cancel", "stop", "I don't know", "where is my order", "send 2 dolo 650", "why?"]
)
@pytest.mark.parametrize("field", ["allergies", "conditions"])
def test_what_is_about_something_else_is_no_allergy(field: str, message: str) -> None:
    assert understand(message, state=asked(field)).profile == {}


# Emergencies


@pytest.mark.parametrize(
    "message",
    [
        "I took an overdose",
        "chest pain, send dolo 650",
        "I can't breathe",
        "I can not breathe",
        "i want to die",
        "my baby swallowed bleach",
        "he is unconscious",
        "she has a seizure",
        "stroke",
        "i took 20 dolo tablets",
        "saans nahi aa rahi",
        "सीने में दर्द",
    ],
)
def test_an_emergency_stops_the_sale_and_names_the_numbers(message: str) -> None:
    decided = decide(message, proposed=ON_THE_CARD)

    assert decided.act == "decline", "what was on the card cannot be confirmed any more"
    assert decided.card is not None
    assert decided.card["type"] == "emergency"
    assert {"112", "108", "14416"} <= set(decided.card["numbers"])


@pytest.mark.parametrize(
    "message", ["my asthma inhaler", "dolo 650 for fever", "bp medicine", "my heart medicine"]
)
def test_an_ordinary_complaint_is_no_emergency(message: str) -> None:
    assert understand(message).intent != "red_flag"


@given(st.text(max_size=200))
def test_any_message_at_all_is_understood_somehow(message: str) -> None:
    assert decide(message, proposed=ON_THE_CARD).act in ("say", "propose", "confirm", "decline", "answer")
