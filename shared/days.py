"""Days and times of day as people write them: pydantic alone takes a number for seconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DAY = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"


def _written_as(pattern: str, example: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, date | time):
            return value
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"must be written as {example}")
        return value

    return check


Day = Annotated[
    date,
    BeforeValidator(_written_as(_DAY, "2026-11-21")),
    WithJsonSchema({"type": "string", "format": "date", "pattern": _DAY, "examples": ["2026-11-21"]}),
]

ClockTime = Annotated[
    time,
    BeforeValidator(_written_as(_CLOCK, "21:00")),
    PlainSerializer(lambda moment: moment.strftime("%H:%M"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": _CLOCK, "examples": ["21:00"]}),
]
"""To the minute, without a time zone."""
