"""A stack for the benchmark alone, beside a running `make dev` and the tests."""

from __future__ import annotations

import os

from infra.local.settings import StackSettings, load_settings

_PORTS = {
    "API": 16000,
    "LAMBDA": 16002,
    "SUPABASE": 16421,
    "POSTGRES": 16422,
    "SQS": 16424,
    "PARTNER": 16426,
}
"""`NEXUS_BENCH_API_PORT` and so on move them."""


def scratch_settings(folder: str = ".local/bench") -> StackSettings:
    """Settings as those of `make dev`, also in how carefully the database writes."""
    ports = {
        f"NEXUS_{name}_PORT": os.environ.get(f"NEXUS_BENCH_{name}_PORT", str(number))
        for name, number in _PORTS.items()
    }
    return load_settings({"NEXUS_DATA_DIR": folder, **ports})
