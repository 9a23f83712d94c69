"""Asking SQS whether the outbox queue is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from shared.settings import Settings


def queue_probe(settings: Settings) -> Callable[[], object] | None:
    """A probe of the configured queue; None without one."""
    if settings.outbox_queue_url is None:
        return None
    return lambda: _sqs(settings.aws_endpoint_url_sqs).get_queue_attributes(
        QueueUrl=settings.outbox_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )


@lru_cache(maxsize=1)
def _sqs(endpoint_url: str | None) -> Any:
    # Imported here: it costs a cold start more than the rest of this function, and liveness needs none of it.
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=1, read_timeout=2, retries={"max_attempts": 0})
    return boto3.client("sqs", endpoint_url=endpoint_url, config=patience)
