"""Forgetting what is over its time: the database does it step by step, Storage removes the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from shared.database import Gateway
from shared.errors import NexusError
from shared.storage import Files

_RESERVE_SECONDS = 15
"""For one step that takes longer than those before."""
_ROWS = 1000
"""Of each kind in one step."""


class Outcome(NamedTuple):
    """What was forgotten, by kind; `finished`: nothing is left that is over its time."""

    finished: bool
    forgotten: dict[str, int]
    files_removed: int
    files_failed: int


def forget(database: Gateway, files: Files, seconds_left: Callable[[], float]) -> Outcome:
    """Go on until nothing is left or the time is nearly over; whatever is left waits for the next time.

    Raises Unavailable without the database. Files that Storage does not remove stay due.
    """
    forgotten: Counter[str] = Counter()
    removed = failed = 0
    more = True
    while more and seconds_left() > _RESERVE_SECONDS:
        step: dict[str, Any] = database.rpc("apply_retention", {"p_most": _ROWS})
        forgotten.update(step["forgotten"])
        gone = _remove(files, step["files"])
        if gone:
            database.rpc("files_removed", {"p_file_paths": gone})
        removed += len(gone)
        failed = len(step["files"]) - len(gone)
        more = bool(step["more"] or gone)
    return Outcome(not more and failed == 0, dict(forgotten), removed, failed)


def _remove(files: Files, paths: list[str]) -> list[str]:
    """Those that are gone, as far as Storage says; one that was not there is gone as well."""
    if not paths:
        return []
    try:
        files.remove(paths)
    except NexusError:
        return []
    return paths
