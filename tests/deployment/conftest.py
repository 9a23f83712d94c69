"""Artefacts as they are deployed, built once for all tests that look at them or run them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.settings import StackError
from infra.packaging.artifacts import FUNCTIONS, Artifact
from infra.packaging.building import build_all
from infra.packaging.platforms import lambda_platform, local_platform
from tests.deployment.lambda_runtime import install_runtime
from tests.deployment.packaging import TEMPLATE, package


@pytest.fixture(scope="session")
def artifacts() -> dict[str, Artifact]:
    """What is uploaded: for Lambda's platform, by function."""
    return {each.function: each for each in build_all(FUNCTIONS, lambda_platform())}


@pytest.fixture(scope="session")
def built(artifacts: dict[str, Artifact], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that osls makes of the stage prod."""
    folder = tmp_path_factory.mktemp("package")
    finished = package("prod", folder)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder


@pytest.fixture(scope="session")
def resources(built: Path) -> dict[str, Any]:
    """The stack's resources, by logical id."""
    found: dict[str, Any] = json.loads((built / TEMPLATE).read_text())["Resources"]
    return found


@pytest.fixture(scope="session")
def local_artifacts() -> dict[str, Artifact]:
    """The same for this machine's platform, to be run here."""
    return {each.function: each for each in build_all(FUNCTIONS, local_platform())}


@pytest.fixture(scope="session")
def lambda_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return install_runtime(tmp_path_factory.mktemp("runtime") / "var")
    except StackError as error:
        pytest.skip(f"Lambda's runtime client exists for Linux only: {error}")
