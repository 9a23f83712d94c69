"""The scanning loop: until the scan is finished or the time is nearly over, in slices that fit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from functions.refill_scan.service import scan
from shared.errors import NexusError, Unavailable
from shared.refill_scan import RESERVE_SECONDS, Progress

RUNNING: dict[str, Any] = {
    "state": "running",
    "scan_id": 7,
    "stage": "alerts",
    "scanned": 10,
    "alerts_created": 2,
    "alerts_closed": 1,
    "reminders": 0,
    "failures": 0,
}
FINISHED = {**RUNNING, "state": "finished", "stage": "reminders"}


class Clock:
    """Time passes only when something takes it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Records:
    """A database that needs so many seconds a patient and has this much to do."""

    def __init__(self, clock: Clock, answers: list[Any], *, seconds: float = 0.0) -> None:
        self._clock = clock
        self._answers = answers
        self._seconds = seconds
        self.asked: list[dict[str, Any]] = []

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        assert name == "advance_refill_scan"
        self.asked.append(dict(arguments or {}))
        self._clock.now += self._seconds * self.asked[-1]["p_patients"]
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sizes(self, stage: str = "p_patients") -> list[int]:
        return [each[stage] for each in self.asked]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    return clock


def scanned(records: Records, clock: Clock, *, limit: float = 300) -> Progress:
    return scan(records, start="if_due", seconds_left=lambda: limit - clock.now)


def test_it_goes_on_with_the_same_scan_to_its_end(clock: Clock) -> None:
    records = Records(clock, [RUNNING, RUNNING, FINISHED])
    assert scanned(records, clock).state == "finished"
    assert [each["p_scan_id"] for each in records.asked] == [None, 7, 7]


def test_with_nothing_to_do_it_asks_once(clock: Clock) -> None:
    records = Records(clock, [{"state": "idle"}])
    assert scanned(records, clock) == Progress("idle")
    assert len(records.asked) == 1


def test_it_stops_before_the_time_is_over(clock: Clock) -> None:
    records = Records(clock, [RUNNING], seconds=0.0005)
    assert scanned(records, clock, limit=30).state == "running"
    assert clock.now < 30 - RESERVE_SECONDS
    assert clock.now > 15


def test_without_time_it_does_not_begin(clock: Clock) -> None:
    records = Records(clock, [RUNNING])
    assert scanned(records, clock, limit=RESERVE_SECONDS).state == "running"
    assert records.asked == []


def test_quick_slices_grow(clock: Clock) -> None:
    records = Records(clock, [RUNNING, RUNNING, RUNNING, RUNNING, FINISHED], seconds=0.00001)
    scanned(records, clock)
    assert records.sizes() == [2_000, 4_000, 8_000, 10_000, 10_000]


def test_slow_slices_shrink(clock: Clock) -> None:
    records = Records(clock, [RUNNING, RUNNING, RUNNING, FINISHED], seconds=0.003)
    scanned(records, clock)
    assert records.sizes() == [2_000, 1_000, 500, 500]


def test_reminders_have_a_size_of_their_own(clock: Clock) -> None:
    records = Records(clock, [{**RUNNING, "stage": "reminders"}, FINISHED])
    scanned(records, clock)
    assert records.sizes("p_reminders") == [100, 200]
    assert records.sizes() == [2_000, 2_000]


def test_what_the_database_does_not_manage_in_time_is_asked_for_in_smaller_slices(clock: Clock) -> None:
    records = Records(clock, [Unavailable(), RUNNING, FINISHED])
    assert scanned(records, clock).state == "finished"
    assert records.sizes()[:2] == [2_000, 500]


def test_a_database_that_is_down_ends_the_attempt(clock: Clock) -> None:
    records = Records(clock, [Unavailable()])
    with pytest.raises(Unavailable):
        scanned(records, clock)
    assert len(records.asked) == 3


def test_any_other_error_is_not_tried_again(clock: Clock) -> None:
    records = Records(clock, [NexusError()])
    with pytest.raises(NexusError):
        scanned(records, clock)
    assert len(records.asked) == 1


def test_no_web_framework_is_loaded() -> None:
    """Asked of a process of its own, with the settings that the function gets."""
    asked = subprocess.run(
        [
            sys.executable,
            "-c",
            "import functions.refill_scan.handler, sys; "
            "print(sorted({'fastapi', 'starlette', 'mangum', 'boto3'} & set(sys.modules)))",
        ],
        env={"SUPABASE_URL": "http://127.0.0.1:9", "SUPABASE_SECRET_KEY": "sb_secret_test", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.strip() == "[]"
