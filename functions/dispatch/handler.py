"""AWS Lambda entry point: wake-ups from the queue, the schedule, and what `infra.redrive` asks for."""

from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.dispatch.dispatcher import create_dispatcher, require_wake_up
from functions.dispatch.settings import get_dispatch_settings
from shared.metrics import NAMESPACE
from shared.tracing import traced

metrics = Metrics(namespace=NAMESPACE, service="dispatch")
dispatcher = create_dispatcher(get_dispatch_settings(), metrics)
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@traced("dispatch")
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    def time_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def on_wake_up(record: SQSRecord) -> None:
        require_wake_up(record.body)
        dispatcher.wake(time_left)

    if "Records" in event:
        return process_partial_response(event, on_wake_up, processor, context)
    if "redrive" in event:
        wanted = event["redrive"]
        return dispatcher.redrive(None if wanted == "all" else wanted, time_left)
    if "dead" in event:
        return dispatcher.dead()
    return dispatcher.tick(time_left)
