"""What a laptop tells its database about limits: whether they hold, and the key of who counts sign-ins."""

from __future__ import annotations

import hashlib
import os

import psycopg

from infra.local.settings import Keys, StackError, StackSettings


def apply_rate_limits(settings: StackSettings, keys: Keys) -> None:
    """Enforce the limits unless RATE_LIMITS is off. Raises StackError for any other word."""
    switch = os.environ.get("RATE_LIMITS") or "on"
    if switch not in ("on", "off"):
        raise StackError(f"RATE_LIMITS is on or off, not {switch!r}.")
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("update public.rate_limits set enforced = %s", [switch == "on"])
        connection.execute(
            """
            insert into public.function_keys (function_name, key_hash) values ('accounts', %s)
            on conflict do nothing
            """,
            [hashlib.sha256(keys.accounts.encode()).hexdigest()],
        )
