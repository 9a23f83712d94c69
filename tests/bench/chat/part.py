"""The chat's part of `make bench`: a turn without a model, by the size of the catalogue."""

from __future__ import annotations

import os
from typing import Any

from infra.local.reset import delete_data
from infra.local.stack import Stack
from tests.bench.catalogues import catalogue_of
from tests.bench.chat.sizes import measured
from tests.bench.measuring import Figure
from tests.bench.scratch import scratch_settings

SEEDED, PRODUCTS = 110, 250_000
TARGET = {"p50": 30.0, "p95": 80.0}
"""Milliseconds of a whole turn; a catalogue larger than the seed's may take twice as long."""

_ROUNDS = 3


def measure(scale: float) -> list[Figure]:
    os.environ["RATE_LIMITS"] = "off"
    settings = scratch_settings()
    large = max(SEEDED, round(PRODUCTS * scale))
    sizes = (SEEDED, max(SEEDED, large // 10), large)
    found: dict[int, dict[str, Any]] = {}
    delete_data(settings)
    with Stack(settings, until="seed", report=lambda _: None) as stack:
        for size in sorted(set(sizes)):
            with catalogue_of(settings, size) as url:
                found[size] = measured(settings, stack.keys, url, size, _ROUNDS)
            print(f"  {size:,} products", flush=True)
    delete_data(settings)
    seeded, tenth, full = (found[size] for size in sizes)
    return [
        *(
            Figure(f"a turn with {SEEDED} products, {key}", seeded["turn"][key], "ms", limit=most)
            for key, most in TARGET.items()
        ),
        *(
            Figure(
                f"a turn with {large:,} products, {key}",
                full["turn"][key],
                "ms",
                limit=2 * most,
                tenth=tenth["turn"][key],
            )
            for key, most in TARGET.items()
        ),
        Figure(
            f"processor time of a turn with {large:,} products",
            full["processor"],
            "ms",
            tenth=tenth["processor"],
        ),
    ]
