"""The warehouse partner: one signed POST an event, to one address, within one deadline."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property

import httpx

from functions.dispatch.addresses import ForbiddenAddress, Resolver, reachable_address, resolve
from functions.dispatch.events import Attempt, Event
from shared import correlation
from shared.webhooks import Signatures

_MOST_OF_AN_ANSWER = 16 * 1024
"""Bytes that are read of an answer, only to keep the connection. Nothing in it matters but the status."""


class Partner:
    """Delivers events. `authorities` replaces the public ones that certificates are checked with. Every
    attempt of one event carries the same id and the same body, so that the partner can tell a repetition; the
    signature and its timestamp are new.
    """

    def __init__(
        self,
        *,
        url: str,
        signatures: Signatures,
        timeout_seconds: float,
        on_laptop: bool = False,
        authorities: ssl.SSLContext | None = None,
        resolver: Resolver = resolve,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = httpx.URL(url)
        self._signatures = signatures
        self._timeout_seconds = timeout_seconds
        self._on_laptop = on_laptop
        self._authorities = authorities
        self._resolver = resolver
        self._clock = clock

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        """Made when it is first needed: reading the system's certificates takes a while."""
        return httpx.AsyncClient(
            timeout=self._timeout_seconds,
            verify=self._authorities or True,
            follow_redirects=False,
            trust_env=False,  # a proxy would connect wherever it likes
            headers={"User-Agent": "nexus-pharmacy", "Accept-Encoding": "identity"},
        )

    async def deliver(self, event: Event) -> Attempt:
        """Never raises: whatever happens is how the attempt ended."""
        started = time.monotonic()
        status: int | None = None
        retry_after: float | None = None
        error: str | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, retry_after = await self._post(event)
            error = None if 200 <= status < 300 else f"HTTP {status}"
        except TimeoutError:
            error = "timeout"
        except ForbiddenAddress:
            error = "forbidden address"
        except Exception as failure:  # the partner may answer anything at all
            error = type(failure).__name__
        log = {"http_status": status, "ms": round((time.monotonic() - started) * 1000)}
        return Attempt(delivered=error is None, error=error, retry_after=retry_after, log=log)

    async def _post(self, event: Event) -> tuple[int, float | None]:
        host = self._url.host
        if self._url.scheme != "https" and not (self._on_laptop and self._url.scheme == "http"):
            raise ForbiddenAddress
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        address = await reachable_address(
            host, port, loopback_allowed=self._on_laptop, resolver=self._resolver
        )
        body = body_of(event)
        request = self._client.build_request(
            "POST",
            self._url.copy_with(host=address),
            content=body,
            headers={
                "Host": self._url.netloc.decode("ascii"),
                "Content-Type": "application/json",
                correlation.HEADER: event.correlation_id,
                **self._signatures.sign(event.event_id, self._clock(), body),
            },
            extensions={"sni_hostname": host},
        )
        response = await self._client.send(request, stream=True)
        try:
            read = 0
            async for chunk in response.aiter_raw():
                read += len(chunk)
                if read > _MOST_OF_AN_ANSWER:
                    break
        finally:
            await response.aclose()
        return response.status_code, pause_asked_for(response.headers.get("retry-after"), self._clock())


def body_of(event: Event) -> bytes:
    """The webhook's body, the same bytes for every attempt."""
    content = {"type": event.event_type, "timestamp": event.created_at.isoformat(), "data": event.payload}
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def pause_asked_for(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for, as a number or as a date; None for anything else."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header.strip()):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
