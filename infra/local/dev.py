"""`make dev`: run the whole project on this machine until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TextIO

from dotenv import load_dotenv

from infra.local.settings import PROJECT, StackError, StackSettings, load_settings
from infra.local.stack import PARTS, Part, Stack

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _StopRequested(BaseException):
    """Raised by the signal handler wherever the supervisor is; no `except Exception` may swallow it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.dev", description=__doc__)
    parser.add_argument(
        "--until", choices=PARTS, default=PARTS[-1], help="the last part to start (default: all of them)"
    )
    until: Part = parser.parse_args().until
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # unless under nohup
            signal.signal(number, _request_stop)
    stack: Stack | None = None
    try:
        load_dotenv(PROJECT / ".env")
        settings = load_settings()
        say(f"Starting Nexus Pharmacy; its data is in {settings.data_dir}")
        stack = Stack(settings, until=until, report=say)
        stack.start()
        say(_greeting(settings, stack))
        _watch(stack)
    except _StopRequested:
        return 0
    except StackError as error:
        say(f"\nerror: {error}", sys.stderr)
        return 1
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the stopping
        if stack is not None and stack.running:
            say("\nStopping ...")
            stack.stop()
            say("Everything is stopped.")
    return 0


def _watch(stack: Stack) -> None:
    """Return never; raises StackError when a part dies and _StopRequested when make was killed."""
    parent = os.getppid()
    while True:
        time.sleep(0.5)
        if misfortune := stack.misfortune():
            raise StackError(misfortune)
        if "MAKELEVEL" in os.environ and os.getppid() != parent:
            raise _StopRequested  # nobody could stop us by the terminal any more


def say(text: str, stream: TextIO | None = None) -> None:
    """Print at once; a terminal that has gone away must not keep us from stopping the services."""
    try:
        print(text, file=stream or sys.stdout, flush=True)
    except OSError:
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of this process


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise _StopRequested


def _greeting(settings: StackSettings, stack: Stack) -> str:
    addresses = f"""
  Console    {settings.api_url}   to try it in a browser
  API        {settings.api_url}   described at {settings.api_url}/docs
  Supabase   {settings.supabase_url}   publishable key {stack.keys.publishable}
  Postgres   {settings.database_url}
  Partner    http://127.0.0.1:{settings.partner.number}
  Logs       {settings.logs}
"""
    json = "-H 'content-type: application/json'"
    first_steps = f"""
Try it in another terminal:

  TOKEN=$(curl -s {settings.api_url}/api/auth/login {json} -d '{{"email": "anjali@example.com", \
"password": "nexus-demo-2026"}}' | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
  curl -s {settings.api_url}/api/chat -H "Authorization: Bearer $TOKEN" {json} \
-d '{{"message": "I need 2 strips of Dolo 650 please"}}'
  curl -s {settings.api_url}/api/chat -H "Authorization: Bearer $TOKEN" {json} -d '{{"message": "yes"}}'

Ctrl-C stops everything."""
    return f"\nNexus is ready\n{addresses}{first_steps if stack.complete else ''}"


if __name__ == "__main__":
    sys.exit(main())
