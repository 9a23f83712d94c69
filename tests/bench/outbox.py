"""Draining the outbox: orders that the partner must hear of, delivered by the deployed handler of `dispatch`.

The handler runs in a process of its own and delivers over HTTP to a partner that accepts everything; each
delivery is claimed, signed, sent and settled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg

from infra.local.reset import delete_data
from infra.local.settings import PROJECT, StackSettings
from infra.local.stack import Stack
from tests.bench.measuring import Figure, with_tenths
from tests.bench.scratch import scratch_settings

EVENTS = 10_000


def measure(scale: float) -> list[Figure]:
    events = max(500, round(EVENTS * scale))
    return with_tenths(_drained(events), _drained(events // 10))


def _drained(events: int) -> list[Figure]:
    settings = scratch_settings()
    delete_data(settings)
    with Stack(settings, until="seed", report=lambda _: None) as stack, _partner(settings) as taken:
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            connection.execute(_WAITING, [events])
            connection.execute("analyze")
        run = _run(settings, stack.keys.secret, stack.keys.partner_outgoing)
        with psycopg.connect(settings.database_url) as connection:
            row = connection.execute(
                "select count(*) from public.outbox_events where delivered_at is null"
            ).fetchone()
    delete_data(settings)
    if row != (0,) or len(taken) != events:
        raise SystemExit(f"Not drained: {row} events are left, the partner took {len(taken)} of {events}.")
    print(f"  {events:,} events", flush=True)
    return [
        Figure("events delivered", events, "events"),
        Figure("events", events / run["seconds"], "a second"),
        Figure("an event", 1000 * run["seconds"] / events, "ms"),
        Figure("peak memory of the function", run["peak_mib"], "MiB", limit=512),
    ]


_WAITING = """
with numbered as (
  select n, 'BEN' || lpad(n::text, 9, '0') as order_id from generate_series(1, %s) as n
),
placed as (
  insert into public.orders (order_id, patient_id, status, total, placed_by)
  select order_id, 'PAT001', 'confirmed', 100, 'import' from numbered
  returning order_id
)
insert into public.outbox_events (event_type, order_id, payload)
select 'order.confirmed', order_id, jsonb_build_object(
  'order_id', order_id, 'ship_to', 'PAT001',
  'items', jsonb_build_array(jsonb_build_object('product_id', 'MED021', 'quantity', 1))
)
from placed
"""


@contextmanager
def _partner(settings: StackSettings) -> Iterator[set[str]]:
    """A partner that takes everything; gives the ids of what it took."""
    taken: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            taken.add(self.headers["webhook-id"])
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", settings.partner.number), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()


def _run(settings: StackSettings, secret_key: str, signing: str) -> dict[str, Any]:
    """One run of the handler with the time it needs, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "drain.json"
        subprocess.run(
            [sys.executable, "-m", "tests.bench.one_drain", str(report)],
            cwd=PROJECT,
            env={
                "PATH": os.environ["PATH"],
                "STAGE": "local",
                "LOG_LEVEL": "WARNING",
                "SUPABASE_URL": settings.supabase_url,
                "SUPABASE_SECRET_KEY": secret_key,
                "PARTNER_URL": f"http://127.0.0.1:{settings.partner.number}/webhooks",
                "PARTNER_WEBHOOK_SECRETS": signing,
                "NOTIFICATION_CHANNELS": "console",
                "POWERTOOLS_METRICS_DISABLED": "true",
            },
            stdout=subprocess.DEVNULL,
            check=True,
        )
        found: dict[str, Any] = json.loads(report.read_text())
    return found
