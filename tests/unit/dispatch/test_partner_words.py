"""What is said to the partner, and what is understood of its answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.dispatch.partner import body_of, pause_asked_for
from tests.unit.dispatch.events import event

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_a_webhook_is_its_type_its_time_and_its_data() -> None:
    assert json.loads(body_of(event(payload={"order_id": "ORD1", "items": []}))) == {
        "type": "order.confirmed",
        "timestamp": "2026-11-22T09:00:00+00:00",
        "data": {"order_id": "ORD1", "items": []},
    }


def test_every_attempt_says_the_same_bytes() -> None:
    first = event(attempt=1, lease_token="a", payload={"b": 1, "a": [2]})
    second = event(attempt=5, lease_token="b", payload={"a": [2], "b": 1})

    assert body_of(first) == body_of(second)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 30, None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0),
        ("Wed, 22 Nov 2026 10:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 15:31:00 +0530", 60),
    ],
)
def test_the_pause_a_partner_asks_for(header: str | None, seconds: float | None) -> None:
    assert pause_asked_for(header, NOW) == seconds


@given(st.text(max_size=60))
def test_any_words_at_all_are_no_pause_or_a_number_of_seconds(header: str) -> None:
    pause = pause_asked_for(header, NOW)

    assert pause is None or 0 <= pause < float("inf")
