"""Asking SQS whether the outbox queue is there."""

from __future__ import annotations

from collections.abc import Callable

from shared.outbox import sqs_client
from shared.settings import Settings


def queue_probe(settings: Settings) -> Callable[[], object] | None:
    """A probe of the configured queue; None without one."""
    if settings.outbox_queue_url is None:
        return None
    return lambda: sqs_client(settings.aws_endpoint_url_sqs).get_queue_attributes(
        QueueUrl=settings.outbox_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
