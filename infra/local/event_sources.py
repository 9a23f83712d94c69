"""What Lambda's event source mapping does in the cloud: takes messages off a queue and calls the function
with them.

A message is deleted when the function did not name it among `batchItemFailures`; one that failed becomes
visible again and ends in the dead-letter queue, as the queue's own policy says. Run as a module, it does this
until its standard input closes. (serverless-offline-sqs deletes what failed, and waits five seconds for a
fuller batch.)
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.definitions import read_definitions
from infra.local.processes import Service
from infra.local.queues import CREDENTIALS, REGION, outbox_url
from infra.local.settings import PROJECT, StackSettings

_POLL_SECONDS = 2
_WORKERS = 2
"""How many batches of one queue are handled at once; moto shares one process with all of them."""


@dataclass(frozen=True)
class Source:
    function: str
    queue_url: str
    batch_size: int


def start_event_sources(settings: StackSettings) -> Service:
    log = settings.logs / "events.log"
    service = Service(
        "The event sources",
        [sys.executable, "-u", "-m", "infra.local.event_sources"],
        log=log,
        env={
            **os.environ,
            **CREDENTIALS,
            "NEXUS_SQS_URL": settings.sqs_url,
            "NEXUS_QUEUE_URL": outbox_url(settings),
            "NEXUS_LAMBDA_URL": f"http://127.0.0.1:{settings.lambda_api.number}",
        },
        cwd=PROJECT,
    )
    try:
        service.wait_until(lambda: "polling" in log.read_text(errors="replace"), seconds=30)
    except BaseException:
        service.stop()
        raise
    return service


def event_of(messages: Sequence[Mapping[str, Any]], queue_url: str) -> dict[str, Any]:
    """The event that Lambda makes of SQS messages."""
    arn = f"arn:aws:sqs:{REGION}:123456789012:{queue_url.rsplit('/', 1)[-1]}"
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {},
                "md5OfBody": message.get("MD5OfBody", ""),
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


def handled(messages: Sequence[Mapping[str, Any]], answer: Any) -> list[Mapping[str, Any]]:
    """The messages that the function is done with, by its answer {batchItemFailures: [{itemIdentifier}]}."""
    if not isinstance(answer, dict):
        return list(messages) if answer is None else []
    failed = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures", [])}
    return [message for message in messages if message["MessageId"] not in failed]


def _sources(queue_url: str) -> Iterator[Source]:
    for definition in read_definitions():
        for event in definition.events:
            if "sqs" in event:
                yield Source(definition.name, queue_url, int(event["sqs"].get("batchSize", 10)))


def _poll(source: Source, sqs: Any, lambdas: Any) -> None:
    while True:
        try:
            received = sqs.receive_message(
                QueueUrl=source.queue_url,
                MaxNumberOfMessages=source.batch_size,
                WaitTimeSeconds=_POLL_SECONDS,
                AttributeNames=["All"],
            )
            if messages := received.get("Messages"):
                _handle(source, messages, sqs, lambdas)
        except (BotoCoreError, ClientError, OSError) as error:
            print(f"{source.function}: {type(error).__name__}", flush=True)
            threading.Event().wait(1)


def _handle(source: Source, messages: list[dict[str, Any]], sqs: Any, lambdas: Any) -> None:
    answer = lambdas.invoke(
        FunctionName=f"nexus-pharmacy-local-{source.function}",
        Payload=json.dumps(event_of(messages, source.queue_url)),
    )
    content = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        print(f"{source.function}: {content}", flush=True)
        return
    for message in handled(messages, content):
        sqs.delete_message(QueueUrl=source.queue_url, ReceiptHandle=message["ReceiptHandle"])


def main() -> None:
    patience = Config(retries={"max_attempts": 0}, read_timeout=90, max_pool_connections=2 * _WORKERS)
    sqs = boto3.client("sqs", endpoint_url=os.environ["NEXUS_SQS_URL"], config=patience)
    lambdas = boto3.client("lambda", endpoint_url=os.environ["NEXUS_LAMBDA_URL"], config=patience)
    for source in _sources(os.environ["NEXUS_QUEUE_URL"]):
        for _ in range(_WORKERS):
            threading.Thread(target=_poll, args=(source, sqs, lambdas), daemon=True).start()
    print("polling", flush=True)
    sys.stdin.read()  # ends when the supervisor does


if __name__ == "__main__":
    main()
