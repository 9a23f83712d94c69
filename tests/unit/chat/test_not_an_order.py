"""A medicine that is named is not yet ordered: told of, left open, of somebody else, refused."""

from __future__ import annotations

import pytest

from tests.unit.chat.small_shelf import decide, understand


@pytest.mark.parametrize(
    "message",
    [
        "the crocin in my flat stopped working",
        "mere paas crocin padi hai ghar me",
        "I already picked up crocin from the shop downstairs",
        "I'll be buying crocin next month, not today",
        "please never send me crocin again",
    ],
)
def test_what_is_only_spoken_of_is_not_proposed(message: str) -> None:
    assert decide(message).act != "propose"


def test_a_name_among_other_words_is_asked_about() -> None:
    [question, *_] = decide("the ibuprofen box fell behind the fridge").said
    assert question.key == "is-it-wanted"


@pytest.mark.parametrize(
    "message", ["ibuprofen", "ibuprofen please", "ibuprofen, I am 24 if that matters", "2 ibuprofen"]
)
def test_a_name_and_the_language_around_it_is_an_order(message: str) -> None:
    assert decide(message).act == "propose"


@pytest.mark.parametrize(
    "message",
    ["ibuprofen or cetirizine", "ibuprofen ya cetirizine bhej do", "ibuprofen kinva cetirizine pathva"],
)
def test_one_or_the_other_is_asked_about(message: str) -> None:
    assert [len(mention.candidates) for mention in understand(message).mentions] == [2]
    assert decide(message).act == "say"


@pytest.mark.parametrize(
    "message",
    [
        "aajobansathi ibuprofen",
        "शेजारच्या काकूंना ibuprofen द्या",
        "त्यांच्यासाठी ibuprofen द्या",
        "my niece needs ibuprofen",
    ],
)
def test_for_a_relative_in_any_case_nothing_is_proposed(message: str) -> None:
    assert understand(message).intent == "for_someone_else"


@pytest.mark.parametrize(
    "message",
    [
        "mala ibuprofen he dolyat takayche nahi, potasathi ek strip dya",  # "he" is the Marathi "this"
        "मला स्वतःला ibuprofen पाहिजे",
    ],
)
def test_words_that_look_like_somebody_else_are_not(message: str) -> None:
    assert understand(message).intent != "for_someone_else"


@pytest.mark.parametrize(
    ("message", "packs"),
    [
        ("ibuprofen ek nahi, do strips", 2),
        ("two strips of ibuprofen, no wait, three strips", 3),
        ("three, no make that two, strips of ibuprofen", 2),
        ("bara, ibuprofen ek dya", 1),
        ("ibuprofen ki dedh darjan strip", 18),
    ],
)
def test_a_number_that_is_taken_back_or_only_sounds_like_one_counts_nothing(message: str, packs: int) -> None:
    [mention] = understand(message).mentions
    assert mention.quantity is not None
    assert (mention.quantity.of, mention.quantity.amount) == ("packs", packs)


def test_pieces_of_tablets_are_asked_about() -> None:
    [question] = decide("10 pieces of ibuprofen").said
    assert question.key == "how-many"
