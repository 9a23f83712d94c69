"""Runs one Lambda handler for the laptop gateway: one instance of a function, as Lambda would keep it warm.

Reads one JSON line {"event", "context"} a request from standard input and answers one JSON line on file
descriptor 3: {"ready": true} once the handler is imported, then {"result"} or {"error"} a request. Standard
output and error stay free for logs. Ends when standard input closes, that is, with the gateway.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from io import TextIOWrapper
from typing import Any

ANSWERS = 3


class Context:
    """What handlers use of Lambda's context object."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, function_name: str, request_id: str, memory_mb: int, timeout_seconds: float) -> None:
        self.function_name = function_name
        self.aws_request_id = request_id
        self.memory_limit_in_mb = memory_mb
        self.invoked_function_arn = f"arn:aws:lambda:local:000000000000:function:{function_name}"
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._deadline - time.monotonic()) * 1000))


def main(handler_path: str) -> None:
    """`handler_path` is Lambda's handler string, for example `functions/chat/handler.handler`."""
    module, _, name = handler_path.rpartition(".")
    assert isinstance(sys.stdin, TextIOWrapper)
    sys.stdin.reconfigure(encoding="utf-8")  # whatever the terminal's locale
    with os.fdopen(ANSWERS, "w", encoding="utf-8") as answers:

        def answer(content: dict[str, Any]) -> None:
            print(json.dumps(content), file=answers, flush=True)

        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        answer({"ready": True})
        for line in sys.stdin:
            request = json.loads(line)
            try:
                content = {"result": handler(request["event"], Context(**request["context"]))}
                json.dumps(content)  # a result that is no JSON is the handler's error, not the worker's end
            except Exception as error:
                traceback.print_exc()
                content = {"error": f"{type(error).__name__}: {error}"}
            answer(content)


if __name__ == "__main__":
    main(sys.argv[1])
