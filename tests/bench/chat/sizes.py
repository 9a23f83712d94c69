"""A chat turn with a catalogue of one size: medians and 95th percentiles, in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median, quantiles
from typing import Any

import psutil
import psycopg

from infra.local.settings import Keys, StackSettings
from infra.local.supabase import start_supabase, write_project
from tests.bench.chat.measuring import Sample, in_sql, measure, through_postgrest
from tests.bench.chat.work import Work, server_of


def measured(settings: StackSettings, keys: Keys, url: str, size: int, rounds: int) -> dict[str, Any]:
    own = replace(
        settings,
        data_dir=settings.data_dir / f"bench_{size}",
        supabase=settings.api,  # no functions run here, and the seeded database keeps its own gateway
        external_database_url=url,
    )
    with psycopg.connect(url, autocommit=True) as admin, psycopg.connect(url, autocommit=True) as direct:
        admin.execute("update public.rate_limits set enforced = false")
        gateway = start_supabase(own, keys, write_project(own))
        try:
            as_the_lambda = through_postgrest(own.supabase_url, keys.publishable, keys.jwt_secret)
            work = Work([psutil.Process(gateway.pid), server_of(admin)])
            whole, spent = measure(admin, as_the_lambda, rounds, work)
        finally:
            gateway.stop()
        in_database, _ = measure(admin, in_sql(direct), rounds)
    kinds = dict.fromkeys(sample.kind for sample in whole)
    return {
        "products": size,
        "turn": spread([s.whole for s in whole]),
        "processor": round(spent, 1),
        "context": spread([s.context for s in whole]),
        "context_sql": spread([s.context for s in in_database]),
        "turn_sql": spread([s.turn for s in in_database]),
        "kinds": {
            kind: {
                "turn": spread([s.whole for s in whole if s.kind == kind]),
                "context_sql": spread([s.context for s in in_database if s.kind == kind]),
                "turn_sql": spread([s.turn for s in in_database if s.kind == kind]),
            }
            for kind in kinds
        },
        "slowest": _slowest(whole),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(values, n=20, method="inclusive")
    return {"p50": round(median(values), 1), "p95": round(cuts[18], 1)}


def _slowest(samples: Sequence[Sample]) -> dict[str, float]:
    """The ten messages that took longest in the median."""
    by_message: dict[str, list[float]] = {}
    for sample in samples:
        by_message.setdefault(sample.message, []).append(sample.whole)
    took = sorted(((median(values), message) for message, values in by_message.items()), reverse=True)
    return {message: round(value, 1) for value, message in took[:10]}
