"""The refill scan over a large pharmacy: 1,000,000 order lines of 100,000 patients.

The data are made in the database of a scratch stack. The scan is the deployed handler in a process of its
own, over PostgREST as always; the plain loops do the same prediction for some of the patients, and their time
is taken for all of them.
"""

from __future__ import annotations

import bisect
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from infra.local.reset import delete_data
from infra.local.settings import PROJECT, StackSettings
from infra.local.stack import Stack
from tests.bench import plain_loop
from tests.bench.measuring import Figure, with_tenths
from tests.bench.scratch import scratch_settings

PATIENTS = 100_000
LINES_A_PATIENT = 10
SAMPLE = 500
"""Patients for the plain loops."""


def measure(scale: float) -> list[Figure]:
    return with_tenths(_measured(scale), _measured(scale / 10))


def _measured(scale: float) -> list[Figure]:
    settings = scratch_settings()
    delete_data(settings)
    with Stack(settings, until="seed", report=_say) as stack:
        patients = max(SAMPLE, round(PATIENTS * scale))
        lines = _fill(settings.database_url, patients)
        _say(f"  {lines:,} order lines of {patients:,} patients")

        sample = _sample(settings.database_url)
        gateway = _timed(
            lambda: plain_loop.over_the_gateway(settings.supabase_url, stack.keys.secret, sample)
        )
        _without_alerts(settings.database_url)
        connection = _timed(lambda: plain_loop.over_a_connection(settings.database_url, sample))
        _without_alerts(settings.database_url)

        scan = _scan(settings, stack.keys.secret)
        _require_same_alerts(settings.database_url, sample, connection.result)
    delete_data(settings)
    return [*_of_scan(scan, lines), *_of_loops(scan, gateway, connection, patients)]


def _of_scan(scan: dict[str, Any], lines: int) -> list[Figure]:
    alerts = [one for one in scan["slices"] if one["stage"] == "alerts"]
    reminders = [one for one in scan["slices"] if one["stage"] == "reminders"]
    buckets = _per_100_000_lines(alerts)
    half = len(buckets) // 2 or 1
    last = scan["slices"][-1]
    return [
        Figure("patients scanned", last["scanned"], "patients"),
        Figure("order lines", lines, "lines"),
        Figure("alerts created", last["alerts_created"], "alerts"),
        Figure("alerts: all of them", _seconds(alerts), "s"),
        Figure("alerts: per 100,000 lines, median", statistics.median(buckets), "s"),
        Figure("alerts: per 100,000 lines, slowest", max(buckets), "s"),
        Figure(
            "alerts: second half of the lines / first half",
            sum(buckets[-half:]) / sum(buckets[:half]),
            "times",
            limit=1.4,
        ),
        Figure("peak memory of the function", scan["peak_mib"], "MiB", limit=256),
        Figure("reminders queued, each verified like an order", last["reminders"], "reminders"),
        Figure("reminders: all of them", _seconds(reminders), "s"),
        Figure("reminders: each", 1000 * _seconds(reminders) / max(last["reminders"], 1), "ms"),
        Figure("invocations of 300 s for both", scan["invocations"], "invocations"),
    ]


def _of_loops(scan: dict[str, Any], gateway: Timed, connection: Timed, patients: int) -> list[Figure]:
    seconds = _seconds([one for one in scan["slices"] if one["stage"] == "alerts"])
    everybody = patients / SAMPLE
    return [
        Figure("plain loop of requests: all of them", gateway.seconds * everybody, "s"),
        Figure("alerts: faster than that loop", gateway.seconds * everybody / seconds, "times", at_least=20),
        Figure("plain loop on a local connection: all of them", connection.seconds * everybody, "s"),
        Figure(
            "alerts: faster than that loop, which no function can run",
            connection.seconds * everybody / seconds,
            "times",
        ),
    ]


def _per_100_000_lines(slices: list[dict[str, Any]]) -> list[float]:
    """The seconds that each 100,000 lines took, one after the other; slices are taken as even."""
    lines, seconds = [0.0], [0.0]
    for one in slices:
        if one["scanned"] * LINES_A_PATIENT > lines[-1]:
            lines.append(float(one["scanned"] * LINES_A_PATIENT))
            seconds.append(seconds[-1] + one["seconds"])
    # What is left over after the last 100,000 says little.
    bounds = [*range(0, int(lines[-1]) + 1, 100_000)] if lines[-1] >= 100_000 else [0.0, lines[-1]]
    marks = [_at(bound, lines, seconds) for bound in bounds]
    return [after - before for before, after in itertools.pairwise(marks)]


def _at(bound: float, lines: list[float], seconds: list[float]) -> float:
    place = max(bisect.bisect_left(lines, bound), 1)
    share = (bound - lines[place - 1]) / (lines[place] - lines[place - 1])
    return seconds[place - 1] + share * (seconds[place] - seconds[place - 1])


def _seconds(slices: list[dict[str, Any]]) -> float:
    return sum(float(one["seconds"]) for one in slices)


def _fill(database_url: str, patients: int) -> int:
    crowd = (Path(__file__).parent / "crowd.sql").read_text()
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in crowd.split(";\n\n"):
            connection.execute(statement.encode(), {"patients": patients} if "%(" in statement else None)
        row = connection.execute(
            "select count(*) from public.order_items join public.orders using (order_id) "
            "where patient_id like 'BEN%'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _sample(database_url: str) -> list[str]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select patient_id from public.patients where patient_id like 'BEN%'")
        everybody = sorted(patient_id for (patient_id,) in rows)
    return sorted(random.Random(7).sample(everybody, SAMPLE))


def _without_alerts(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("truncate public.refill_alerts restart identity")
        connection.execute("vacuum analyze public.refill_alerts")


@dataclass(frozen=True)
class Timed:
    result: list[plain_loop.Alert]
    seconds: float


def _timed(loop: Callable[[], list[plain_loop.Alert]]) -> Timed:
    started = time.perf_counter()
    result = loop()
    return Timed(result, time.perf_counter() - started)


def _scan(settings: StackSettings, secret_key: str) -> dict[str, Any]:
    """The handler in a process of its own, with the environment that its function.yml declares."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "scan.json"
        subprocess.run(
            [sys.executable, "-m", "tests.bench.one_scan", str(report)],
            cwd=PROJECT,
            env={
                "PATH": os.environ["PATH"],
                "STAGE": "local",
                "LOG_LEVEL": "WARNING",
                "SUPABASE_URL": settings.supabase_url,
                "SUPABASE_SECRET_KEY": secret_key,
            },
            stdout=subprocess.DEVNULL,
            check=True,
        )
        found: dict[str, Any] = json.loads(report.read_text())
    return found


def _require_same_alerts(database_url: str, sample: list[str], expected: list[plain_loop.Alert]) -> None:
    """A scan that is fast and wrong is no scan."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select patient_id, composition, run_out_on from public.refill_alerts where patient_id = any(%s)",
            [sample],
        ).fetchall()
    if sorted(rows) != sorted(expected):
        raise SystemExit("The scan and the plain loop do not find the same alerts.")


def _say(text: str) -> None:
    print(text, flush=True)
