"""The console in a real Chromium, on the real stack. `make browser` installs what drives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.browser import CHROMIUM
from tests.console.people import Tried, new_tried
from tests.console.screen import Screen
from tests.running_stack import RunningStack

playwright = pytest.importorskip("playwright.sync_api", reason="`make browser` installs it")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def screen(stack: RunningStack, chromium: Any) -> Iterator[Screen]:
    """A browser nobody is signed in with. Whatever it complains of in its console fails the test."""
    with Screen.opened(chromium, stack.api_url) as screen:
        yield screen
        assert screen.complaints == []


@pytest.fixture
def tried(stack: RunningStack) -> Tried:
    """A patient of this test alone, whom the console offers; nothing forbids a sale to them."""
    return new_tried(stack)
