"""Stand-in Lambda handlers, good and bad, for the tests of the laptop's worker pool."""

from __future__ import annotations

import os
import sys
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    match event["do"]:
        case "echo":
            print("a line on standard output is a log line, not an answer")
            return {"text": event["text"], "pid": os.getpid(), "function": context.function_name}
        case "fail":
            raise ValueError("no such luck")
        case "return bytes":
            return {"body": b"\x00\xff"}
        case "return nothing":
            return None
        case "exit":
            sys.exit(3)
        case "crash":
            os._exit(4)
        case "hang":
            time.sleep(60)
        case "nap":
            time.sleep(0.05)
            return {"pid": os.getpid(), "at": time.monotonic(), "number": event["number"]}
        case "remaining time":
            return {"ms": context.get_remaining_time_in_millis()}
    raise AssertionError(event)
