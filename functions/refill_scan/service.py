"""The refill scan: asks the database for one slice after the other, in a size that it manages quickly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from shared.database import Gateway
from shared.errors import Unavailable
from shared.refill_scan import Progress, run_scan

Start = Literal["if_due", "now"]

_QUICK_SECONDS, _SLOW_SECONDS = 0.5, 2.0
_MOST_PATIENTS, _MOST_REMINDERS = 10_000, 1_000
_ATTEMPTS = 3


def scan(database: Gateway, *, start: Start, seconds_left: Callable[[], float]) -> Progress:
    """Scan until everything is done or the time is nearly over.

    Raises Unavailable when the database does not manage a slice, however small; what is done stays done.
    """
    return run_scan(_Slices(database, start), seconds_left)


class _Slices:
    """Slices that grow while they are quick and shrink when they are slow, each stage by itself."""

    def __init__(self, database: Gateway, start: Start) -> None:
        self._database = database
        self._start = start
        self._patients = 2_000
        self._reminders = 100

    def __call__(self, scan_id: int | None) -> Any:
        for attempt in range(1, _ATTEMPTS + 1):
            started = time.monotonic()
            try:
                progress = self._database.rpc(
                    "advance_refill_scan",
                    {
                        "p_start": self._start,
                        "p_scan_id": scan_id,
                        "p_patients": self._patients,
                        "p_reminders": self._reminders,
                    },
                )
            except Unavailable:
                if attempt == _ATTEMPTS:
                    raise
                # It may still be at it: the next one waits for it and then does the slice after.
                self._resize(0.25)
            else:
                self._adapt(time.monotonic() - started, progress.get("stage"))
                return progress
        raise AssertionError("the last attempt returns or raises")

    def _adapt(self, seconds: float, stage: str | None) -> None:
        factor = 2 if seconds < _QUICK_SECONDS else 0.5 if seconds > _SLOW_SECONDS else 1
        if stage == "alerts":
            self._patients = _within(_MOST_PATIENTS, self._patients * factor)
        else:
            self._reminders = _within(_MOST_REMINDERS, self._reminders * factor)

    def _resize(self, factor: float) -> None:
        self._patients = _within(_MOST_PATIENTS, self._patients * factor)
        self._reminders = _within(_MOST_REMINDERS, self._reminders * factor)


def _within(most: int, wanted: float) -> int:
    return max(1, min(most, int(wanted)))
