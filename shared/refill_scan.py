"""Driving a refill scan, slice by slice: the database keeps how far it has got, this keeps the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

RESERVE_SECONDS = 5
"""Left for what comes after the last slice, and for one slice that takes longer than those before."""


class Progress(NamedTuple):
    """Where a scan stands: `running` when there is more to do, `idle` when the day's scan is done already."""

    state: Literal["running", "finished", "idle"]
    scan_id: int | None = None
    stage: str | None = None
    scanned: int = 0
    """Patients whose supplies were worked out."""
    alerts_created: int = 0
    alerts_closed: int = 0
    reminders: int = 0
    failures: int = 0
    """Patients who had to be left out."""


Step = Callable[[int | None], Any]
"""Does the next slice of the scan with this id (None: of whichever is under way) and returns its progress."""


def run_scan(step: Step, seconds_left: Callable[[], float]) -> Progress:
    """Go on until the scan is finished or the time is nearly over. Whoever comes next goes on from there."""
    progress = Progress("running")
    longest = 0.0
    while progress.state == "running" and seconds_left() > RESERVE_SECONDS + 2 * longest:
        started = time.monotonic()
        progress = Progress(**step(progress.scan_id))
        longest = max(longest, time.monotonic() - started)
    return progress
