"""Schemathesis over every operation, with all its checks: no 5xx, no bad input accepted, no ignored sign-in.

`make test` draws the same requests each time, `make fuzz` new ones for FUZZ_SECONDS seconds a role.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.document import FILE, OPERATIONS
from tests.contract.owned import OWNED
from tests.contract.people import Newcomer, newcomer, staff_tokens
from tests.running_stack import RunningStack

CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
"""Of new examples for each role; 0 draws the same few each time."""

EARLIER: dict[str, set[str]] = {
    "patient": set(),
    "pharmacist": {"guest", "patient"},
    "admin": {"guest", "patient", "pharmacist"},
}
"""Each operation is tried by the first of these roles that may call it."""

TRIED = {
    role: [
        each.spec["operationId"] for each in OPERATIONS if role in each.callers and not earlier & each.callers
    ]
    for role, earlier in EARLIER.items()
}


@pytest.mark.parametrize("role", [role for role, operations in TRIED.items() if operations])
def test_the_api_keeps_to_its_description(stack: RunningStack, role: str, tmp_path: Path) -> None:
    owner = newcomer(stack)
    token = {"patient": owner.token, **staff_tokens(stack)}[role]
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.read_text() + _known_ids(stack, owner))
    draws = ["--max-examples", "200", "--max-time", str(SECONDS)]
    same_draws = ["--max-examples", "12", "--generation-deterministic"]

    finished = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(FILE)),
            *("--url", stack.api_url, "--no-color", *(draws if SECONDS else same_draws)),
            *(part for name in TRIED[role] for part in ("--include-operation-id", name)),
        ],
        env={**os.environ, "NEXUS_TOKEN": token, "COLUMNS": "120"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    print(finished.stdout[-20_000:], finished.stderr[-5_000:])
    assert finished.returncode == 0, "the report is above"


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
