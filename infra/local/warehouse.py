"""What the mock partner of the laptop remembers: orders it took, and what it still has to report of them.

Everything it draws depends on the seed and the order alone, so a run can be repeated whatever comes first.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

_STEPS = ("accepted", "packed", "shipped", "delivered")

_TABLES = """
create table if not exists taken (
  webhook_id text primary key, type text, order_id text, body text, deliveries integer, taken_at real
);
create table if not exists orders (order_id text primary key, tries integer, state text, ship_to text, items
text); create table if not exists reports (
  webhook_id text primary key, order_id text, status text, body text, due_at real,
  attempts integer default 0, sent_at real, answer integer, request_id text
);
create index if not exists reports_due on reports (due_at) where sent_at is null;
"""


@dataclass(frozen=True)
class Behaviour:
    """How the partner misbehaves. Rates are shares of what it does; delays are seconds."""

    seed: int = 2026
    step_seconds: float = 4.0
    """About how long each step of an order takes."""
    failing: float = 0.0
    """Requests answered with an error, half of them after the work is done."""
    hanging: float = 0.0
    """Requests answered too late, half of them after the work is done."""
    repeating: float = 0.0
    """Reports sent twice."""
    shuffling: float = 0.0
    """Orders whose reports come in another order than they happened."""
    late: float = 0.0
    """Orders of which an old report comes again at the end."""
    undeliverable: float = 0.0
    """Orders that fail; the second try succeeds."""
    refusing: float = 0.0
    """Orders it cancels by itself."""


@dataclass(frozen=True)
class Report:
    webhook_id: str
    body: str
    attempts: int
    request_id: str | None


class Warehouse:
    """The partner's own book-keeping, in a file, so that it survives a restart as a real one would."""

    def __init__(self, path: Path | str, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript(_TABLES)

    def take(self, webhook_id: str, event: Mapping[str, Any], request_id: str | None) -> None:
        """Act on an event, once: a repetition is known by its id."""
        order_id = event["data"]["order_id"]
        with self._lock, self._database:
            self._database.execute("begin immediate")
            known = self._database.execute(
                "update taken set deliveries = deliveries + 1 where webhook_id = ?", [webhook_id]
            ).rowcount
            if known:
                return
            self._database.execute(
                "insert into taken values (?, ?, ?, ?, 1, ?)",
                [webhook_id, event["type"], order_id, json.dumps(event), time.time()],
            )
            if event["type"] == "order.confirmed":
                self._plan(order_id, event["data"], request_id)
            elif event["type"] == "order.cancelled":
                self._database.execute("update orders set state = 'cancelled' where order_id = ?", [order_id])
                self._database.execute(
                    "delete from reports where order_id = ? and attempts = 0 and sent_at is null", [order_id]
                )

    def due(self, most: int) -> list[Report]:
        """Reports whose time has come; each is held back for a few seconds from whoever asks next."""
        now = time.time()
        with self._lock:
            rows = self._database.execute(
                """
                update reports set attempts = attempts + 1, due_at = ? + 2 + attempts
                where webhook_id in (
                  select webhook_id from reports where sent_at is null and due_at <= ? order by due_at limit ?
                )
                returning webhook_id, body, attempts, request_id
                """,
                [now, now, most],
            ).fetchall()
        return [Report(*row) for row in rows]

    def reported(self, webhook_id: str, answer: int) -> None:
        with self._lock:
            self._database.execute(
                "update reports set sent_at = ?, answer = ? where webhook_id = ?",
                [time.time(), answer, webhook_id],
            )

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """For people and tests who want to look into its books."""
        with self._lock:
            return self._database.execute(query, arguments).fetchall()

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _plan(self, order_id: str, data: Mapping[str, Any], request_id: str | None) -> None:
        self._database.execute(
            """
            insert into orders (order_id, tries, state, ship_to, items) values (?, 1, 'open', ?, ?)
            on conflict (order_id) do update set tries = tries + 1
            """,
            [order_id, data.get("ship_to"), json.dumps(data.get("items"))],
        )
        tries, state = self._database.execute(
            "select tries, state from orders where order_id = ?", [order_id]
        ).fetchone()
        if state == "cancelled":
            return
        random = Random(f"{self._behaviour.seed}:{order_id}:{tries}")  # noqa: S311 - moods, not secrets
        statuses = self._statuses(random, tries)
        now = time.time()
        happens = now
        planned: list[tuple[float, str, str]] = []  # when it is told, its status, its body
        for status in statuses:
            happens += self._behaviour.step_seconds * random.uniform(0.5, 1.5)
            planned.append((happens, status, self._body(order_id, status, happens)))
        if random.random() < self._behaviour.shuffling:
            moments = [moment for moment, _, _ in planned]
            random.shuffle(moments)
            planned = [
                (moment, status, body) for moment, (_, status, body) in zip(moments, planned, strict=True)
            ]
        if random.random() < self._behaviour.late:
            _, status, body = random.choice(planned)
            planned.append((happens + self._behaviour.step_seconds, status, body))
        for moment, status, body in planned:
            webhook_id = f"msg_{uuid.UUID(int=random.getrandbits(128)).hex}"
            self._database.execute(
                """
                insert into reports (webhook_id, order_id, status, body, due_at, request_id)
                values (?, ?, ?, ?, ?, ?)
                """,
                [webhook_id, order_id, status, body, moment, request_id],
            )

    def _statuses(self, random: Random, tries: int) -> tuple[str, ...]:
        draw = random.random()
        if tries == 1 and draw < self._behaviour.refusing:
            return ("cancelled",) if random.random() < 0.5 else ("accepted", "cancelled")
        if tries == 1 and draw < self._behaviour.refusing + self._behaviour.undeliverable:
            return (*_STEPS[: random.randint(1, 2)], "failed")
        return _STEPS

    @staticmethod
    def _body(order_id: str, status: str, moment: float) -> str:
        data: dict[str, str] = {"order_id": order_id, "status": status}
        if status in ("shipped", "delivered"):
            data["tracking_number"] = f"MOCK-{order_id}"
        if status in ("failed", "cancelled"):
            data["reason"] = "nobody at the door" if status == "failed" else "out of stock at the warehouse"
        timestamp = datetime.fromtimestamp(moment, UTC).isoformat()
        return json.dumps({"type": "fulfillment.updated", "timestamp": timestamp, "data": data})
