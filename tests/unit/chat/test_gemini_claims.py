"""What of a model's claim is believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from functions.chat.context import TurnContext
from functions.chat.understanding.choosing import LEXICAL, Interpreters, believe
from functions.chat.understanding.gemini import Claim
from functions.chat.understanding.interpretation import Interpretation, Quantity
from functions.chat.understanding.lexical import interpret
from functions.chat.understanding.words import Word, split
from tests.unit.chat.small_shelf import context_for


def believed(message: str, intent: str, *medicines: dict[str, Any]) -> Interpretation:
    words, context = split(message), context_for(message)
    claim = Claim.model_validate({"intent": intent, "medicines": medicines})

    def look_up(corrected: Sequence[Word]) -> TurnContext:
        return context_for(" ".join(word.text for word in corrected))

    return believe(claim, words, interpret(words, context), context, look_up)[0]


def dolo(**more: Any) -> dict[str, Any]:
    return {"said": "dolo 650", "name": "Dolo 650", **more}


def test_what_the_catalogue_heard_keeps_its_products() -> None:
    [mention] = believed("dolo 650 zorbly", "order", {"said": "dolo 650", "name": "Crocin"}).mentions

    assert mention.candidates == ("MED001",)


def test_what_only_the_model_heard_is_a_guess_in_the_patients_words() -> None:
    [mention] = believed("i want wobbol", "order", {"said": "wobbol", "name": "Crocin"}).mentions

    assert (mention.said, mention.candidates, mention.is_guess) == ("wobbol", ("MED009",), True)


@pytest.mark.parametrize("said", ["crocin", "please", "", "2", "strips please"])
def test_a_medicine_that_quotes_no_name_of_the_message_counts_for_nothing(said: str) -> None:
    understood = believed("2 strips please, blorp", "order", {"said": said, "name": "Crocin"})

    assert all(not mention.candidates for mention in understood.mentions)


def test_a_number_that_was_said_counts() -> None:
    [mention] = believed("dolo 650 blorp gimme 3", "order", dolo(amount=3)).mentions

    assert mention.quantity == Quantity(3)


@pytest.mark.parametrize("amount", [7, 1, 9999])
def test_a_number_that_nobody_said_becomes_a_question(amount: int) -> None:
    [mention] = believed("dolo 650 blorp", "order", dolo(amount=amount)).mentions

    assert mention.quantity == Quantity(None)


def test_two_readings_of_a_number_become_a_question() -> None:
    [mention] = believed("2 strips dolo 650 blorp 3", "order", dolo(amount=3)).mentions

    assert mention.quantity == Quantity(None)


def test_a_strength_that_nobody_said_does_not_count() -> None:
    [mention] = believed(
        "dolo blorp", "order", {"said": "dolo", "name": "Dolo 500", "strength": "500"}
    ).mentions

    assert mention.strength is None


@pytest.mark.parametrize("message", ["can i take dolo 650 with blorp", "how much is dolo 650 blorp"])
def test_a_question_does_not_become_an_order(message: str) -> None:
    assert believed(message, "order", dolo()).intent != "order"


def test_a_red_flag_stops_whatever_was_heard() -> None:
    assert believed("dolo 650 blorp", "red_flag", dolo()) == Interpretation("red_flag")


def test_without_a_model_nothing_is_asked() -> None:
    assert LEXICAL.wanted(Interpretation("unclear", confidence=0), context_for("blorp")) is None
    assert Interpreters("gemini").wanted(Interpretation("order"), context_for("dolo")) is None
