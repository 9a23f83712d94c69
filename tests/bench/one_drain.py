"""Runs the deployed handler of dispatch until the outbox is drained, and tells how it went, as JSON.

A process of its own, so that its memory is the function's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from functions.dispatch.handler import handler


class Context:
    """Lambda's, with more time than is needed: a wake-up each 30 seconds would measure the waiting."""

    function_name = "dispatch"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:local:000000000000:function:dispatch"
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 3_600_000


def main() -> None:
    started = time.perf_counter()
    handler({"source": "aws.events"}, Context())
    measured = {
        "seconds": time.perf_counter() - started,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    Path(sys.argv[1]).write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
