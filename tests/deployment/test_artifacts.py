"""What is in a zip and what is not: its own code and packages, for Lambda's platform, small."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from infra.local.settings import PROJECT
from infra.packaging.artifacts import FUNCTIONS, Artifact, build
from infra.packaging.dependencies import install_all
from infra.packaging.platforms import lambda_platform

MOST_MEGABYTES = {"chat": 120}
"""Unzipped, in 10^6 bytes; all others: 60. Lambda itself takes 250 MiB."""


def names(artifact: Artifact) -> list[str]:
    with zipfile.ZipFile(artifact.zip) as archive:
        return archive.namelist()


def packages(artifact: Artifact) -> set[str]:
    """What is installed in it: `name==version`."""
    found = (re.match(r"([\w.]+)-([\w.]+)\.dist-info/METADATA$", name) for name in names(artifact))
    return {f"{each[1].lower().replace('_', '-')}=={each[2]}" for each in found if each}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_artefact_stays_within_its_size(artifacts: dict[str, Artifact], function: str) -> None:
    assert artifacts[function].unzipped_bytes <= MOST_MEGABYTES.get(function, 60) * 1e6


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_artefact_holds_its_own_code_and_no_other_functions(
    artifacts: dict[str, Artifact], function: str
) -> None:
    found = names(artifacts[function])

    assert f"functions/{function}/handler.py" in found
    assert "shared/settings.py" in found
    assert {name.split("/")[1] for name in found if name.startswith("functions/")} == {function}
    assert {name.split("/")[0] for name in found}.isdisjoint({"tests", "infra", "migrations", "docs"})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_package_has_the_version_that_is_tested(artifacts: dict[str, Artifact], function: str) -> None:
    lines = (PROJECT / "requirements.txt").read_text().splitlines()
    pinned = {re.sub(r"\[.*\]", "", line).lower().replace("_", "-") for line in lines if "==" in line}

    found = packages(artifacts[function])

    assert {package.replace(".", "-") for package in found} <= {
        package.replace(".", "-") for package in pinned
    }
    assert any(package.startswith("aws-lambda-powertools==") for package in found)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_lambda_brings_along_is_not_in_it_again(artifacts: dict[str, Artifact], function: str) -> None:
    top = {name.split("/")[0] for name in names(artifacts[function])}
    assert top.isdisjoint({"boto3", "botocore", "s3transfer", "awslambdaric", "snapshot_restore_py"})


@pytest.mark.parametrize("function", ["dispatch", "refill_scan", "retention"])
def test_functions_without_requests_carry_no_web_framework(
    artifacts: dict[str, Artifact], function: str
) -> None:
    top = {name.split("/")[0] for name in names(artifacts[function])}
    assert top.isdisjoint({"fastapi", "starlette", "mangum"})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_native_code_is_for_arm64_and_python_3_13(artifacts: dict[str, Artifact], function: str) -> None:
    with zipfile.ZipFile(artifacts[function].zip) as archive:
        native = [name for name in archive.namelist() if re.search(r"\.so(\.|$)", name)]
        machines = {archive.read(name)[18] for name in native}

    assert native
    assert machines == {183}  # EM_AARCH64
    assert [name for name in native if re.search(r"cpython-(?!313-aarch64)", name)] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_there_is_no_test_and_nothing_to_read_for_people(
    artifacts: dict[str, Artifact], function: str
) -> None:
    unwanted = re.compile(r"(^|/)tests/|\.pyi$|\.pyx$|\.c$|^bin/|requirements\.txt$|function\.yml$")
    assert [name for name in names(artifacts[function]) if unwanted.search(name)] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_bytecode_is_there_for_all_code_where_it_can_be_made(
    artifacts: dict[str, Artifact], function: str
) -> None:
    if lambda_platform().interpreter is None:
        pytest.skip("there is no Python 3.13 on this machine")
    with zipfile.ZipFile(artifacts[function].zip) as archive:
        found = set(archive.namelist())
        compiled = {name: archive.read(name)[:8] for name in found if name.endswith(".pyc")}
    ours = {name for name in found if name.startswith(("functions/", "shared/")) and name.endswith(".py")}

    assert {
        re.sub(r"(\w+)\.py$", r"__pycache__/\1.cpython-313.pyc", name) for name in ours
    } <= compiled.keys()
    # Taken without a look at the source's date: unpacking changes it.
    assert {head[4:] for head in compiled.values()} == {b"\x01\0\0\0"}
    assert {head[:4] for head in compiled.values()} == {(3571).to_bytes(2, "little") + b"\r\n"}


def test_the_same_code_gives_the_same_zip(artifacts: dict[str, Artifact], tmp_path: Path) -> None:
    before = artifacts["health"].zip.read_bytes()
    artifacts["health"].zip.unlink()

    platform = lambda_platform()
    again = build("health", platform, install_all(platform))

    assert again.zip.read_bytes() == before
