"""The gateway to the database: every call is one Postgres function, run as whoever is calling.

PostgREST receives the caller's own token each time, so row-level security decides what is seen. One HTTP
client per process keeps its connections warm; it holds no session, and nobody ever signs in on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn, Protocol

import httpx
from postgrest import APIError, SyncPostgrestClient

from shared import correlation, deadline
from shared.circuit import Circuit, CircuitOpen
from shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    InvalidToken,
    NexusError,
    Unavailable,
    error_with_status,
)
from shared.settings import get_settings
from shared.tls import verification

_UNAVAILABLE_STATUSES = frozenset({502, 503, 504, 520, 521, 522, 523, 524})
_UNAVAILABLE_CODES = ("08", "53", "57P", "PGRST00")
# Prefixes of SQLSTATEs: connection exception, insufficient resources, shutdown; and of PostgREST's own codes
# for a database it cannot reach.
_TOO_SLOW = "57014"
# One statement was stopped for taking too long, which says nothing about the next.
_UNDONE_CODES = ("40", "55P03")
# Given up because others were in the way (deadlock, a lock not had in time): nothing has happened.
_TEXT_POSTGRES_REFUSES = ("22021", "22P05")


REST_SECONDS = 5.0
"""How long Supabase is left alone: without it nothing works, so what comes back must be found soon."""


class DatabaseDown(Unavailable):
    code = "database_unavailable"
    sentence = "The pharmacy's records cannot be reached right now."


class Gateway(Protocol):
    """What a service needs of the database. Tests pass a plain object with the same method."""

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Call the Postgres function `name` and return its JSON result.

        Raises the NexusError that the function reports (see `_raise_as_nexus_error`), and Unavailable
        (`database_unavailable`) when it does not answer in time.
        """


class Database:
    """Warm connections to PostgREST, shared by all calls of this process."""

    def __init__(
        self,
        *,
        url: str,
        publishable_key: str,
        timeout_seconds: float,
        transport: httpx.BaseTransport | None = None,
        circuit: Circuit | None = None,
    ) -> None:
        self._url = f"{url}/rest/v1"
        self._key = publishable_key
        self.circuit = circuit or Circuit("database", rest_seconds=REST_SECONDS)
        self._client = httpx.Client(
            transport=transport,
            verify=verification(url),
            timeout=httpx.Timeout(timeout_seconds, connect=min(3.0, timeout_seconds)),
            limits=httpx.Limits(max_connections=10, max_keepalive_connections=10, keepalive_expiry=60),
            event_hooks={
                "request": [_name_the_request, deadline.shorten],
                "response": [_refuse_when_unavailable],
            },
        )

    def acting_as(self, token: str) -> Gateway:
        """The database as the holder of `token` sees it."""
        return self._session({"apikey": self._key, "Authorization": f"Bearer {token}"})

    def acting_as_guest(self) -> Gateway:
        """The database as anyone sees it."""
        return self._session({"apikey": self._key})

    def close(self) -> None:
        self._client.close()

    def _session(self, headers: dict[str, str]) -> Gateway:
        postgrest = SyncPostgrestClient(self._url, headers=headers, http_client=self._client)
        return _Session(postgrest, self.circuit)


class _Session:
    def __init__(self, postgrest: SyncPostgrestClient, circuit: Circuit) -> None:
        self._postgrest = postgrest
        self._circuit = circuit

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        try:
            with self._circuit.guard(DatabaseDown):
                return self._call(name, dict(arguments or {}))
        except CircuitOpen as error:
            raise DatabaseDown() from error

    def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        try:
            return self._postgrest.rpc(name, arguments).execute().data
        except APIError as error:
            _raise_as_nexus_error(error)
        except httpx.HTTPError as error:
            raise DatabaseDown() from error


@lru_cache(maxsize=1)
def get_database() -> Database:
    settings = get_settings()
    return Database(
        url=settings.supabase_url,
        publishable_key=settings.supabase_publishable_key,
        timeout_seconds=settings.database_timeout_seconds,
    )


def _name_the_request(request: httpx.Request) -> None:
    """What the call writes into the outbox carries the id of the request that caused it."""
    if request_id := correlation.current_request_id():
        request.headers[correlation.HEADER] = request_id


def _refuse_when_unavailable(response: httpx.Response) -> None:
    if response.status_code in _UNAVAILABLE_STATUSES or _is_of_somebody_else(response):
        response.read()
        response.raise_for_status()


def _is_of_somebody_else(response: httpx.Response) -> bool:
    """PostgREST says in JSON what failed; any other failure is of a server in between."""
    return response.status_code >= 500 and "json" not in response.headers.get("content-type", "")


def _raise_as_nexus_error(error: APIError) -> NoReturn:
    """Give an error of PostgREST or of an SQL function its meaning.

    Our SQL functions raise SQLSTATE `PT<status>` with a stable code as message, a sentence as detail and
    optionally a JSON object of further members as hint, of which `retry_after` (seconds) becomes the header.
    """
    sqlstate = error.code or ""
    if sqlstate.startswith("PT") and sqlstate[2:].isdigit():
        members = _members(error.hint)
        wait = members.pop("retry_after", None)
        raise error_with_status(
            int(sqlstate[2:]),
            error.details or None,
            code=error.message,
            extra=members,
            headers={"Retry-After": str(wait)} if wait is not None else None,
        ) from None
    if sqlstate.startswith("PGRST3"):
        raise InvalidToken() from error
    if sqlstate == "42501":
        raise Forbidden() from error
    if sqlstate == "23505":
        raise Conflict() from error
    if sqlstate in _TEXT_POSTGRES_REFUSES:
        raise Invalid("The text contains characters that cannot be stored.") from error
    if sqlstate.startswith(_UNDONE_CODES):
        raise Unavailable("Too much happened at once. Please try again.", code="busy") from error
    if sqlstate == _TOO_SLOW:
        raise Unavailable(DatabaseDown.sentence, code=DatabaseDown.code) from error
    if sqlstate.startswith(_UNAVAILABLE_CODES):
        raise DatabaseDown() from error
    raise NexusError() from error


def _members(hint: str | None) -> dict[str, Any]:
    try:
        members = json.loads(hint or "{}")
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
