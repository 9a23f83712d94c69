"""Child processes of the stack: started with a log file, watched, and stopped with all their descendants."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.local.settings import StackError

LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG = 1


class Service:
    """One running part of the stack.

    Each service leads a session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then
    stops the services in order, and a signal to the group also reaches grandchildren. Should the supervisor
    be killed outright, Linux signals the service; one that reads its standard input sees the pipe close on
    any system.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(stop_signal, os.getpid()) if LINUX else None,
                **(user or {}),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return once `ready()`; raises StackError when the process ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if (code := self.exit_code()) is not None:
                raise StackError(self.explain(f"{self.name} stopped with exit code {code} while starting"))
            if time.monotonic() > deadline:
                raise StackError(self.explain(f"{self.name} was not ready after {seconds:.0f} s"))
            time.sleep(0.05)

    def explain(self, what: str) -> str:
        return f"{what}. The end of {self.log}:\n{tail(self.log)}"

    def stop(self, *, seconds: float = 10) -> None:
        """Ask the process to stop, then make sure that it and its descendants are gone."""
        if self._process.stdin:
            self._process.stdin.close()
        if self.exit_code() is None:
            self._process.send_signal(self._stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=seconds)
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented to stand out in an error message."""
    if not log.exists():
        return "  (no log)"
    text = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join(f"  {line}" for line in text) or "  (empty)"


def run(command: Sequence[str], *, doing: str, log: Path, **options: Any) -> None:
    """Run a command to its end; raises StackError with the end of its output when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False, **options
        ).returncode
    if code:
        raise StackError(f"{doing} failed (exit code {code}). The end of {log}:\n{tail(log)}")


def _die_with_parent(stop_signal: signal.Signals, parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def ask_the_kernel() -> None:  # runs in the child between fork and exec
        libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:  # the parent died before the request was in place
            os._exit(1)

    return ask_the_kernel
