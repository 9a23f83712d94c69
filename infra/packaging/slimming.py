"""Makes installed packages small and quick to import, without changing what they do.

Nothing can be written where Lambda unpacks a function, so without bytecode every start would compile all that
it imports. With it the packages' sources would only be weight; ours stay, for whoever reads a traceback.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

NEVER_USED = (
    "bin",
    "**/tests",
    "**/*.pyi",
    "**/*.c",
    "**/*.h",
    "**/*.pyx",
    "**/*.pxd",
    # The documentation pages of an event handler that we have FastAPI for.
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css",
    # For compiling C; what is compiled needs `_cffi_backend` alone.
    "cffi",
    "pycparser",
    # Services of Google's, and of LangSmith's, that nobody here calls.
    "google/genai/_gaos",
    "pyasn1_modules",
    "langsmith/cli",
    "langsmith/evaluation",
    "langsmith/integrations",
    "langsmith/sandbox",
    # HTTP/2: every HTTP client of ours is made without it.
    "h2",
    "hpack",
    "hyperframe",
    # An implementation for interpreters other than CPython.
    "zstandard/_cffi.*.so",
    # Formats that no prescription comes in, and drawing of text.
    "PIL/_avif.*.so",
    "PIL/_imagingft.*.so",
    "PIL/_imagingtk.*.so",
    "PIL/_imagingcms.*.so",
)

KEPT_LOCALES = ("root", "en", "hi", "mr")
"""Of babel's thousand; numbers and plurals are formatted for no other language."""


def slim(pool: Path, interpreter: str | None) -> None:
    """Remove what never runs, strip what is native, and compile what is Python when an interpreter can."""
    for pattern in NEVER_USED:
        for path in pool.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for locale in pool.glob("babel/locale-data/*.dat"):
        if locale.stem.split("_")[0] not in KEPT_LOCALES:
            locale.unlink()
    _remove_unneeded_libraries(pool)
    for library in pool.rglob("*.so*"):
        library.write_bytes(without_symbols(library.read_bytes()))
    if interpreter is not None:
        compile_folder(pool, interpreter, beside_sources=False)
        for source in pool.rglob("*.py"):
            if source.with_suffix(".pyc").exists():
                source.unlink()


def what_became_of(file: Path) -> Iterator[Path]:
    """Under which names a package's file may be found after slimming."""
    yield file
    if file.suffix == ".py":
        yield file.with_suffix(".pyc")


def compile_folder(folder: Path, interpreter: str, *, beside_sources: bool) -> None:
    """Bytecode that is taken without a look at a source's date: unpacking changes dates.

    `beside_sources` keeps it in `__pycache__`, where it needs its source to be there too.
    """
    options = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/var/task"]
    subprocess.run(
        [interpreter, "-m", "compileall", *options, *([] if beside_sources else ["-b"]), str(folder)],
        check=False,  # some packages carry templates that are no Python; they stay as they are
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def without_symbols(content: bytes) -> bytes:
    """A 64-bit ELF file up to the end of what is loaded: symbols for debuggers are behind it.

    `strip` would do the same, but the one of this machine may not know the platform's files.
    """
    if not content.startswith(b"\x7fELF\x02\x01"):
        return content
    (headers_at,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    end = headers_at + size * count
    for number in range(count):
        offset, _, _, length = struct.unpack_from("<4Q", content, headers_at + number * size + 8)
        end = max(end, offset + length)
    stripped = bytearray(content[:end])
    struct.pack_into("<Q", stripped, 40, 0)  # where the section headers were,
    struct.pack_into("<3H", stripped, 58, 64, 0, 0)  # how many of them, and where their names
    return bytes(stripped)


def _remove_unneeded_libraries(pool: Path) -> None:
    """Shared libraries that came with a wheel for a module that has been removed.

    Whoever loads a library carries its name, which is unique: auditwheel put a digest into it.
    """
    native = {path: path.read_bytes() for path in pool.rglob("*.so*")}
    bundled = {path for path in native if path.parent.suffix == ".libs"}
    wanted = [path for path in native if path not in bundled]
    while wanted:
        content = native[wanted.pop()]
        needed = {path for path in bundled if path.name.encode() in content}
        bundled -= needed
        wanted += needed
    for path in bundled:
        path.unlink()
