"""Placing an order over the API, beside a function of the database that does nothing, called in the same way.

Both are the same request to the same Lambda through the same gateways. Only `create_order` is exchanged for
one that answers at once with an order made up.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import jwt
import psycopg

from infra.local.reset import delete_data
from infra.local.stack import Stack
from tests.bench.measuring import Figure, percentile
from tests.bench.placing.clients import Comparison, Way, compare
from tests.bench.placing.people import gather
from tests.bench.scratch import scratch_settings

PATIENTS = 10_000
LEAST = 0.5

_CLIENTS = (1, 8)
_ROUNDS = 6

_NO_OP = """
create function bench.no_op(
  p_request jsonb, p_patient_id text default null, p_idempotency_key text default null
)
returns jsonb
language sql
as $$
  select '{
    "outcome": "placed", "trace_id": "00000000-0000-4000-8000-000000000000", "findings": [],
    "rejected_items": [], "questions": [], "order": {
      "order_id": "ORD000", "status": "confirmed", "status_reason": null, "total_price": 10,
      "placed_at": "2026-01-01T00:00:00Z", "tracking": null, "items": [{
        "product_id": "MED001", "product_name": "Dolo 650", "quantity": 1, "unit_price": 10, "line_total": 10,
        "package_size": "15 Tablets", "dosage_frequency": "as_needed", "units_per_dose": 1, "warnings": []
      }]
    }
  }'::jsonb;
$$;
grant execute on function bench.no_op(jsonb, text, text) to authenticated;
"""
_EXCHANGE = """
alter function public.create_order(jsonb, text, text) rename to create_order_really;
alter function bench.no_op(jsonb, text, text) rename to create_order;
alter function bench.create_order(jsonb, text, text) set schema public;
"""
_RESTORE = """
alter function public.create_order(jsonb, text, text) set schema bench;
alter function bench.create_order(jsonb, text, text) rename to no_op;
alter function public.create_order_really(jsonb, text, text) rename to create_order;
"""


def measure(scale: float) -> list[Figure]:
    settings = scratch_settings()
    delete_data(settings)
    os.environ["RATE_LIMITS"] = "off"
    figures: list[Figure] = []
    with (
        Stack(settings, until="functions", report=lambda _: None) as stack,
        psycopg.connect(settings.database_url, autocommit=True) as connection,
        ExitStack() as opened,
    ):
        gather(connection, max(1_000, round(PATIENTS * scale)))
        connection.execute(_NO_OP)
        carts = list(_requests(connection, stack.keys.jwt_secret))
        once, again = iter(carts), itertools.cycle(carts)
        for clients in _CLIENTS:
            opened_clients = [opened.enter_context(_client(settings.api_url)) for _ in range(clients)]
            order = [partial(_order, client, once) for client in opened_clients]
            pretend = [partial(_order, client, again) for client in opened_clients]
            compared = compare(
                Way(order),
                Way(
                    pretend,
                    prepare=partial(connection.execute, _EXCHANGE),
                    restore=partial(connection.execute, _RESTORE),
                ),
                times=max(20, 5 * clients),
                rounds=_ROUNDS,
            )
            figures += _figures(clients, compared)
    delete_data(settings)
    return figures


def _figures(clients: int, compared: Comparison) -> Iterator[Figure]:
    of = "1 client" if clients == 1 else f"{clients} clients"
    yield Figure(
        f"{of}: orders over the API for one that does nothing", compared.ratio, "times", at_least=LEAST
    )
    yield Figure(f"{of}: orders over the API", compared.one.a_second, "a second")
    for share in (0.5, 0.95):
        yield Figure(
            f"{of}: an order over the API, p{round(100 * share)}",
            1000 * percentile(compared.one.each, share),
            "ms",
        )


def _client(base_url: str) -> httpx.Client:
    # There is no TLS on this machine; reading all certificates would cost more than the requests do.
    return httpx.Client(base_url=base_url, timeout=60, verify=False)


def _requests(connection: psycopg.Connection, jwt_secret: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Token and body of each cart."""
    for user_id, request in connection.execute(
        "select user_id, request from bench.turns order by turn"
    ).fetchall():
        claims = {
            "sub": str(user_id),
            "role": "authenticated",
            "aud": "authenticated",
            "exp": time.time() + 3600,
        }
        yield jwt.encode(claims, jwt_secret, algorithm="HS256"), request


def _order(client: httpx.Client, requests: Iterator[tuple[str, dict[str, Any]]]) -> None:
    token, body = next(requests)
    answer = client.post(
        "/api/orders",
        json=body,
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())},
    )
    if answer.status_code != 201:
        raise SystemExit(f"An order was not placed: {answer.status_code} {answer.text}")
