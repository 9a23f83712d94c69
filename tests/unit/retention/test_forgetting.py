"""The retention job: step after step until nothing is left or the time is nearly over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.retention.service import forget
from shared.errors import Unavailable


class Records:
    """A database with so many conversations that are over their time, and files that are due."""

    def __init__(self, conversations: int = 0, files: Sequence[str] = ()) -> None:
        self.conversations = conversations
        self.files = list(files)
        self.calls: list[str] = []

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        self.calls.append(name)
        given = dict(arguments or {})
        if name == "files_removed":
            self.files = [path for path in self.files if path not in given["p_file_paths"]]
            return None
        taken = min(self.conversations, given["p_most"])
        self.conversations -= taken
        return {
            "forgotten": {"conversations": taken},
            "more": taken == given["p_most"],
            "files": self.files[:100],
        }


class Bucket:
    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.removed: list[str] = []

    def put(self, path: str, data: bytes, content_type: str) -> None:
        raise NotImplementedError

    def get(self, path: str, *, most_bytes: int) -> bytes:
        raise NotImplementedError

    def link(self, path: str, *, seconds: int) -> str:
        raise NotImplementedError

    def upload_link(self, path: str) -> str:
        raise NotImplementedError

    def remove(self, paths: Sequence[str]) -> None:
        if self.down:
            raise Unavailable
        self.removed += paths


def plenty() -> float:
    return 300


def test_with_nothing_over_its_time_one_call_is_enough() -> None:
    records = Records()

    outcome = forget(records, Bucket(), plenty)

    assert outcome.finished
    assert records.calls == ["apply_retention"]


def test_it_goes_on_until_nothing_is_left() -> None:
    records, bucket = Records(2500, [f"PAT001/{number}" for number in range(250)]), Bucket()

    outcome = forget(records, bucket, plenty)

    assert outcome.finished
    assert outcome.forgotten == {"conversations": 2500}
    assert outcome.files_removed == len(bucket.removed) == 250
    assert (records.conversations, records.files) == (0, [])


def test_it_stops_before_its_time_is_over() -> None:
    left = iter([300.0, 14.0])
    records = Records(2500)

    outcome = forget(records, Bucket(), lambda: next(left))

    assert not outcome.finished
    assert records.conversations == 1500


def test_files_that_storage_does_not_remove_stay_due_and_hold_nothing_up() -> None:
    records = Records(2500, ["PAT001/a"])

    outcome = forget(records, Bucket(down=True), plenty)

    assert not outcome.finished
    assert (outcome.files_removed, outcome.files_failed) == (0, 1)
    assert records.files == ["PAT001/a"]
    assert records.conversations == 0
