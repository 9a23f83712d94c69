"""AWS Lambda entry point: the schedule's ticks, and `{"start": "now"}` for a scan by hand.

The first tick after the day has begun starts the day's scan; one that runs out of time leaves the rest to the
next tick, and a tick with nothing to do costs one call.
"""

from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from functions.refill_scan.service import scan
from shared.observability import make_logger
from shared.service import get_service_settings, service_gateway

logger = make_logger("refill_scan", get_service_settings().log_level)
metrics = Metrics(namespace="NexusPharmacy", service="refill_scan")
database = service_gateway()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    progress = scan(
        database,
        start="now" if event.get("start") == "now" else "if_due",
        seconds_left=lambda: float(context.get_remaining_time_in_millis()) / 1000,
    )
    if progress.state == "finished":
        # An alarm rings when this is missing for a day.
        metrics.add_metric("RefillScanFinished", MetricUnit.Count, 1)
        metrics.add_metric("RefillScanFailures", MetricUnit.Count, progress.failures)
        metrics.flush_metrics()
    if progress.state != "idle":
        logger.info("scan", extra=progress._asdict())
    return progress._asdict()
