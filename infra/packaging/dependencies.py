"""All packages of all functions, installed once for a platform, and which of their files a function needs.

All versions are those of the root's requirements.txt.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.local.settings import PROJECT, StackError
from infra.packaging import slimming
from infra.packaging.platforms import PROVIDED, UV, Platform
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_REQUIREMENTS = PROJECT / "requirements.txt"


def install_all(platform: Platform) -> Path:
    """The folder with all packages, slimmed: the pool. Raises StackError when they cannot be installed.

    Filled once for each state of requirements.txt and of this code; nothing needs a network after that.
    """
    pool = platform.folder / f"pool-{_state(platform)}"
    if not pool.exists():
        platform.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=platform.folder, prefix="new-") as folder:
            new = Path(folder) / "pool"
            install([f"--requirements={_REQUIREMENTS}"], new, platform)
            slimming.slim(new, platform.interpreter)
            for outdated in platform.folder.glob("pool-*"):
                shutil.rmtree(outdated, ignore_errors=True)
            new.rename(pool)
    return pool


def install(what: list[str], into: Path, platform: Platform) -> None:
    """Put wheels for the platform into a folder, without what Lambda has."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.writelines(f"{name}; python_version < '3'\n" for name in PROVIDED)
        overrides.flush()
        _install(into, *platform.install_options, f"--overrides={overrides.name}", *what)


def install_as_is(requirements: Path, into: Path) -> None:
    """Put packages for this machine's Python into a folder. Raises StackError when that fails."""
    _install(into, "--python", sys.executable, f"--requirements={requirements}")


def _install(into: Path, *options: str) -> None:
    finished = subprocess.run(
        [
            UV,
            "pip",
            "install",
            "-q",
            f"--target={into}",
            "--only-binary=:all:",
            "--link-mode=copy",
            *options,
        ],
        capture_output=True,
        text=True,
    )
    if finished.returncode != 0:
        raise StackError(f"Packages could not be installed:\n{finished.stderr}")


def files_for(requirements: Path, platform: Platform, pool: Path) -> list[Path]:
    """The files, relative to the pool, of what a requirements.txt names and of what that needs in turn."""
    lines = (line.split("#")[0].strip() for line in requirements.read_text().splitlines())
    named = [Requirement(line) for line in lines if line]
    return sorted(
        {
            actual
            for package in _with_what_they_need(named, platform, pool)
            for file in package.files or ()
            for actual in slimming.what_became_of(Path(file))
            if (pool / actual).is_file()
        }
    )


def _with_what_they_need(
    named: Iterable[Requirement], platform: Platform, pool: Path
) -> Iterator[importlib.metadata.Distribution]:
    installed = {
        canonicalize_name(each.metadata["Name"]): each
        for each in importlib.metadata.distributions(path=[str(pool)])
    }
    environment = {"python_version": platform.python, "python_full_version": f"{platform.python}.0"}
    wanted = [*named]
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if name in PROVIDED or (name, extra) in seen:
                continue
            if name not in installed:
                raise StackError(f"{name} is needed but not pinned in {_REQUIREMENTS.name}")
            if not any(known == name for known, _ in seen):
                yield installed[name]
            seen.add((name, extra))
            for line in installed[name].requires or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({**environment, "extra": extra}):
                    wanted.append(needed)


def _state(platform: Platform) -> str:
    """Changes whenever another pool would come out."""
    known = hashlib.sha256(f"{platform}".encode())
    for path in (_REQUIREMENTS, *sorted(Path(__file__).parent.glob("*.py"))):
        known.update(path.read_bytes())
    return known.hexdigest()[:12]
