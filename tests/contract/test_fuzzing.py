"""Schemathesis over every operation, with all its checks: no 5xx, no bad input accepted, no ignored sign-in.

`make test` draws the same requests each time, `make fuzz` new ones for FUZZ_SECONDS seconds a role.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contract.document import FILE, OPERATIONS, PROJECT
from tests.contract.owned import OWNED
from tests.contract.people import Newcomer, newcomer, staff_tokens
from tests.running_stack import RunningStack

CONFIG = Path(__file__).with_name("schemathesis.toml")
SIGNING = Path(__file__).with_name("signing.py")
SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
"""Of new examples for each role; 0 draws the same few each time."""

EARLIER: dict[str, set[str]] = {
    "patient": set(),
    "pharmacist": {"guest", "patient"},
    "admin": {"guest", "patient", "pharmacist"},
    "partner": set(),
}
"""Each operation is tried by the first of these roles that may call it."""

NOTHING_FOUND = "\nNothing found.\n"

TRIED = {
    role: [
        each.spec["operationId"] for each in OPERATIONS if role in each.callers and not earlier & each.callers
    ]
    for role, earlier in EARLIER.items()
}


ROLES = [role for role, operations in TRIED.items() if operations]


@pytest.fixture(scope="module")
def reports(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Schemathesis reports for each role, all at once."""
    owner = newcomer(stack)
    tokens = {"patient": owner.token, **staff_tokens(stack), "partner": ""}
    known = _known_ids(stack, owner)

    def report(role: str) -> str:
        return _schemathesis(stack, role, tokens[role], known, tmp_path_factory.mktemp(role))

    with ThreadPoolExecutor(len(ROLES)) as all_at_once:
        return dict(zip(ROLES, all_at_once.map(report, ROLES), strict=True))


@pytest.mark.parametrize("role", ROLES)
def test_the_api_keeps_to_its_description(reports: dict[str, str], role: str) -> None:
    print(reports[role])

    assert reports[role].endswith(NOTHING_FOUND), "the report is below"


def _schemathesis(stack: RunningStack, role: str, token: str, known: str, folder: Path) -> str:
    config = folder / "schemathesis.toml"
    hooks = f"hooks = {json.dumps(str(SIGNING))}\n" if role == "partner" else ""
    config.write_text(hooks + CONFIG.read_text() + known)
    # The partner signs whatever is sent, also when a check has taken the signature away.
    exclusions = ["--exclude-checks", "ignored_auth,missing_required_header"] if role == "partner" else []
    draws = ["--max-examples", "200", "--max-time", str(SECONDS)]
    same_draws = ["--max-examples", "12", "--generation-deterministic"]
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(FILE)),
            *("--url", stack.api_url, "--no-color", *(draws if SECONDS else same_draws), *exclusions),
            *(part for name in TRIED[role] for part in ("--include-operation-id", name)),
        ],
        env={
            **os.environ,
            "NEXUS_TOKEN": token,
            "NEXUS_PARTNER_SECRET": stack.partner_incoming,
            "PYTHONPATH": str(PROJECT),
            "COLUMNS": "120",
        },
        cwd=folder,
        capture_output=True,
        text=True,
    )
    said = finished.stdout[-20_000:] + finished.stderr[-5_000:]
    return said + (NOTHING_FOUND if finished.returncode == 0 else "")


def _known_ids(stack: RunningStack, owner: Newcomer) -> str:
    """As dictionaries: half of all addresses then lead to something, and what is behind them is tried too."""
    with stack.api(owner.token) as api:
        ids = {name: [make(api), make(api)] for name, make in OWNED.items()}
    ids["product_id"] = ["MED001", "MED007", "MED021"]
    return "".join(
        f"[dictionaries.{name}]\nvalues = {json.dumps(values)}\n"
        f'[parameters."path.{name}"]\ndictionary = "{name}"\nprobability = 0.5\n'
        for name, values in ids.items()
    )
