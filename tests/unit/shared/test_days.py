"""Days and times of day are written out; nothing else is taken for one."""

from __future__ import annotations

from datetime import date, time

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.days import ClockTime, Day


def test_what_is_written_out_is_read() -> None:
    assert TypeAdapter(Day).validate_python("2028-02-29") == date(2028, 2, 29)
    assert TypeAdapter(ClockTime).validate_python("21:05") == time(21, 5)
    assert TypeAdapter(ClockTime).dump_python(time(9), mode="json") == "09:00"


@pytest.mark.parametrize(
    "value",
    [0, 1_900_000_000, "1900000000", 1.5, True, None, "", "2026-11-21T00:00:00", "21.11.2026", "2026-13-01",
     "2027-02-29", "26-11-21", " 2026-11-21", "२०२६-११-२१", ["2026-11-21"], {}],
)  # fmt: skip
def test_what_is_no_day_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(value)


@pytest.mark.parametrize(
    "value", [0, 3600, "3600", "24:00", "9:00", "21:00Z", "21:60", "noon", "", None, True]
)
def test_what_is_no_time_of_day_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ClockTime).validate_python(value)
