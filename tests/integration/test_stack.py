"""The laptop stack itself: what `make dev` promises, seen from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.running_stack import RunningStack

PROJECT = Path(__file__).parents[2]
ORIGIN = "http://localhost:3001"


def workers(function: str) -> int:
    """How many processes of this function's handler run on this machine's test stack."""
    handler = f"functions/{function}/handler.handler"
    own = psutil.Process().children(recursive=True)
    return sum(handler in process.cmdline() for process in own)


def test_the_api_is_up_and_so_is_everything_it_depends_on(stack: RunningStack) -> None:
    with stack.api() as api:
        assert api.get("/health").status_code == 200
        detailed = api.get("/health/detailed")
    assert detailed.status_code == 200, detailed.text


def test_fifty_requests_at_once_are_all_answered_by_at_most_four_processes(stack: RunningStack) -> None:
    with stack.api() as api, ThreadPoolExecutor(max_workers=50) as callers:
        answers = list(callers.map(lambda _: api.get("/api/products", params={"limit": 5}), range(50)))

    assert [answer.status_code for answer in answers] == [200] * 50
    assert 1 <= workers("catalog") <= 4


@pytest.mark.parametrize("path", ["/api/nothing-here", "/nothing-here", "/health/nothing-here"])
def test_an_unknown_route_gives_the_error_form(stack: RunningStack, path: str) -> None:
    with stack.api() as api:
        answer = api.get(path, headers={"Origin": ORIGIN})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert isinstance(answer.json()["error"], str)


def test_an_unknown_method_gives_the_error_form(stack: RunningStack) -> None:
    with stack.api() as api:
        answer = api.delete("/api/products")
    assert answer.status_code in {404, 405}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/chat", "/api/products", "/api/orders/ORD1"])
def test_a_preflight_is_answered_for_every_function(stack: RunningStack, path: str) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    with stack.api() as api:
        ours = api.options(path, headers={"Origin": ORIGIN, **preflight})
        theirs = api.options(path, headers={"Origin": "https://evil.example", **preflight})

    assert ours.is_success
    assert ours.headers["access-control-allow-origin"] == ORIGIN
    assert ours.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in theirs.headers


def test_a_foreign_origin_may_not_read_answers(stack: RunningStack) -> None:
    with stack.api() as api:
        answer = api.get("/api/products", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_body_beyond_what_the_gateway_takes_gives_the_error_form(stack: RunningStack) -> None:
    with stack.api() as api:
        answer = api.post("/api/chat", content=b"x" * (11 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert isinstance(answer.json()["error"], str)


def test_functions_that_answer_users_do_not_hold_the_service_key(stack: RunningStack) -> None:
    own = psutil.Process().children(recursive=True)
    holds = {
        process.cmdline()[-1].split("/")[1]: stack.secret_key in process.environ().values()
        for process in own
        if "infra.local.worker" in process.cmdline()
    }
    assert {"accounts", "catalog", "chat", "orders", "webhooks"} <= holds.keys()
    assert {function for function, has_it in holds.items() if has_it} <= {
        "dispatch",
        "refill_scan",
        "retention",
        "webhooks",
    }


def test_a_port_in_use_is_named_together_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        refusal = subprocess.run(
            [sys.executable, "-m", "infra.local.dev"],
            env={**os.environ, "NEXUS_DATA_DIR": str(tmp_path), "NEXUS_POSTGRES_PORT": str(port)},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=30,
        )

    assert refusal.returncode == 1
    (line,) = [line for line in refusal.stderr.splitlines() if f"Port {port} is in use" in line]
    assert "NEXUS_POSTGRES_PORT" in line
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("text", ["abc", "0", "65536", "54321"])
def test_an_impossible_port_is_refused_with_the_variables_name(tmp_path: Path, text: str) -> None:
    refusal = subprocess.run(
        [sys.executable, "-m", "infra.local.dev"],
        env={**os.environ, "NEXUS_DATA_DIR": str(tmp_path), "NEXUS_API_PORT": text},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert refusal.returncode == 1
    assert "NEXUS_API_PORT" in refusal.stderr


def test_data_in_use_is_not_deleted(stack: RunningStack) -> None:
    refusal = subprocess.run(
        [sys.executable, "-m", "infra.local.reset"],
        env={**os.environ, "NEXUS_DATA_DIR": ".local/test"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert refusal.returncode == 1
    assert "Nothing was deleted" in refusal.stderr
    with stack.api() as api:
        assert api.get("/health").status_code == 200
