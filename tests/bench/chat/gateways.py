"""The database as a chat turn calls it, with a stopwatch: through PostgREST, or in SQL alone."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from shared.database import Gateway


@dataclass
class Timed:
    """A gateway that notes how long each call took, in milliseconds."""

    inner: Gateway
    calls: list[tuple[str, float]] = field(default_factory=list)

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        started = time.perf_counter()
        try:
            return self.inner.rpc(name, arguments)
        finally:
            self.calls.append((name, (time.perf_counter() - started) * 1000))


class Direct:
    """Calls the functions on a connection of its own, with the rights PostgREST would give."""

    def __init__(self, connection: psycopg.Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = str(user_id)

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        given = {key: _value(value) for key, value in (arguments or {}).items()}
        call = sql.SQL("select public.{}({})").format(
            sql.Identifier(name),
            sql.SQL(", ").join(
                sql.SQL("{} => {}").format(sql.Identifier(key), sql.Placeholder(key)) for key in given
            ),
        )
        with self._connection.transaction():
            self._connection.execute(
                "select set_config('request.jwt.claims', %s, true),"
                " set_config('request.jwt.claim.sub', %s, true),"
                " set_config('role', 'authenticated', true)",
                [json.dumps({"sub": self._user_id, "role": "authenticated"}), self._user_id],
            )
            row = self._connection.execute(call, given).fetchone()
        return row[0] if row else None


def _value(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, list | dict) else value
