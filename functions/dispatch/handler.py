"""AWS Lambda entry point: wake-ups from the queue, the schedule, and what `infra.redrive` asks for."""

from typing import Any

from aws_lambda_powertools import Metrics

from functions.dispatch.dispatcher import create_dispatcher
from functions.dispatch.settings import get_dispatch_settings
from functions.dispatch.wake_ups import take_wake_ups
from shared.metrics import NAMESPACE
from shared.tracing import traced

metrics = Metrics(namespace=NAMESPACE, service="dispatch")
dispatcher = create_dispatcher(get_dispatch_settings(), metrics)


@traced("dispatch")
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    def time_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    if "Records" in event:
        return take_wake_ups(event, context, lambda: dispatcher.wake(time_left))
    if "redrive" in event:
        wanted = event["redrive"]
        return dispatcher.redrive(None if wanted == "all" else wanted, time_left)
    if "dead" in event:
        return dispatcher.dead()
    return dispatcher.tick(time_left)
