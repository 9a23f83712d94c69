"""The laptop's switch for the rate limits, carried into the database, which does the counting."""

from __future__ import annotations

import os

import psycopg

from infra.local.settings import StackError, StackSettings


def apply_rate_limits(settings: StackSettings) -> None:
    """Enforce the limits unless RATE_LIMITS is off. Raises StackError for any other word."""
    switch = os.environ.get("RATE_LIMITS") or "on"
    if switch not in ("on", "off"):
        raise StackError(f"RATE_LIMITS is on or off, not {switch!r}.")
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("update public.rate_limits set enforced = %s", [switch == "on"])
