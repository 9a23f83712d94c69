"""The words of notifications: three languages, nothing missing, nothing about health on a locked screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from functions.dispatch.wording import LANGUAGES, render

MIGRATIONS = Path(__file__).parents[3] / "migrations"
MEDICINE = "Metformin 500mg"
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "order.confirmed": [{"order_id": "ORD1042"}],
    "order.shipped": [{"order_id": "ORD1042"}, {"order_id": "ORD1042", "tracking_number": "TRK-77"}],
    "order.delivered": [{"order_id": "ORD1042", "tracking_number": "TRK-77"}],
    "order.failed": [{"order_id": "ORD1042", "retrying": True}, {"order_id": "ORD1042", "retrying": False}],
    "order.cancelled": [{"order_id": "ORD1042"}],
    "prescription.verified": [{"prescription_id": "RX012"}],
    "prescription.rejected": [{"prescription_id": "RX012"}],
    "refill.due": [
        {"product": MEDICINE, "days_left": days, "advice": advice}
        for days in (-2, 0, 1, 7)
        for advice in ("reorder", "renew", "upload", "ask_pharmacist", "out_of_stock")
    ],
}
ALL = [
    pytest.param(kind, language, arguments, id=f"{language} {kind} {place}")
    for kind, variants in ARGUMENTS.items()
    for place, arguments in enumerate(variants)
    for language in LANGUAGES
]


def kinds_in_the_database() -> set[str]:
    found: set[str] = set()
    for migration in MIGRATIONS.glob("*.sql"):
        for values in re.findall(
            r"insert into public\.notification_kinds[^;]*?values(.*?);", migration.read_text(), re.DOTALL
        ):
            found |= set(re.findall(r"\(\s*'([a-z.]+)'", values))
    return found


def test_every_kind_has_words() -> None:
    assert kinds_in_the_database() == set(ARGUMENTS)


@pytest.mark.parametrize(("kind", "language", "arguments"), ALL)
def test_a_message_is_whole_and_in_its_own_script(
    kind: str, language: str, arguments: dict[str, Any]
) -> None:
    message = render(kind, language, arguments)

    for text in (message.title, message.line, message.footer):
        assert text
        assert bool(re.search("[\u0900-\u097f]", text)) == (language != "en")
    whole = f"{message.title} {message.line} {message.details}"
    assert not re.search(r"[{}]|\?\?\?|None", whole)
    assert "  " not in whole.strip()
    for value in arguments.values():
        if isinstance(value, str) and value.isupper():
            assert value in whole or kind == "order.delivered"


@pytest.mark.parametrize(("kind", "language", "arguments"), ALL)
def test_what_may_light_up_on_a_locked_screen_says_nothing_about_health(
    kind: str, language: str, arguments: dict[str, Any]
) -> None:
    message = render(kind, language, arguments)
    seen = f"{message.title} {message.line}".casefold()

    for word in (MEDICINE, "medicine", "prescription", "दवा", "पर्चा", "औषध", "प्रिस्क्रिप्शन", "refill"):
        assert word.casefold() not in seen


def test_a_failed_delivery_says_what_comes_next() -> None:
    again = render("order.failed", "en", {"order_id": "ORD1", "retrying": True}).line
    ends = render("order.failed", "en", {"order_id": "ORD1", "retrying": False}).line

    assert "trying again" in again
    assert "trying again" not in ends
    assert "cancel" in again
    assert "cancel" in ends


def test_a_kind_without_words_and_a_missing_argument_are_errors() -> None:
    with pytest.raises((KeyError, LookupError)):
        render("order.lost", "en", {})
    with pytest.raises(KeyError):
        render("order.confirmed", "en", {})


def test_a_language_we_do_not_have_is_english() -> None:
    assert render("order.confirmed", "ta", {"order_id": "ORD1"}).line.startswith("Your order")
