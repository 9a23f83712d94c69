"""What a message asks for: the right medicine in the right number, or a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.chat.small_shelf import (
    CETIRIZINE,
    COMBIFLAM,
    DOLO_650,
    METFORMIN,
    METFORMIN_SR,
    basket,
    decide,
    understand,
)


@pytest.mark.parametrize(
    ("message", "packs"),
    [
        ("dolo 650", 1),
        ("dolo650", 1),
        ("dolo 650 mg", 1),
        ("I need 2 strips of Dolo 650 please", 2),
        ("2 dolo 650", 2),
        ("dolo 650 2", 2),
        ("dolo 650 x 2", 2),
        ("2x dolo 650", 2),
        ("2 x dolo650", 2),
        ("two strips dolo 650", 2),
        ("dolo 650, 2 strips", 2),
        ("डोलो ६५० के दो पत्ते चाहिए", 2),
        ("dolo 650 ke do patte", 2),
        ("mujhe dolo 650 do", 1),
        ("twenty two strips of dolo 650", 22),
        ("twenty-five dolo 650", 25),
        ("one hundred dolo 650", 100),
        ("1,000 strips of dolo 650", 1000),
        ("2.0 strips of dolo 650", 2),
        ("2 strips of 15 tablets dolo 650", 2),
        ("one strip of 15 dolo 650", 1),
    ],
)
def test_the_number_of_packs_is_read(message: str, packs: int) -> None:
    assert basket(message) == [("MED001", packs)]


@pytest.mark.parametrize(
    ("message", "packs", "is_rounded"),
    [
        ("30 tablets of dolo 650", 2, False),
        ("15 tablets dolo 650", 1, False),
        ("31 tablets dolo 650", 3, True),
        ("1 tablet of dolo 650", 1, True),
        ("dolo 650 20 tablets", 2, True),
    ],
)
def test_tablets_become_packs_rounded_up_and_said_so(message: str, packs: int, is_rounded: bool) -> None:
    decided = decide(message)

    assert [item["packs"] for item in decided.items] == [packs]
    assert [note.key for note in decided.notes] == (["note-rounded"] if is_rounded else [])


@pytest.mark.parametrize(
    "message",
    [
        "dolo 650 for a 45 year old",
        "send dolo 650 to flat 5",
        "house no 7, dolo 650",
        "dolo 650 at 5 pm",
        "dolo 650 pin 400001",
    ],
)
def test_ages_times_and_addresses_are_no_quantities(message: str) -> None:
    assert basket(message) in ([("MED001", 1)], []), "one pack, or no card at all"


@pytest.mark.parametrize(
    "quantity", ["0", "-1", "half a", "1.5", "2-3", "2 or 3", "1e9", "1000000000", "2 to 3", "minus two"]
)
def test_a_number_that_is_no_whole_one_is_asked_about(quantity: str) -> None:
    decided = decide(f"{quantity} strips of dolo 650")

    assert decided.act == "say"
    assert decided.items == ()


@given(st.integers(min_value=1, max_value=9999))
def test_every_whole_number_is_read_as_it_stands(number: int) -> None:
    assert basket(f"{number} strips of dolo 650") == [("MED001", number)]


@given(st.integers(min_value=1, max_value=99), st.integers(min_value=1, max_value=99))
def test_each_number_stays_with_its_medicine(first: int, second: int) -> None:
    expected = [("MED001", first), ("MED005", second)]

    assert basket(f"{first} strips of dolo 650 and {second} strips of cetirizine") == expected
    assert basket(f"dolo 650 {first} strips, cetirizine {second} strips") == expected


@pytest.mark.parametrize(
    ("message", "items"),
    [
        ("2 dolo 650 and crocin advance", [("MED001", 2), ("MED009", 1)]),
        ("dolo 650 and 2 crocin advance", [("MED001", 1), ("MED009", 2)]),
        ("2 dolo 650 3 crocin advance", [("MED001", 2), ("MED009", 3)]),
        ("dolo 650 2, crocin advance 3", [("MED001", 2), ("MED009", 3)]),
        ("dolo 650 2 crocin advance 3", [("MED001", 2), ("MED009", 3)]),
        ("dolo 650: 2, cetirizine: 1", [("MED001", 2), ("MED005", 1)]),
        ("3 each of dolo 650 and cetirizine", [("MED001", 3), ("MED005", 3)]),
        ("dolo 650 and cetirizine 2 each", [("MED001", 2), ("MED005", 2)]),
        ("1) dolo 650 2) cetirizine 3", [("MED001", 1), ("MED005", 3)]),
        ("1. dolo 650\n2. cetirizine", [("MED001", 1), ("MED005", 1)]),
        ("2 strips dolo 650 and 30 tablets of cetirizine", [("MED001", 2), ("MED005", 3)]),
    ],
)
def test_several_medicines_keep_their_own_numbers(message: str, items: list[tuple[str, int]]) -> None:
    assert basket(message) == items


@pytest.mark.parametrize(
    "message",
    [
        "don't send dolo 650",
        "I don't want 2 dolo 650",
        "not 2 strips of dolo 650",
        "no dolo 650 please",
        "dolo 650 nahi chahiye",
        "I took 2 dolo 650 yesterday",
        "i am allergic to dolo 650",
        "dolo 650 gives me a rash",
        "how much is dolo 650",
        "is dolo 650 safe?",
    ],
)
def test_what_is_not_asked_for_is_not_on_a_card(message: str) -> None:
    assert basket(message) == []


def test_only_the_negated_medicine_is_left_out() -> None:
    assert basket("no dolo 650 please, only cetirizine") == [("MED005", 1)]
    assert basket("not dolo 650, crocin advance") == [("MED009", 1)]


@pytest.mark.parametrize(
    "message",
    [
        "dolo 650 for my mother",
        "my mother needs dolo 650",
        "maa ke liye dolo 650",
        "get dolo 650 for her",
        "dolo 650 for grandma",
        "dolo 650 for my 3 year old",
        "for a friend: dolo 650",
    ],
)
def test_for_somebody_else_nothing_is_sold(message: str) -> None:
    assert understand(message).intent == "for_someone_else"
    assert basket(message) == []


# Which of several variants


def test_of_several_variants_the_prescribed_one_is_taken() -> None:
    assert basket("metformin", prescribed=[METFORMIN_SR]) == [("MED036", 1)]


def test_of_several_variants_the_one_bought_last_is_taken() -> None:
    bought = {"MED001": "2026-01-01T00:00:00Z", "MED033": "2026-02-01T00:00:00Z"}

    assert basket("dolo", bought=bought) == [("MED033", 1)]


def test_a_prescription_outweighs_what_was_bought() -> None:
    bought = {"MED036": "2026-02-01T00:00:00Z"}

    assert basket("metformin", prescribed=[METFORMIN], bought=bought) == [("MED003", 1)]


def test_without_a_reason_for_one_of_them_the_patient_is_asked() -> None:
    decided = decide("2 dolo")

    assert decided.act == "say"
    assert decided.card is not None
    assert decided.card["type"] == "clarification"
    assert {option["product_id"] for option in decided.card["options"]} == {"MED001", "MED033"}


@pytest.mark.parametrize("answer", ["the first one", "first", "1", "1st"])
def test_an_option_is_chosen_by_its_place(answer: str) -> None:
    asked = decide("2 dolo")
    assert asked.card is not None
    first = asked.card["options"][0]["product_id"]

    assert basket(answer, state=asked.state) == [(first, 2)]


@pytest.mark.parametrize("answer", ["650", "650 mg", "dolo 650"])
def test_an_option_is_chosen_by_what_only_it_is_called(answer: str) -> None:
    assert basket(answer, state=decide("2 dolo").state) == [("MED001", 2)]


@pytest.mark.parametrize("answer", ["yes", "ok", "both", "neither", "no", "third", "7", "hmm"])
def test_an_answer_that_chooses_nothing_sells_nothing(answer: str) -> None:
    assert basket(answer, state=decide("2 dolo").state) == []


def test_a_combination_is_no_variant_of_its_single_ingredient() -> None:
    for message in ("ibuprofen", "paracetamol"):
        decided = decide(message)
        offered = {item["product_id"] for item in decided.items} | {
            option["product_id"] for option in (decided.card or {}).get("options", [])
        }
        assert offered
        assert COMBIFLAM.product_id not in offered


def test_a_strength_that_does_not_exist_is_asked_about() -> None:
    decided = decide("dolo 1000 mg")

    assert decided.act == "say"
    assert "no-such-strength" in [said.key for said in decided.said]


def test_an_unknown_medicine_is_said_to_be_unknown_and_the_rest_goes_on() -> None:
    decided = decide("2 strips of dolo 650, 1 strip of losec")

    assert [item["product_id"] for item in decided.items] == ["MED001"]
    assert "not-found" in [said.key for said in decided.said]


# Changing what is on the card


@pytest.mark.parametrize(
    ("message", "items"),
    [
        ("make it 3", [("MED001", 3)]),
        ("add cetirizine", [("MED001", 1), ("MED005", 1)]),
        ("also 2 cetirizine", [("MED001", 1), ("MED005", 2)]),
    ],
)
def test_a_card_is_changed_by_words(message: str, items: list[tuple[str, int]]) -> None:
    assert basket(message, proposed=[(DOLO_650, 1)]) == items


def test_what_is_taken_off_leaves_the_rest() -> None:
    on_the_card = [(DOLO_650, 1), (CETIRIZINE, 2)]

    assert basket("remove dolo 650", proposed=on_the_card) == [("MED005", 2)]
