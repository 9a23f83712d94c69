"""Refusals wait for their time to be over; here that time is noted and not waited for."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited."""
    seconds: list[float] = []
    monkeypatch.setattr("functions.accounts.service.time.sleep", seconds.append)
    return seconds
