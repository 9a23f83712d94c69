from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SEED = Path(__file__).parents[3] / "infra" / "seed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the seed, to be broken."""
    return Path(shutil.copytree(SEED, tmp_path / "folder"))
