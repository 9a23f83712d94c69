"""`make dev`: run the whole project on this machine until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from types import FrameType

from infra.local.settings import StackError, StackSettings, load_settings
from infra.local.stack import PARTS, Part, Stack

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _StopRequested(BaseException):
    """Raised by the signal handler wherever the supervisor is; no `except Exception` may swallow it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.dev", description=__doc__)
    parser.add_argument(
        "--until", choices=PARTS, default="functions", help="the last part to start (default: all of them)"
    )
    until: Part = parser.parse_args().until
    for number in STOP_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores the hang-up on purpose
            signal.signal(number, _request_stop)
    stack: Stack | None = None
    try:
        settings = load_settings()
        say(f"Nexus Pharmacy: data in {settings.data_dir}")
        stack = Stack(settings, until=until, report=say)
        started = time.monotonic()
        stack.start()
        say(f"Nexus is ready ({time.monotonic() - started:.1f} s)" if until != "functions" else "Nexus is ready")
        say(_greeting(settings, stack))
        parent = os.getppid()
        while not (misfortune := stack.dead_service()):
            time.sleep(0.5)
            if "MAKELEVEL" in os.environ and os.getppid() != parent:
                raise _StopRequested  # make was killed, so nobody can stop us by its terminal any more
        raise StackError(misfortune)
    except _StopRequested:
        return 0
    except StackError as error:
        say(f"\nerror: {error}")
        return 1
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the stopping
        if stack:
            stack.stop()
            say("Everything is stopped.")


def say(text: str) -> None:
    """Print at once; a terminal that has gone away must not keep us from stopping the services."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")


def _request_stop(number: int, frame: FrameType | None) -> None:
    raise _StopRequested


def _greeting(settings: StackSettings, stack: Stack) -> str:
    return f"""
  API       {settings.api_url}
  Supabase  {settings.supabase_url}   (publishable key {stack.keys.publishable})
  Postgres  {settings.database_url}
"""


if __name__ == "__main__":
    sys.exit(main())
