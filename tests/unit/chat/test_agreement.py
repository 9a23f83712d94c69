"""A yes is only an unmistakable one, whatever stands around it."""

from __future__ import annotations

import pytest

from tests.unit.chat.small_shelf import PRODUCTS, understand

CARD = [(PRODUCTS[0], 2)]


@pytest.mark.parametrize(
    "message",
    [
        "yup go for it",
        "haan pata hai, bhej do",
        "theek hai phir confirm",
        "haan beta wahi bhej do bhagwan bhala kare",
        "हो द्या पाठवून",
        "that's the one, place it",
        "Yes go ahead. Please deliver after 6 pm",
        "yes confirm the dolo 650",
    ],
)
def test_it_confirms(message: str) -> None:
    assert understand(message, proposed=CARD).intent == "confirm"


@pytest.mark.parametrize(
    "message",
    [
        "ok bye",
        "yes but tomorrow",
        "haan lekin kal bhejna",
        "acha do kar do",
        "yes, for my brother",
        "haan jab doctor bole tab bhej do",
        "ok how much is it",
        "yes and also crocin",
        "confirm nahi karna",
        "yes my head hurts",
        "ok send the bill first",
    ],
)
def test_it_does_not_confirm(message: str) -> None:
    assert understand(message, proposed=CARD).intent != "confirm"


@pytest.mark.parametrize("message", ["दो नहीं, चार कर दो", "2 nahi 4 kar do", "not 2, 4", "double it"])
def test_a_number_beside_a_no_is_another_number(message: str) -> None:
    read = understand(message, proposed=CARD)
    assert read.intent == "change_quantity"
    assert (read.factor or (read.quantity.amount if read.quantity else None)) in (2, 4)


@pytest.mark.parametrize(
    ("message", "is_red_flag"),
    [
        ("stroke of luck that you're open", False),
        ("had a stroke two years back, ecosprin please", False),
        ("dying for some strepsils", False),
        ("he is having a stroke", True),
        ("to not wake up how many do i take", True),
        ("neend ki 20 goliyan ek saath le li", True),
        ("तोंड वाकडं झालंय आणि हात हलत नाही", True),
    ],
)
def test_an_emergency_is_told_from_a_figure_of_speech(message: str, is_red_flag: bool) -> None:
    assert (understand(message).intent == "red_flag") is is_red_flag
