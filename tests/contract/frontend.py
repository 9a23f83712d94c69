"""What the built frontend does and reads, as far as a browser lets it.

It keeps nothing but cookies, never sends a token, and its requests come from a page of ours. What it reads is
told field by field: a `Shape` says of each which kind it must be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx

from tests.running_stack import RunningStack

PAGE = "http://localhost:3001"
"""Where the frontend's pages come from."""

Kind = Callable[[Any], bool]
Shape = Mapping[str, Kind]


class Frontend:
    """One browser with the frontend open. Use it in a `with`."""

    def __init__(self, stack: RunningStack) -> None:
        self._http = stack.api()

    def __enter__(self) -> Frontend:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._http.cookies

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self._http.get(path, params=query)  # a page's own GET carries no Origin

    def post(self, path: str, body: Any) -> httpx.Response:
        return self._http.post(path, json=body, headers={"Origin": PAGE})

    def put(self, path: str, body: Any) -> httpx.Response:
        return self._http.put(path, json=body, headers={"Origin": PAGE})

    def upload(self, path: str, file: tuple[str, bytes, str], **fields: str) -> httpx.Response:
        """A form as FormData sends it: the file first, then the fields."""
        parts: list[tuple[str, Any]] = [("file", file)]
        parts += [(name, (None, value)) for name, value in fields.items()]
        return self._http.post(path, files=parts, headers={"Origin": PAGE})


def read(answer: httpx.Response) -> Any:
    """The JSON of an answer, with decimals as they were written."""
    return json.loads(answer.text, parse_float=Decimal)


def text(value: Any) -> bool:
    return isinstance(value, str)


def filled(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def whole(value: Any) -> bool:
    return type(value) is int


def flag(value: Any) -> bool:
    return type(value) is bool


def money(value: Any) -> bool:
    """A JSON number, never a string, with at most two decimals."""
    if type(value) is int:
        return True
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else None
    return isinstance(exponent, int) and exponent >= -2


def moment(value: Any) -> bool:
    """A time in UTC as JavaScript's Date reads it."""
    return (
        isinstance(value, str)
        and value.endswith(("Z", "+00:00"))
        and datetime.fromisoformat(value).tzinfo is not None
    )


def day(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))


def texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(text, value))


def rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def one_of(*words: str) -> Kind:
    return lambda value: value in words


def or_null(kind: Kind) -> Kind:
    return lambda value: value is None or kind(value)


def wrong_in(value: Any, shape: Shape) -> list[str]:
    """What a page that reads this shape would stumble over: nothing, when the list is empty."""
    if not isinstance(value, dict):
        return [f"not an object but {value!r}"]
    return [
        f"{name} is missing" if name not in value else f"{name} is {value[name]!r}"
        for name, kind in shape.items()
        if name not in value or not kind(value[name])
    ]
