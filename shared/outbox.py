"""Waking the dispatcher: what waits in the outbox need not wait for the schedule.

The outbox itself is written by the database, in the transaction that causes it. A wake-up that is lost costs
a minute and nothing else, so none is ever waited for longer than a blink, and none can fail an order.
"""

from __future__ import annotations

import json
from functools import lru_cache
from threading import Thread
from typing import Any

from shared.circuit import Circuit, CircuitOpen
from shared.observability import make_logger

WAKE_UP = json.dumps({"wake": "outbox"})
"""The body of the message: it only says that there is something."""

PATIENCE_SECONDS = 0.25

_circuit = Circuit("queue")


def wake_dispatcher(
    queue_url: str | None, endpoint_url: str | None, *, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Tell the dispatcher that there is something to deliver. Never raises, never takes longer than this."""
    if queue_url is None:
        return

    def send() -> None:
        try:
            with _circuit.guard(Exception):
                sqs_client(endpoint_url).send_message(QueueUrl=queue_url, MessageBody=WAKE_UP)
        except CircuitOpen:
            pass
        except Exception as error:
            make_logger("outbox", "INFO").warning("no wake-up", extra={"error": type(error).__name__})

    sending = Thread(target=send, name="wake-up", daemon=True)
    sending.start()
    sending.join(patience_seconds)


@lru_cache(maxsize=2)
def sqs_client(endpoint_url: str | None) -> Any:
    """A client that gives up soon; what it was to say can wait."""
    # Imported here: it costs a cold start as much as everything else together, and few requests need it.
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=1, read_timeout=2, retries={"max_attempts": 0})
    return boto3.client("sqs", endpoint_url=endpoint_url, config=patience)
