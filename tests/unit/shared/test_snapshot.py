"""Environments that continue from one snapshot do not share what must differ."""

from __future__ import annotations

import random

from shared import snapshot
from shared.auth import get_accounts
from shared.database import get_database
from shared.identity import get_token_verifier


def test_random_numbers_differ_after_a_restore() -> None:
    random.seed(7)
    frozen = random.getstate()
    drawn = set()
    for _ in range(3):
        random.setstate(frozen)
        snapshot.refresh()
        drawn.add(random.random())
    assert len(drawn) == 3


def test_connections_keys_and_clients_are_made_anew() -> None:
    before = (get_database(), get_accounts(), get_token_verifier())

    snapshot.refresh()

    after = (get_database(), get_accounts(), get_token_verifier())
    assert all(new is not old for new, old in zip(after, before, strict=True))
    assert before[0]._client.is_closed


def test_what_a_function_holds_itself_is_forgotten_too() -> None:
    forgotten: list[str] = []
    snapshot.refresh(lambda: forgotten.append("sender"), lambda: forgotten.append("model"))
    assert forgotten == ["sender", "model"]
