"""Sending the requests that the document describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tests.contract.document import Json, Operation
from tests.specimens import picture

PAGE = ("prescription.png", picture(), "image/png")


def send(
    client: httpx.Client,
    operation: Operation,
    ids: Mapping[str, str] | None = None,
    *,
    body: Json | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """The operation's example request, with `ids` in its path and the members of `body` in its body."""
    return client.request(
        operation.method, operation.address(ids or {}), headers=headers, **_content(operation, body)
    )


def _content(operation: Operation, changes: Json | None) -> dict[str, Any]:
    if operation.media_type is None:
        return {}
    example = operation.body()
    if isinstance(example, dict):
        example |= changes or {}
    if operation.media_type == "multipart/form-data":
        parts = {name: PAGE if value == "" else (None, value) for name, value in example.items()}
        return {"files": parts}
    return {"json": example}
