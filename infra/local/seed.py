"""Loads the demo pharmacy: the project's seed CSVs and the demo identities."""

from __future__ import annotations

import os
import sys

from infra.local.processes import run
from infra.local.settings import PROJECT, Keys, StackSettings


def load_seed(settings: StackSettings, keys: Keys) -> None:
    """Run the importer over `infra/seed`; it does nothing when the data is already there."""
    run(
        [sys.executable, "-m", "infra.importer", "infra/seed", "--demo-accounts"],
        doing="Loading the seed",
        log=settings.logs / "seed.log",
        env={
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "SUPABASE_URL": settings.supabase_url,
            "SUPABASE_PUBLISHABLE_KEY": keys.publishable,
        },
        cwd=PROJECT,
    )
