"""Metrics, as lines of the log that CloudWatch reads (embedded metric format)."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "NexusPharmacy"


def count(function: str, name: str, number: float = 1, **dimensions: str) -> None:
    """Count something at once. Dimensions are few and small: codes, never ids."""
    with single_metric(name=name, unit=MetricUnit.Count, value=number, namespace=NAMESPACE) as metric:
        metric.add_dimension("service", function)
        for dimension, value in dimensions.items():
            metric.add_dimension(dimension, value)
