"""The worker pool of the laptop gateway: bounded, in order, and never without an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]


def run_pool(
    events: list[dict[str, Any]], *, max_workers: int = 2, timeout: float = 20, handler: str = "handler"
) -> list[dict[str, Any]]:
    """The pool's answers to `events`, which are all sent at once; `timeout` in seconds."""
    order = {
        "handler": f"tests/integration/gateway/handlers.{handler}",
        "max": max_workers,
        "timeout": timeout,
        "events": events,
    }
    finished = subprocess.run(
        ["node", str(HERE / "run_pool.mjs")],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHON": sys.executable},
        timeout=50,
        check=True,
    )
    (line,) = [line for line in finished.stdout.split("\n") if line.startswith("ANSWERS ")]
    answers: list[dict[str, Any]] = json.loads(line.removeprefix("ANSWERS "))
    return answers


def echo(text: str) -> dict[str, str]:
    return {"do": "echo", "text": text}


def test_fifty_requests_at_once_share_four_workers_in_order_of_arrival() -> None:
    answers = run_pool([{"do": "nap", "number": number} for number in range(50)], max_workers=4)

    results = [answer["result"] for answer in answers]
    assert len({result["pid"] for result in results}) <= 4
    by_time = [result["number"] for result in sorted(results, key=lambda result: result["at"])]
    # Four run side by side, so neighbours may overtake each other, but nobody is left behind.
    assert all(abs(place - number) < 8 for place, number in enumerate(by_time))


@pytest.mark.parametrize(
    "text", ["", "दो पत्ते डोलो, 💊", "x" * 10_000, "é" * 300_000, 'a\nb\r\n\u2028 "quoted" \\ \0']
)
def test_texts_arrive_and_return_unchanged(text: str) -> None:
    (answer,) = run_pool([echo(text)])
    assert answer["result"]["text"] == text
    assert answer["result"]["function"] == "stand-in"


@pytest.mark.parametrize(
    ("misdeed", "message"),
    [
        ("fail", "ValueError: no such luck"),
        ("return bytes", "TypeError"),
        ("exit", "exit code 3"),
        ("crash", "exit code 4"),
    ],
)
def test_a_failing_request_gets_an_error_and_the_others_their_answers(misdeed: str, message: str) -> None:
    failed, *others = run_pool([{"do": misdeed}, *(echo(str(number)) for number in range(5))], max_workers=1)

    assert message in failed["error"]
    assert [answer["result"]["text"] for answer in others] == ["0", "1", "2", "3", "4"]


def test_a_function_that_overruns_its_timeout_is_ended_and_replaced() -> None:
    hanging, other = run_pool([{"do": "hang"}, echo("still here")], max_workers=1, timeout=1)

    assert "timeout of 1 s" in hanging["error"]
    assert other["result"]["text"] == "still here"


def test_a_handler_that_cannot_be_imported_gives_every_waiting_request_an_error() -> None:
    answers = run_pool([echo("a"), echo("b"), echo("c")], handler="no_such_handler")
    assert all("exit code 1" in answer["error"] for answer in answers)


def test_no_result_is_a_result() -> None:
    assert run_pool([{"do": "return nothing"}]) == [{"result": None}]


def test_the_context_counts_down_from_the_functions_timeout() -> None:
    (answer,) = run_pool([{"do": "remaining time"}], timeout=20)
    assert 15_000 < answer["result"]["ms"] <= 20_000
