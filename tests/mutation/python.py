"""Mutants of what turns mentions into products, before the chat's unit tests.

cosmic-ray makes them and runs the tests, in a copy of the project that is thrown away.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from infra.local.settings import PROJECT

MODULES = (
    "functions/chat/resolution.py",
    "functions/chat/understanding/choosing.py",
    "functions/chat/understanding/editing.py",
    "functions/chat/understanding/agreement.py",
)
TESTS = (
    "tests/unit/chat/test_ordering.py",
    "tests/unit/chat/test_answering.py",
    "tests/unit/chat/test_turn.py",
    "tests/unit/chat/test_agreement.py",
    "tests/unit/chat/test_profile_told.py",
)
_COPIED = ("functions", "shared", "infra", "tests", "pyproject.toml")
_SECONDS = 60


def survivors(sample: int | None, seed: int, only: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Each mutant that was tried, as a difference, and whether no test noticed it; all without a `sample`."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in _COPIED:
            source = PROJECT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        (copy / "mutation.toml").write_text(_configuration(only or MODULES))
        _cosmic_ray(copy, "baseline", "mutation.toml")
        _cosmic_ray(copy, "init", "mutation.toml", "session.sqlite")
        session = str(copy / "session.sqlite")
        with use_db(session, WorkDB.Mode.open) as database:
            every = sorted(item.job_id for item in database.pending_work_items)
            chosen = set(every if sample is None else Random(seed).sample(every, min(sample, len(every))))
            for job in every:
                if job not in chosen:
                    database.set_result(job, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))
        print(f"{len(chosen)} of {len(every)} mutants", flush=True)
        _cosmic_ray(copy, "exec", "mutation.toml", "session.sqlite")
        with use_db(session, WorkDB.Mode.open) as database:
            for item, result in database.completed_work_items:
                if item.job_id in chosen and result.worker_outcome == WorkerOutcome.NORMAL:
                    yield _named(result.diff), result.test_outcome == TestOutcome.SURVIVED


def _configuration(modules: Sequence[str]) -> str:
    paths = ", ".join(f'"{module}"' for module in modules)
    tests = " ".join(TESTS)
    return f"""
[cosmic-ray]
module-path = [{paths}]
timeout = {_SECONDS}.0
excluded-modules = []
test-command = "{sys.executable} -m pytest -x -q --no-header --tb=no -p no:cacheprovider {tests}"

[cosmic-ray.distributor]
name = "local"
"""


def _cosmic_ray(folder: Path, *arguments: str) -> None:
    subprocess.run([Path(sys.executable).parent / "cosmic-ray", *arguments], cwd=folder, check=True)


def _named(difference: str) -> str:
    """The lines that a mutant takes away, and those that it adds, each in one."""
    lines = difference.splitlines()
    module = next((line.split()[1].removeprefix("b/") for line in lines if line.startswith("+++ ")), "")
    taken = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    given = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    return f"{module}: {' '.join(taken)}  ->  {' '.join(given)}"
