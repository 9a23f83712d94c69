"""Wake-ups as the queue delivers them: each that fails comes back alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def take_wake_ups(event: dict[str, Any], context: Any, wake: Callable[[], object]) -> Any:
    """Run `wake` for every message; the answer names those that failed."""
    # Imported here: the schedule, which runs every minute, needs none of it.
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    def on_wake_up(record: SQSRecord) -> None:
        require_wake_up(record.body)
        wake()

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, on_wake_up, processor, context)


def require_wake_up(body: str) -> None:
    """Raise ValueError for a message that is no wake-up: it then fails alone and ends in the dead-letter
    queue.
    """
    content = json.loads(body)
    if not isinstance(content, dict) or content.get("wake") != "outbox":
        raise ValueError("not a wake-up")
