"""How long a function needs from nothing to its first answer, against a bare FastAPI+Mangum app of one route.

Each start is a fresh process with the unpacked artefact and what Lambda's runtime brings along. The
functions take turns, so that what else the machine does meets all of them; the ratio of medians counts. The
database answers for real in a round that does not count, and what it said is repeated at once in the others:
how fast it is, other parts measure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from infra.invoke import EVENTS, read_event, signed_in
from infra.local.reset import delete_data
from infra.local.settings import Keys, StackSettings
from infra.local.stack import Stack
from infra.packaging.artifacts import FUNCTIONS
from infra.packaging.building import build_all
from infra.packaging.dependencies import install_as_is
from infra.packaging.platforms import local_platform
from tests.bench.measuring import Figure
from tests.bench.scratch import scratch_settings
from tests.fakes.serving import Request, serving

ROUNDS = 15
MOST_TIMES_BARE = {"chat": 5.0, "dispatch": 1.0, "refill_scan": 1.0, "retention": 1.0}
"""For `chat` without SnapStart, which spares production the import. All others: 1.8."""

_BARE = """
from fastapi import FastAPI
from mangum import Mangum
app = FastAPI()
@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
handler = Mangum(app, lifespan="off")
"""
_FIRST_EVENTS = {
    "accounts": "accounts_login",
    "catalog": "catalog_search",
    "chat": "chat_message",
    "dispatch": "dispatch_schedule",
    "health": "health",
    "inventory": "inventory_list",
    "orders": "orders_list",
    "prescriptions": "prescriptions_list",
    "refill_scan": "refill_scan_schedule",
    "refills": "refills_list",
    "retention": "retention_schedule",
    "webhooks": "webhooks_report",
}
_PASSED_ON = ("apikey", "authorization", "content-type", "accept", "prefer", "content-profile")
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Start:
    """A program to start: where its code is, its handler, and what it is sent first."""

    folder: Path
    handler: str
    event: Path


def measure(scale: float) -> list[Figure]:
    """Starts a database of its own; `scale` is a share of the rounds."""
    settings = scratch_settings()
    delete_data(settings)
    stack = Stack(settings, until="seed")
    with tempfile.TemporaryDirectory() as folder, stack, repeating(settings.supabase_url) as url:
        starts = _starts(Path(folder), settings, stack.keys)
        environment = _environment(url, stack.keys, Path(folder) / "runtime")
        # The scan of the day is over after this, and what it put into the outbox is dispatched.
        for start in (*starts.values(), *starts.values()):
            run_once(start, {**environment, "SUPABASE_URL": settings.supabase_url})
        seconds = times(starts, environment, max(3, round(ROUNDS * scale)))
    return figures(seconds)


def figures(seconds: Mapping[str, list[dict[str, float]]]) -> list[Figure]:
    bare = median(each["all"] for each in seconds["bare"])
    found = [Figure("a bare app of one route: import and first answer", bare * 1000, "ms")]
    for function in FUNCTIONS:
        taken = median(each["all"] for each in seconds[function])
        found.append(
            Figure(
                f"{function}: {taken * 1000:,.0f} ms, of a bare app's",
                taken / bare,
                "times",
                limit=MOST_TIMES_BARE.get(function, 1.8),
            )
        )
    return found


def times(
    starts: Mapping[str, Start], environment: Mapping[str, str], rounds: int
) -> dict[str, list[dict[str, float]]]:
    """Seconds by program, one entry a round; a first round does not count."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in starts}
    for number in range(rounds + 1):
        for name, start in starts.items():
            found = run_once(start, environment)
            if number:
                taken[name].append(found)
    return taken


@contextmanager
def repeating(url: str) -> Iterator[str]:
    """Another address for a server: it is asked once for each path, and answers the same ever after."""
    known: dict[str, httpx.Response] = {}

    def answer(request: Request) -> None:
        if request.path not in known:
            headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
            known[request.path] = httpx.post(url + request.path, content=request.body, headers=headers)
        found = known[request.path]
        request.answer(found.status_code, found.content, {"content-type": found.headers["content-type"]})

    with serving(answer) as address:
        yield address


def _starts(folder: Path, settings: StackSettings, keys: Keys) -> dict[str, Start]:
    token = _token(settings, keys)
    starts: dict[str, Start] = {}
    for artefact in build_all(FUNCTIONS, local_platform()):
        task = folder / artefact.function
        with zipfile.ZipFile(artefact.zip) as archive:
            archive.extractall(task)
        event = folder / f"{artefact.function}.json"
        content = read_event(EVENTS / f"{_FIRST_EVENTS[artefact.function]}.json")
        event.write_text(json.dumps(signed_in(content, token) if "requestContext" in content else content))
        starts[artefact.function] = Start(task, f"functions.{artefact.function}.handler.handler", event)
    (folder / "health" / "bare.py").write_text(_BARE)
    install_as_is(_PROJECT / "requirements-lambda.txt", folder / "runtime")
    return {"bare": Start(folder / "health", "bare.handler", folder / "health.json"), **starts}


def _token(settings: StackSettings, keys: Keys) -> str:
    """Of a demo patient with a history."""
    answer = httpx.post(
        f"{settings.supabase_url}/auth/v1/token?grant_type=password",
        headers={"apikey": keys.publishable},
        json={"email": "anjali@example.com", "password": "nexus-demo-2026"},
        timeout=30,
    ).raise_for_status()
    token: str = answer.json()["access_token"]
    return token


def _environment(url: str, keys: Keys, runtime: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(runtime),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "ap-south-1",
        "AWS_LAMBDA_FUNCTION_NAME": "cold",
        "SUPABASE_URL": url,
        "SUPABASE_PUBLISHABLE_KEY": keys.publishable,
        "SUPABASE_JWT_SECRET": keys.jwt_secret,
        "ACCOUNTS_KEY": keys.accounts,
        "SUPABASE_SECRET_KEY": keys.secret,
        "INCOMING_WEBHOOK_SECRETS": keys.partner_incoming,
        "PARTNER_WEBHOOK_SECRETS": keys.partner_outgoing,
        "PARTNER_URL": "http://127.0.0.1:9/webhooks",
    }


def run_once(start: Start, environment: Mapping[str, str]) -> dict[str, float]:
    # The interpreter of the virtual environment would know the way to the environment's packages.
    interpreter = sys._base_executable  # type: ignore[attr-defined]
    program = Path(__file__).with_name("one_start.py")
    finished = subprocess.run(
        [interpreter, "-S", str(program), start.handler, str(start.event)],
        cwd=start.folder,
        env={**environment, "PYTHONPATH": f"{start.folder}{os.pathsep}{environment['PYTHONPATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if finished.returncode != 0:
        raise RuntimeError(f"{start.handler} did not start:\n{finished.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    if (answer["status"] or 0) >= 500:
        raise RuntimeError(f"{start.handler} failed:\n{finished.stdout[-3000:]}")
    return {name: answer[name] for name in ("import", "all")}
