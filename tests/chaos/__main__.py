"""`make chaos`: 2,000 orders while the partner fails, hangs, repeats itself and dispatchers are killed.

Runs on a stack of its own, prints what was counted, and exits with 1 when anything was lost or done twice.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import psycopg

from infra.local.event_sources import start_event_sources
from infra.local.reset import delete_data
from infra.local.settings import PROJECT, Port, StackError, StackSettings
from infra.local.stack import Stack
from tests.chaos.accounting import account
from tests.chaos.storm import rage
from tests.running_stack import RunningStack


def main() -> int:
    options = _options()
    os.environ |= {
        "RATE_LIMITS": "off",
        "LOG_LEVEL": "WARNING",
        "PARTNER_TIMEOUT_SECONDS": "2",
        "DISPATCH_LEASE_SECONDS": "5",
    }
    settings = _own_settings()
    try:
        delete_data(settings)
        with Stack(settings) as running:
            stack = RunningStack.of(settings, running.keys)
            wake_ups = start_event_sources(settings)
            try:
                storm, taken = rage(
                    stack,
                    options.orders,
                    seed=options.seed,
                    books=settings.data_dir / "partner.sqlite3",
                    seconds=options.seconds,
                    say=lambda words: print(words, flush=True),
                )
            finally:
                wake_ups.stop()
            with psycopg.connect(settings.database_url) as database:
                found = account(database, storm, taken)
    except (StackError, AssertionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"\nSeed {options.seed}, {storm.seconds:.0f} s:\n{found.table()}")
    print("\n" + ("\n".join(found.wrong) or "Nothing is lost, nothing is twice."))
    return 1 if found.wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--seconds", type=float, default=1800, help="give up after so long (default: 1800)")
    return parser.parse_args()


def _own_settings() -> StackSettings:
    def port(variable: str, default: int) -> Port:
        return Port(int(os.environ.get(variable, default)), variable)

    return StackSettings(
        data_dir=Path(PROJECT / ".local" / "chaos"),
        api=port("NEXUS_CHAOS_API_PORT", 17000),
        lambda_api=port("NEXUS_CHAOS_LAMBDA_PORT", 17002),
        supabase=port("NEXUS_CHAOS_SUPABASE_PORT", 17021),
        postgres=port("NEXUS_CHAOS_POSTGRES_PORT", 17022),
        sqs=port("NEXUS_CHAOS_SQS_PORT", 17024),
        external_database_url=None,
        durable=False,
        partner=port("NEXUS_CHAOS_PARTNER_PORT", 17026),
    )


if __name__ == "__main__":
    sys.exit(main())
