"""Runs the deployed handler of the refill scan in this process and tells how each slice went, as JSON.

A process of its own, so that its memory is the function's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions.refill_scan import handler
from shared.database import Gateway


class Recording:
    """The handler's gateway, with a clock."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.slices: list[dict[str, Any]] = []

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        started = time.perf_counter()
        answer = self._gateway.rpc(name, arguments)
        self.slices.append({"seconds": time.perf_counter() - started, **answer})
        return answer


class Context:
    """Lambda's, with the time limit of function.yml."""

    function_name = "refill_scan"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:local:000000000000:function:refill_scan"
    aws_request_id = "bench"

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._deadline - time.monotonic()) * 1000))


def main() -> None:
    recording = Recording(handler.database)
    handler.database = recording
    invocations = 1
    while handler.handler({"start": "now"}, Context(300))["state"] != "finished":
        invocations += 1
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measured = {"slices": recording.slices, "invocations": invocations, "peak_mib": peak_kib / 1024}
    Path(sys.argv[1]).write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
