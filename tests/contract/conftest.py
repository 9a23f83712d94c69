"""Fuzzing comes last: it leaves a pharmacy behind in which no other test could find its way."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == "test_fuzzing.py")
