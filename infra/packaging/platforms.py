"""What an artefact is built for: Lambda, or this machine, to run the same artefact here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.local.settings import PROJECT

UV = Path(sys.executable).with_name("uv")
LAMBDA_PYTHON = "3.13"

PROVIDED = ("awslambdaric", "boto3", "botocore", "snapshot-restore-py")
"""Packages that Lambda's own runtime brings along: twice would only be slower."""


@dataclass(frozen=True)
class Platform:
    name: str
    python: str
    install_options: tuple[str, ...]
    interpreter: str | None
    """A Python of the platform's version, which can compile for it; bytecode depends on nothing else."""
    compression: int = 6

    @property
    def folder(self) -> Path:
        return PROJECT / ".local" / "packages" / self.name


def lambda_platform() -> Platform:
    """Amazon Linux 2023 (glibc 2.34) on arm64."""
    return Platform(
        name="lambda",
        python=LAMBDA_PYTHON,
        install_options=("--python-platform", "aarch64-manylinux_2_34", "--python-version", LAMBDA_PYTHON),
        interpreter=_find_python(LAMBDA_PYTHON),
    )


def local_platform() -> Platform:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Platform("local", version, ("--python", sys.executable), sys.executable, compression=1)


PLATFORMS = {"lambda": lambda_platform, "local": local_platform}


def _find_python(version: str) -> str | None:
    """One that is installed; nothing is downloaded. LAMBDA_PYTHON names it where it is not found."""
    named = os.environ.get("LAMBDA_PYTHON")
    of_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(
        f"versions/{version}.*/bin/python"
    )
    of_uv = subprocess.run([UV, "python", "dir"], capture_output=True, text=True).stdout.strip()
    candidates = (
        [named]
        if named
        else [
            shutil.which(f"python{version}"),
            *sorted(Path(of_uv).glob(f"cpython-{version}*/bin/python{version}")),
            *sorted(of_pyenv),
        ]
    )
    return next((str(each) for each in candidates if each and _is_version(str(each), version)), None)


def _is_version(python: str, version: str) -> bool:
    """A shim on the PATH may be there for a Python that is not."""
    said = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        found = subprocess.run([python, "-c", said], capture_output=True, text=True)
    except OSError:
        return False
    return found.stdout.strip() == version
