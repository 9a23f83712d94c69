"""One cold start, in this fresh process: `one_start.py <handler> <event file>`; prints seconds as JSON.

Timed are the import of the handler and its first answer. Nothing else is imported before but the standard
library's JSON, which Lambda's runtime client has loaded too.
"""

import importlib
import json
import sys
import time


class Context:
    function_name = "cold"
    aws_request_id = "cold"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-south-1:000000000000:function:cold"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def main(handler_path: str, event_file: str) -> None:
    with open(event_file, encoding="utf-8") as file:
        event = json.load(file)
    started = time.perf_counter()
    module, _, name = handler_path.rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    imported = time.perf_counter()
    answer = handler(event, Context())
    answered = time.perf_counter()
    print(
        json.dumps(
            {
                "import": imported - started,
                "all": answered - started,
                "status": (answer or {}).get("statusCode") if isinstance(answer, dict) else None,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
