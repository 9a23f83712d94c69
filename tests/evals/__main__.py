"""`make eval`: play the conversations against a stack of their own and say how many answers are right.

The stack is started on ports and data of its own; NLU_MODE (lexical or gemini) comes from the environment.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.reset import delete_data
from infra.local.settings import PROJECT, Port, StackError, StackSettings, load_keys, load_settings
from infra.local.stack import Stack
from tests.evals import report
from tests.evals.conversations import chosen, load
from tests.evals.playing import Result, play_all
from tests.running_stack import RunningStack

REPORT = PROJECT / ".local" / "eval.json"


def main() -> int:
    options = _options()
    conversations = chosen(load(), groups=options.group, ids=options.id)
    if not conversations:
        print("No conversation is in these groups or has these ids.", file=sys.stderr)
        return 2
    os.environ["NLU_MODE"] = mode = os.environ.get("NLU_MODE") or "lexical"
    os.environ["RATE_LIMITS"] = "off"
    started = time.monotonic()
    try:
        with _stack(running=options.running) as stack:
            results = play_all(stack, conversations, Progress(len(conversations)))
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    report.write(results, options.json)
    if options.failures or options.id:
        print(report.failures(results), end="\n\n")
    print(report.table(results))
    print(f"NLU_MODE={mode}, {time.monotonic() - started:.0f} s; every failure is in {options.json}")
    good = report.right_share(results) >= options.threshold and not report.unsafe_outcomes(results)
    return 0 if good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.evals", description=__doc__)
    parser.add_argument("--group", action="append", default=[], help="only this group (may be repeated)")
    parser.add_argument("--id", action="append", default=[], help="only this conversation (may be repeated)")
    parser.add_argument("--failures", action="store_true", help="print every failure")
    parser.add_argument(
        "--threshold", type=float, default=0.97, help="least share of right ones (default: 0.97)"
    )
    parser.add_argument("--json", type=Path, default=REPORT, help="where the report goes")
    parser.add_argument(
        "--running",
        action="store_true",
        help="use the stack of `make dev` (NEXUS_* as there) instead of an own one",
    )
    return parser.parse_args()


class Progress:
    """One line on a terminal, nothing in a log."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = self._right = 0

    def __call__(self, result: Result) -> None:
        self._done += 1
        self._right += result.right
        if sys.stderr.isatty():
            end = "\n" if self._done == self._total else ""
            print(f"\r{self._done}/{self._total}, {self._right} right", end=end, file=sys.stderr, flush=True)


@contextmanager
def _stack(*, running: bool) -> Iterator[RunningStack]:
    if running:
        yield _known(load_settings())
        return
    settings = _own_settings()
    with Stack(settings):
        yield _known(settings)


def _own_settings() -> StackSettings:
    def port(variable: str, default: int) -> Port:
        return Port(int(os.environ.get(variable, default)), variable)

    settings = StackSettings(
        data_dir=PROJECT / ".local" / "eval",
        api=port("NEXUS_EVAL_API_PORT", 14000),
        lambda_api=port("NEXUS_EVAL_LAMBDA_PORT", 14002),
        supabase=port("NEXUS_EVAL_SUPABASE_PORT", 16421),
        postgres=port("NEXUS_EVAL_POSTGRES_PORT", 16422),
        sqs=port("NEXUS_EVAL_SQS_PORT", 16424),
        external_database_url=None,
        durable=False,
    )
    delete_data(settings)
    return settings


def _known(settings: StackSettings) -> RunningStack:
    return RunningStack.of(settings, load_keys(settings.data_dir))


if __name__ == "__main__":
    sys.exit(main())
