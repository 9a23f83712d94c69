"""Folders of CSV files for the tests: the seed, with one thing changed."""

from __future__ import annotations

import csv
from pathlib import Path

from infra.importer.checks import check_folder
from infra.importer.problems import Problems
from infra.importer.progress import Progress
from infra.importer.tables import read_folder


def set_cell(file: Path, line: int, column: str, value: str) -> None:
    """Change one cell; `line` counts from 1, the header included."""
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    rows[line - 1][rows[0].index(column)] = value
    with file.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows(rows)


def problems_of(folder: Path) -> list[str]:
    """What a check of the folder reports, without any database."""
    problems = Problems()
    check_folder(read_folder(folder, problems, Progress()), {}, problems)
    return problems.first
