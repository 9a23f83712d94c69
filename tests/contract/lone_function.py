"""A function's real handler apart from the stack, in a process and an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from infra.local.worker import ANSWERS

Json = dict[str, Any]


class LoneFunction:
    """Takes gateway events, one at a time. Use it in a `with`."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        ours, theirs = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.worker", f"functions/{name}/handler.handler"],
            env={"PATH": os.environ["PATH"], **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.dup2(theirs, ANSWERS) and None,
            pass_fds=[ANSWERS],
            text=True,
        )
        os.close(theirs)
        self._answers = os.fdopen(ours, encoding="utf-8")
        assert json.loads(self._answers.readline()) == {"ready": True}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
        self._answers.close()

    def call(self, event: Json) -> Json:
        """What the gateway would get. Raises KeyError when the handler failed."""
        context = {"function_name": "lone", "request_id": "lone", "memory_mb": 512, "timeout_seconds": 29}
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"event": event, "context": context}) + "\n")
        self._process.stdin.flush()
        result: Json = json.loads(self._answers.readline())["result"]
        return result
