"""What certificates are checked with, loaded once a process: reading all authorities takes a while."""

from __future__ import annotations

import ssl
from functools import lru_cache


def verification(url: str) -> ssl.SSLContext | bool:
    """For the `verify` of an HTTP client that will only ever talk to `url`."""
    return _authorities() if url.startswith("https:") else False  # without TLS there is nothing to check


@lru_cache(maxsize=1)
def _authorities() -> ssl.SSLContext:
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
