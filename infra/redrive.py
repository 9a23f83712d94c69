"""`make redrive`: what has used up its attempts is delivered after all.

    python -m infra.redrive --stage prod              list the dead events
    python -m infra.redrive --stage prod --all        give all of them their whole schedule anew
    python -m infra.redrive --stage prod <event id>   only these

A deployed stage needs AWS credentials that may invoke dispatch and delete from its dead-letter queue. A
confirmation of an order that is cancelled or on its way meanwhile is annulled instead of sent.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.queues import CREDENTIALS, REGION
from infra.local.settings import OUTBOX_DEAD_LETTER_QUEUE, StackError, load_settings


def main() -> int:
    options = _options()
    try:
        clients = _clients(options.stage)
        if not (options.all or options.event_ids):
            return _list(_invoke(clients["lambda"], options.stage, {"dead": True}))
        wanted: object = "all" if options.all else options.event_ids
        answer = _invoke(clients["lambda"], options.stage, {"redrive": wanted})
        _clear_dead_letters(clients["sqs"], options.stage, {*answer["redriven"], *answer["annulled"]})
    except (BotoCoreError, ClientError, StackError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(answer['redriven'])} events again, {len(answer['annulled'])} annulled: {answer['outcomes']}")
    return 0


def _options() -> argparse.Namespace:
    summary, _, explanation = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m infra.redrive",
        description=summary,
        epilog=explanation,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stage", choices=["local", "dev", "prod"], default="local")
    parser.add_argument("--all", action="store_true", help="all dead events")
    parser.add_argument("event_ids", nargs="*", metavar="event id")
    return parser.parse_args()


def _clients(stage: str) -> dict[str, Any]:
    patience = Config(read_timeout=60, retries={"max_attempts": 0})
    if stage != "local":
        return {name: boto3.client(name, config=patience) for name in ("lambda", "sqs")}
    settings = load_settings()
    addresses = {"lambda": f"http://127.0.0.1:{settings.lambda_api.number}", "sqs": settings.sqs_url}
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    return {
        name: session.client(name, endpoint_url=url, region_name=REGION, config=patience)
        for name, url in addresses.items()
    }


def _invoke(lambdas: Any, stage: str, event: dict[str, Any]) -> Any:
    answer = lambdas.invoke(FunctionName=f"nexus-pharmacy-{stage}-dispatch", Payload=json.dumps(event))
    content = json.loads(answer["Payload"].read())
    if isinstance(content, dict) and "errorMessage" in content:
        raise StackError(content["errorMessage"])
    return content


def _list(dead: list[dict[str, Any]]) -> int:
    for event in dead:
        print(
            "  ".join(str(event[name]) for name in ("event_id", "event_type", "order_id", "dead_at", "error"))
        )
    print(f"{len(dead)} dead events")
    return 0


def _clear_dead_letters(sqs: Any, stage: str, event_ids: set[str]) -> None:
    """Take the copies of these events off the dead-letter queue; what else is there stays for somebody to
    read.
    """
    name = OUTBOX_DEAD_LETTER_QUEUE if stage == "local" else f"nexus-outbox-dlq-{stage}"
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            if _event_id(message["Body"]) in event_ids:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _event_id(body: str) -> str | None:
    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content.get("event_id") if isinstance(content, dict) else None


if __name__ == "__main__":
    sys.exit(main())
