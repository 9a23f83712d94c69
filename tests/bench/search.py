"""Searching the catalogue: `search_products`, for names as people type them, by the size of the catalogue."""

from __future__ import annotations

import time

import psycopg

from infra.local.reset import delete_data
from infra.local.stack import Stack
from tests.bench.catalogues import catalogue_of
from tests.bench.chat.messages import misspelt
from tests.bench.measuring import Figure, percentile
from tests.bench.scratch import scratch_settings

PRODUCTS = 250_000
SMALL = 2_500
"""What the large catalogue is compared with."""
MOST = 3.0

_NAMES = 120
_ROUNDS = 3


def measure(scale: float) -> list[Figure]:
    settings = scratch_settings()
    sizes = {"full": max(SMALL, round(PRODUCTS * scale)), "small": SMALL}
    sizes["tenth"] = max(SMALL, sizes["full"] // 10)
    took: dict[int, list[float]] = {}
    delete_data(settings)
    with Stack(settings, until="seed", report=lambda _: None):
        for size in sorted(set(sizes.values())):
            with catalogue_of(settings, size) as url, psycopg.connect(url, autocommit=True) as connection:
                took[size] = _searches(connection)
            print(f"  {size:,} products", flush=True)
    delete_data(settings)
    full, tenth, small = (took[sizes[name]] for name in ("full", "tenth", "small"))
    return [
        Figure("products", sizes["full"], "products", tenth=sizes["tenth"]),
        *(
            Figure(
                f"a search, p{round(100 * share)}",
                percentile(full, share),
                "ms",
                tenth=percentile(tenth, share),
            )
            for share in (0.5, 0.95)
        ),
        Figure(f"a search with {SMALL:,} products, p95", percentile(small, 0.95), "ms"),
        Figure(
            f"p95, for one with {SMALL:,} products",
            percentile(full, 0.95) / percentile(small, 0.95),
            "times",
            limit=MOST,
        ),
    ]


def _searches(connection: psycopg.Connection) -> list[float]:
    """Milliseconds of each search: whole names, brands, beginnings of words, misspelt ones."""
    names = [
        name.lower()
        for (name,) in connection.execute(
            "select product_name from public.products order by md5(product_id) limit %s", [_NAMES]
        )
    ]
    brands = [name.split(" ")[0] for name in names]
    asked = [*names, *brands, *(brand[:4] for brand in brands), *map(misspelt, brands)]
    took = []
    for number in range(_ROUNDS + 1):
        for words in asked:
            started = time.perf_counter()
            connection.execute("select public.search_products(%s, null, 20)", [words], prepare=True)
            if number:
                took.append(1000 * (time.perf_counter() - started))
    return took
