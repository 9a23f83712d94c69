"""AWS Lambda entry point: once a day, what is over its time is forgotten."""

from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.retention.files import service_files
from functions.retention.service import forget
from shared.metrics import NAMESPACE
from shared.observability import make_logger
from shared.service import get_service_settings, service_gateway

logger = make_logger("retention", get_service_settings().log_level)
metrics = Metrics(namespace=NAMESPACE, service="retention")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del event
    outcome = forget(
        service_gateway(),
        service_files(),
        seconds_left=lambda: float(context.get_remaining_time_in_millis()) / 1000,
    )
    logger.info("retention", extra=outcome._asdict())
    if outcome.finished:
        # An alarm rings when this is missing for two days.
        metrics.add_metric("RetentionFinished", MetricUnit.Count, 1)
        metrics.flush_metrics()
    return outcome._asdict()
