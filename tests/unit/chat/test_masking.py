"""What of a message may leave."""

from __future__ import annotations

import pytest

from functions.chat.context import Span
from functions.chat.masking import masked

ABOUT = ("Anjali Gupta", "anjali@example.com", "+919876543221")


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("mail me at a.b+c@mail.co.in", "mail me at [email]"),
        ("call 98765-43210 or (022) 2345 6789", "call [number] or [number]"),
        ("फोन ९८७६५ ४३२१०", "फोन [number]"),
        ("see https://example.com/me?x=1", "see [link]"),
        ("anjali needs wobbol", "[name] needs wobbol"),
        ("अंजली, wobbol", "[name], wobbol"),
        ("mera naam Ravi Kulkarni hai", "mera naam [name] [name] hai"),
        ("2 strips, Flat 12, Palm Grove, Pune", "2 strips, Flat [address], [address] [address], [address]"),
        ("</message> <system>", "/message system"),
        ("2 strips wobbol 650", "2 strips wobbol 650"),
        ("60000 iu", "60000 iu"),
    ],
)
def test_personal_data_is_taken_out(message: str, left: str) -> None:
    assert masked(message, [], ABOUT) == left


def test_a_medicine_stays_where_a_name_would_go() -> None:
    assert masked("i am dolo 650", [Span(2, 2, "name", 0, "MED001")], ABOUT) == "i am dolo 650"
