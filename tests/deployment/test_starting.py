"""What a function may import while it starts, and how long that may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.packaging.artifacts import FUNCTIONS, Artifact

HEAVY = {
    "boto3",
    "google.genai",
    "langchain_google_genai",
    "langfuse",
    "PIL",
    "pypdf",
    "aws_xray_sdk",
}
"""Loaded where they are used, in the first invocation that needs them. Not one start needs any."""
ONLY_IN_CHAT = {"langgraph", "langchain_core", "rapidfuzz"}
WEB = {"fastapi", "starlette", "mangum"}

MOST_TIMES_PYDANTIC = {"chat": 150.0, "dispatch": 30.0, "refill_scan": 30.0, "retention": 30.0}
"""Of what importing pydantic alone takes there and then; all others: 75. Several times what is usual: a busy
machine is no fault, and what should never be imported is named above.
"""

_PROGRAM = """
import importlib, json, sys, time
started = time.perf_counter()
import pydantic
yardstick = time.perf_counter() - started
importlib.import_module(sys.argv[1])
taken = time.perf_counter() - started
print(json.dumps({"modules": sorted(sys.modules), "times": taken / yardstick}))
"""


@pytest.fixture(scope="module")
def starts(
    local_artifacts: dict[str, Artifact], lambda_runtime: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What each handler imported, and how many times as long as pydantic alone that took."""
    environment = {
        "PATH": os.environ["PATH"],
        "SUPABASE_URL": "http://127.0.0.1:9",
        "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_test",
        "SUPABASE_SECRET_KEY": "sb_secret_test",
        "PARTNER_URL": "http://127.0.0.1:9/webhooks",
        "PARTNER_WEBHOOK_SECRETS": f"whsec_{'A' * 32}",
        "INCOMING_WEBHOOK_SECRETS": f"whsec_{'B' * 32}",
    }
    interpreter = sys._base_executable  # type: ignore[attr-defined]
    found = {}
    for function in FUNCTIONS:
        task = tmp_path_factory.mktemp(function)
        with zipfile.ZipFile(local_artifacts[function].zip) as archive:
            archive.extractall(task)
        finished = subprocess.run(
            [interpreter, "-S", "-c", _PROGRAM, f"functions.{function}.handler"],
            cwd=task,
            env={**environment, "PYTHONPATH": f"{task}{os.pathsep}{lambda_runtime}"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert finished.returncode == 0, finished.stderr
        found[function] = json.loads(finished.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_heavy_libraries_wait_until_they_are_used(starts: dict[str, dict[str, Any]], function: str) -> None:
    modules = set(starts[function]["modules"])
    assert modules & HEAVY == set()
    if function != "chat":
        assert modules & ONLY_IN_CHAT == set()


@pytest.mark.parametrize("function", ["dispatch", "refill_scan", "retention"])
def test_functions_without_requests_import_no_web_framework(
    starts: dict[str, dict[str, Any]], function: str
) -> None:
    assert set(starts[function]["modules"]) & WEB == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_start_stays_within_its_time(starts: dict[str, dict[str, Any]], function: str) -> None:
    assert starts[function]["times"] <= MOST_TIMES_PYDANTIC.get(function, 75)
