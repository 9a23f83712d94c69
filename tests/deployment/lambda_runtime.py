"""Lambda on this machine: an artefact under Lambda's own runtime client, and a small runtime API.

The process sees the unpacked zip and what Lambda's runtime brings along, and nothing else: no site-packages,
no environment of ours, and opening anything of the source tree fails.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self

from infra.local.settings import PROJECT
from infra.packaging.dependencies import install_as_is
from tests.fakes.serving import Request, serving

Json = dict[str, Any]

_SECONDS = 60
_ARN = "arn:aws:lambda:ap-south-1:000000000000:function:test"
_PREFIX = "/2018-06-01/runtime"
_BOOTSTRAP = """
import os, runpy, sys
forbidden = sys.argv.pop(1)
def refuse(event, details):
    reads = event in ("open", "os.listdir", "os.scandir")
    if reads and isinstance(details[0], (str, bytes)):
        if os.path.abspath(os.fsdecode(details[0])).startswith(forbidden):
            raise PermissionError(f"{details[0]} is in the source tree")
sys.addaudithook(refuse)
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
"""


class FunctionFailed(Exception):
    """What the function reported to the runtime API instead of an answer."""


def install_runtime(into: Path) -> Path:
    """What Lambda has at /var/runtime."""
    install_as_is(PROJECT / "requirements-lambda.txt", into)
    return into


class LambdaRuntime:
    """One instance of a function. Use it in a `with`."""

    def __init__(
        self, function: str, artefact: Path, runtime: Path, task: Path, environment: Mapping[str, str]
    ) -> None:
        with zipfile.ZipFile(artefact) as archive:
            archive.extractall(task)
        self._function = function
        self._events: Queue[Json] = Queue()
        self.restored = False
        self._answers: Queue[tuple[str, bytes]] = Queue()
        self.task, self._runtime, self._environment = task, runtime, environment

    def __enter__(self) -> Self:
        self._serving = serving(self._answer)
        address = self._serving.__enter__().removeprefix("http://")
        self._log = (self.task.parent / f"{self._function}.log").open("w+")
        # The interpreter of the virtual environment would know the way to the environment's packages.
        interpreter = sys._base_executable  # type: ignore[attr-defined]
        handler = f"functions/{self._function}/handler.handler"
        self._process = subprocess.Popen(
            [interpreter, "-S", "-c", _BOOTSTRAP, f"{PROJECT}{os.sep}", handler],
            cwd=self.task,
            env={
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "PYTHONPATH": str(self._runtime),  # the client itself adds the working directory
                "PYTHONDONTWRITEBYTECODE": "1",
                "AWS_LAMBDA_RUNTIME_API": address,
                "AWS_LAMBDA_FUNCTION_NAME": f"nexus-pharmacy-test-{self._function}",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "LAMBDA_TASK_ROOT": str(self.task),
                "AWS_REGION": "ap-south-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                **self._environment,
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()
        self._serving.__exit__(None, None, None)

    def invoke(self, event: Json) -> Any:
        """The function's answer. Raises FunctionFailed, with its log, when it reports an error or ends."""
        self._events.put(event)
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            try:
                outcome, content = self._answers.get(timeout=0.5)
            except Empty:
                if self._process.poll() is not None:
                    raise FunctionFailed(f"ended with {self._process.returncode}\n{self.log()}") from None
                continue
            if outcome != "response":
                raise FunctionFailed(f"{content.decode()}\n{self.log()}")
            return json.loads(content)
        raise FunctionFailed(f"no answer within {_SECONDS} s\n{self.log()}")

    def log(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text()

    def _answer(self, request: Request) -> None:
        path = request.path.removeprefix(_PREFIX)
        if path == "/restore/next":  # where a frozen process continues
            self.restored = True
            request.answer(200, b"{}")
            return
        if path == "/invocation/next":
            event = self._events.get()
            request.answer(
                200,
                json.dumps(event).encode(),
                {
                    "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                    "Lambda-Runtime-Deadline-Ms": str(round((time.time() + 29) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": _ARN,
                    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
                },
            )
            return
        self._answers.put((path.rpartition("/")[2], request.body))  # response, error, or init/error
        request.answer(202, b"{}")
