"""SnapStart: one process is frozen after its start, and many environments continue from that moment.

What must differ between them, or may have aged, is made anew when one continues: the seed of `random` (ids
of `uuid4` and keys come from the system and differ by themselves), connections, the project's public keys and
cached secrets.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from shared import auth, database, identity, outbox, parameters


def survive_snapshots(*caches: Callable[[], object]) -> None:
    """Call once while the function starts, with what else of its own is to be made anew. Elsewhere than in
    Lambda nothing happens.
    """
    try:
        from snapshot_restore_py import register_after_restore, register_before_snapshot
    except ImportError:  # Lambda's runtime brings it along, the laptop has none
        return
    register_before_snapshot(close_connections)
    register_after_restore(refresh, *caches)


def close_connections() -> None:
    """A connection of a frozen process is dead when it wakes up."""
    if database.get_database.cache_info().currsize:
        database.get_database().close()
    for cached in (database.get_database, auth.get_accounts, outbox.sqs_client):
        cached.cache_clear()


def refresh(*caches: Callable[[], object]) -> None:
    """Make anew what environments must not share. `caches` are called, too."""
    random.seed()
    close_connections()
    identity.get_token_verifier.cache_clear()
    parameters.forget()
    for clear in caches:
        clear()
