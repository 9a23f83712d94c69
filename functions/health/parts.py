"""Asking the parts beside the database whether they are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import httpx

from functions.health.service import Probe
from shared.circuit import Circuit
from shared.database import REST_SECONDS
from shared.outbox import sqs_client
from shared.settings import Settings

_PATIENCE_SECONDS = 2


def part_probes(settings: Settings) -> Mapping[str, Probe | None]:
    """A probe of each part; None for what is not configured."""
    url, key = settings.supabase_url, settings.supabase_publishable_key
    return {
        "auth": _guarded("auth", lambda: _ask(f"{url}/auth/v1/settings", key)),
        "storage": _guarded("storage", lambda: _ask(f"{url}/storage/v1/bucket", key)),
        "queue": queue_probe(settings),
    }


def queue_probe(settings: Settings) -> Probe | None:
    """A probe of the configured queue; None without one."""
    if settings.outbox_queue_url is None:
        return None
    return _guarded(
        "queue",
        lambda: sqs_client(settings.aws_endpoint_url_sqs).get_queue_attributes(
            QueueUrl=settings.outbox_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        ),
    )


def _ask(url: str, key: str) -> None:
    """Any answer but a failure shows that somebody is there, a refusal too."""
    answer = _client().get(url, headers={"apikey": key})
    if answer.status_code >= 500:
        raise httpx.HTTPStatusError("it fails", request=answer.request, response=answer)


def _guarded(name: str, ask: Callable[[], object]) -> Probe:
    def probe() -> None:
        with _circuit(name).guard(Exception):
            ask()

    return probe


@lru_cache
def _circuit(name: str) -> Circuit:
    return Circuit(name, rest_seconds=REST_SECONDS)


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    return httpx.Client(timeout=_PATIENCE_SECONDS)
