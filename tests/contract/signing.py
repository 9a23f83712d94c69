"""Makes Schemathesis the partner: every request is signed as it leaves, whatever is in it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import requests
import schemathesis
from requests.auth import AuthBase

from shared.webhooks import Signatures


class Signed(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        content = body if isinstance(body, bytes) else str(body).encode()
        try:
            signatures = Signatures([os.environ["NEXUS_PARTNER_SECRET"]])
            request.headers.update(signatures.sign(f"msg_{uuid4()}", datetime.now(UTC), content))
        except UnicodeDecodeError:
            pass  # bytes that are no text cannot be signed; they go as they are
        return request


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    kwargs["auth"] = Signed()
