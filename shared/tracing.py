"""X-Ray, for functions that no web request runs through: one subsegment an invocation that Lambda samples.

The SDK is imported for those only; it takes longer than everything else that such a function imports.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

Handler = Callable[[dict[str, Any], Any], Any]


def traced(function: str) -> Callable[[Handler], Handler]:
    """Decorate a Lambda handler. Neither what it answers nor what it raises is recorded."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def run(event: dict[str, Any], context: Any) -> Any:
            if "Sampled=1" not in os.environ.get("_X_AMZN_TRACE_ID", ""):
                return handler(event, context)
            return _tracer(function).capture_lambda_handler(
                handler, capture_response=False, capture_error=False
            )(event, context)

        return run

    return decorate


@lru_cache(maxsize=1)
def _tracer(function: str) -> Any:
    from aws_lambda_powertools import Tracer

    return Tracer(service=function)
