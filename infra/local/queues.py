"""SQS for the laptop: a moto server with the project's queues. Run as a module, it is that server."""

from __future__ import annotations

import json
import os
import sys

import boto3
from moto.server import ThreadedMotoServer

from infra.local.processes import Service
from infra.local.settings import OUTBOX_DEAD_LETTER_QUEUE, OUTBOX_QUEUE, PROJECT, StackSettings

REGION = "ap-south-1"
# moto takes any credentials; without some, boto3 would look for real ones.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "laptop",
    "AWS_SECRET_ACCESS_KEY": "laptop",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}


def outbox_url(settings: StackSettings) -> str:
    return f"{settings.sqs_url}/123456789012/{OUTBOX_QUEUE}"


def dead_letter_url(settings: StackSettings) -> str:
    return f"{settings.sqs_url}/123456789012/{OUTBOX_DEAD_LETTER_QUEUE}"


def start_queues(settings: StackSettings) -> Service:
    log = settings.logs / "queues.log"
    service = Service(
        "The queue server",
        [sys.executable, "-u", "-m", "infra.local.queues", str(settings.sqs.number)],
        log=log,
        env={**os.environ, **CREDENTIALS},
        cwd=PROJECT,
    )
    try:
        service.wait_until(lambda: "queues created" in log.read_text(errors="replace"), seconds=60)
    except BaseException:
        service.stop()
        raise
    return service


def _serve(port: int) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port)
    server.start()
    sqs = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION)
    dead_letters = sqs.create_queue(QueueName=OUTBOX_DEAD_LETTER_QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    # As in infra/queues.yml, but for a laptop that nobody wants to wait three minutes for.
    sqs.create_queue(QueueName=OUTBOX_QUEUE, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "60"})
    print("queues created")
    sys.stdin.read()  # ends when the supervisor does


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
