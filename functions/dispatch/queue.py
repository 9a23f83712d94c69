"""SQS as dispatch uses it: waking itself up later, and the dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shared.outbox import WAKE_UP, sqs_client

_LONGEST_DELAY_SECONDS = 900
_MOST_A_BATCH = 10


class Queue:
    """Both queues; a missing address switches its part off."""

    def __init__(
        self, *, queue_url: str | None, dead_letter_url: str | None, endpoint_url: str | None
    ) -> None:
        self._queue_url = queue_url
        self._dead_letter_url = dead_letter_url
        self._endpoint_url = endpoint_url

    def wake_up_in(self, seconds: float) -> None:
        """Have dispatch run again after this long (15 minutes at most). Raises botocore's exceptions."""
        if self._queue_url is None:
            return
        sqs_client(self._endpoint_url).send_message(
            QueueUrl=self._queue_url,
            MessageBody=WAKE_UP,
            DelaySeconds=min(max(0, int(seconds + 0.999)), _LONGEST_DELAY_SECONDS),
        )

    def send_dead_letters(self, letters: Sequence[Mapping[str, Any]]) -> list[str]:
        """The ids of the events that the dead-letter queue has now taken. Raises botocore's exceptions."""
        if self._dead_letter_url is None:
            return []
        taken: list[str] = []
        for start in range(0, len(letters), _MOST_A_BATCH):
            answer = sqs_client(self._endpoint_url).send_message_batch(
                QueueUrl=self._dead_letter_url,
                Entries=[
                    {"Id": str(place), "MessageBody": json.dumps(letter)}
                    for place, letter in enumerate(letters[start : start + _MOST_A_BATCH])
                ],
            )
            taken += [
                str(letters[start + int(entry["Id"])]["event_id"]) for entry in answer.get("Successful", [])
            ]
        return taken
