"""Every package is pinned, and every function's pins are those that the tests run with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def pins(path: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return {line for line in lines if line and not line.startswith("-r ")}


FUNCTIONS = sorted(PROJECT.glob("functions/*/requirements.txt"))
EVERYTHING = [*FUNCTIONS, *sorted(PROJECT.glob("requirements*.txt"))]


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(PROJECT)))
def test_everything_is_pinned(path: Path) -> None:
    pinned = re.compile(r"[\w.-]+(\[[\w,]+\])?==[\w.]+")
    assert [pin for pin in pins(path) if not pinned.fullmatch(pin)] == []


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_a_function_is_deployed_with_the_versions_that_are_tested(path: Path) -> None:
    assert pins(path) <= pins(PROJECT / "requirements.txt")


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_a_function_with_signed_in_callers_can_renew_their_sessions(path: Path) -> None:
    """`shared.credentials` imports the client of Auth only when a session has run out."""
    source = "".join(file.read_text() for file in path.parent.glob("*.py"))
    if re.search(r"\b(CallersGateway|SignedIn|MaybeSignedIn)\b", source):
        assert any(pin.startswith("supabase-auth==") for pin in pins(path))
