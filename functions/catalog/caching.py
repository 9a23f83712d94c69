"""Conditional answers: whoever has a page keeps it, and asks each time whether it still holds.

The tag is over the content itself. A revision counted by the database would have to count expiries too, and
every sale would wait for the row it is counted in; the content costs a tenth of a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from fastapi import Response

# For everybody alike, since the catalogue is read as a guest; but stock and prices change at any time.
_KEEP_AND_ASK = "public, no-cache"


def answer(content: bytes, headers: Mapping[str, str], *, if_none_match: str | None) -> Response:
    """The JSON `content` with `headers`, or 304 without it when `if_none_match` names just that."""
    told = "\n".join(f"{name}: {value}" for name, value in sorted(headers.items()))
    digest = blake2b(told.encode() + b"\n\n" + content, digest_size=16).hexdigest()
    # Weak: the gateway may compress what we send.
    all_headers = {"Cache-Control": _KEEP_AND_ASK, **headers, "ETag": f'W/"{digest}"'}
    if if_none_match and _names(if_none_match, f'"{digest}"'):
        return Response(status_code=304, headers=all_headers)
    return Response(content, headers=all_headers, media_type="application/json")


def _names(if_none_match: str, tag: str) -> bool:
    """Whether the header names the tag, weakly or strongly, or anything at all (RFC 9110, 13.1.2)."""
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return "*" in named or tag in named
