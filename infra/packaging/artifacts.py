"""One function's artefact: the folder that Lambda will have as /var/task, and the zip of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.settings import PROJECT
from infra.packaging import slimming
from infra.packaging.dependencies import files_for
from infra.packaging.platforms import Platform

FUNCTIONS = sorted(path.parent.name for path in PROJECT.glob("functions/*/handler.py"))

_NOT_DEPLOYED = {"requirements.txt", "function.yml"}
_SAME_DATE = (1980, 1, 1, 0, 0, 0)
"""The same content gives the same zip, byte for byte: only what changed is deployed."""


@dataclass(frozen=True)
class Artifact:
    function: str
    zip: Path
    unzipped_bytes: int

    @property
    def zipped_bytes(self) -> int:
        return self.zip.stat().st_size


def build(function: str, platform: Platform, pool: Path) -> Artifact:
    """Zip a function with the shared library and its packages from the pool, if anything has changed."""
    requirements = PROJECT / "functions" / function / "requirements.txt"
    target = platform.folder / f"{function}.zip"
    built_from = target.with_suffix(".from")
    state = _state(pool, requirements, *(PROJECT / source for source in _own_files(function)))
    if not (target.exists() and built_from.exists() and built_from.read_text() == state):
        _zip(function, target, platform, pool, requirements)
        built_from.write_text(state)
    with zipfile.ZipFile(target) as archive:
        return Artifact(function, target, sum(entry.file_size for entry in archive.infolist()))


def _zip(function: str, target: Path, platform: Platform, pool: Path, requirements: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours = Path(folder)
        for source in _own_files(function):
            (ours / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / source, ours / source)
        if platform.interpreter is not None:
            slimming.compile_folder(ours, platform.interpreter, beside_sources=True)
        files = {path.relative_to(ours): path for path in ours.rglob("*") if path.is_file()}
        files |= {path: pool / path for path in files_for(requirements, platform, pool)}
        new = target.with_suffix(f".{os.getpid()}")
        with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=platform.compression) as archive:
            for name, path in sorted(files.items()):
                entry = zipfile.ZipInfo(name.as_posix(), _SAME_DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (0o755 if ".so" in path.suffixes else 0o644) << 16
                archive.writestr(entry, path.read_bytes(), compresslevel=platform.compression)
        new.replace(target)


def _own_files(function: str) -> Iterator[Path]:
    """The function's code and data, and the shared library, relative to the project."""
    for path in sorted((PROJECT / "functions" / function).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.name not in _NOT_DEPLOYED:
            yield path.relative_to(PROJECT)
    for path in sorted((PROJECT / "shared").rglob("*.py")):
        yield path.relative_to(PROJECT)


def _state(pool: Path, *sources: Path) -> str:
    known = hashlib.sha256(pool.name.encode())
    for source in sources:
        known.update(f"\0{source.relative_to(PROJECT)}\0".encode() + source.read_bytes())
    return known.hexdigest()
