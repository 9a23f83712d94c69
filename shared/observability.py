"""Structured logs that never carry personal data.

One JSON object a line (Powertools). What may be said is decided here, once, for every function:
values under personal keys are dropped, what looks like an e-mail address, a phone number or a token is
replaced anywhere in a line, and an exception is logged as its type and the places it passed through,
because its own words may quote a patient.
"""

from __future__ import annotations

import logging
import re
import traceback
import uuid
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

MASK = "***"

_PERSONAL_KEYS = frozenset(
    {"name", "patient_name", "phone", "email", "address", "age", "gender", "allergies", "conditions"}
    | {"token", "access_token", "refresh_token", "authorization", "cookie", "password"}
    | {"text", "reply", "query", "search", "body"}
)
_EMAIL = re.compile(r"[^\s@\"'<>()=]+@[^\s@\"'<>()=]+\.[^\s@\"'<>()=,;]+")
_TOKEN = re.compile(r"eyJ[\w-]*\.[\w-]*(?:\.[\w-]*)?|\bsb_(?:secret|publishable)_\w+|(?i:bearer)\s+\S+")
_PHONE = re.compile(r"(?<![\w-])\+?\d(?:[ -]?\d){9,14}(?![\w-])")
_OURS = re.compile(r"(^|/)(functions|shared)/(?!.*site-packages)")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{7,99}")


def mask(value: Any, key: str = "") -> Any:
    """A copy of a log value without personal data; containers are walked, other types kept."""
    if key.lower() in _PERSONAL_KEYS:
        return MASK
    if isinstance(value, str):
        for pattern in (_TOKEN, _EMAIL, _PHONE):
            value = pattern.sub(MASK, value)
        return value
    if isinstance(value, Mapping):
        return {name: mask(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [mask(inner) for inner in value]
    return value


class MaskingFormatter(LambdaPowertoolsFormatter):
    """Powertools' JSON lines, masked."""

    def __init__(self) -> None:
        super().__init__(utc=True, use_rfc3339=True, serialize_stacktrace=False)

    def serialize(self, log: Any) -> str:
        # Powertools' own stamps look like phone numbers to nobody but a regular expression.
        stamps = {key: log[key] for key in ("timestamp", "correlation_id") if key in log}
        return super().serialize({**mask(log), **stamps})

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's name)
        """Types, codes and places of an exception and its causes: our frames, and where each was raised."""
        lines: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in frames[:-1] if _OURS.search(frame.filename)]
            lines.append(" ".join(filter(None, [type(error).__name__, getattr(error, "code", None)])))
            lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in [*ours, *frames[-1:]]]
            error = error.__cause__ or error.__context__
        return "\n".join(lines)


def make_logger(function: str, level: str) -> Logger:
    """The logger of one function. Names of Python loggers below it stay at WARNING: they quote addresses."""
    logger = Logger(service=function, level=level, logger_formatter=MaskingFormatter())
    for chatty in ("httpx", "httpcore", "mangum"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return logger


def request_id_from(header: str | None) -> str:
    """The caller's request id when it is one we can safely repeat, else a new one."""
    return header if header and _REQUEST_ID.fullmatch(header) else str(uuid.uuid4())
