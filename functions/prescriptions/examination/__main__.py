"""Looks at one file in a process of its own, so that a hostile one can take nothing down but this process.

    python -m functions.prescriptions.examination <content type> [--text] [--preview] < file

Answers one JSON line: {"refused": reason} or {"refused": null}; then another, if asked for: {"text": ...} of
a PDF, {"preview": base64 of a JPEG} of a picture. What goes wrong after the first line costs the second only.
"""

from __future__ import annotations

import base64
import json
import resource
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from functions.prescriptions.examination.kinds import Kind, Refused

MOST_MEMORY = 768 * 1024 * 1024
MOST_CPU_SECONDS = 8


def main(content_type: str, wanted: Collection[str]) -> None:
    _limit_resources()
    kind = next(kind for kind in Kind if kind.content_type == content_type)
    data = sys.stdin.buffer.read()
    try:
        further = _document(data) if kind is Kind.PDF else _picture(data, kind)
    except Refused as refusal:
        _answer({"refused": refusal.reason})
    except (MemoryError, RecursionError):
        _answer({"refused": "too_complex"})
    else:
        _answer({"refused": None})
        if ("--text" if kind is Kind.PDF else "--preview") in wanted:
            with suppress(Exception):
                _answer(further())


def _document(data: bytes) -> Callable[[], dict[str, Any]]:
    from functions.prescriptions.examination.documents import open_document, text_of

    document = open_document(data)
    return lambda: {"text": text_of(document)}


def _picture(data: bytes, kind: Kind) -> Callable[[], dict[str, Any]]:
    from functions.prescriptions.examination.pictures import decode, preview

    picture = decode(data, kind)
    return lambda: {"preview": base64.b64encode(preview(picture)).decode()}


def _answer(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _limit_resources() -> None:
    for limit, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS knows no limit of the address space
            resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
