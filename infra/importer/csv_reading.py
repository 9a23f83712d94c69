"""From the bytes of a CSV file to records, with the line each one starts on."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.importer.problems import Problems, quoted
from infra.importer.progress import Progress

_BYTE_ORDER_MARK = "\ufeff"
_REPORT_EVERY_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Record:
    """One row as text: {column: field}, fields stripped. `line` is the file's, counted from 1."""

    line: int
    fields: dict[str, str]


def read_records(
    path: Path, columns: Sequence[str], problems: Problems, progress: Progress
) -> Iterator[Record]:
    """The records of a UTF-8 file whose header names exactly `columns`, in any order.

    What cannot be read is added to `problems` and left out. Blank lines are skipped.
    """
    size = path.stat().st_size or 1
    with path.open("rb") as raw:
        lines = _decoded_lines(raw, path.name, problems)
        reader = csv.reader(lines, strict=True)
        header: list[str] | None = None
        rows = 0
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader, None)
            except csv.Error as error:
                problems.add(path.name, line, f"is not well-formed CSV: {error}")
                if header is None:
                    return
                continue
            if fields is None:
                break
            if not any(fields):
                continue
            fields = [field.strip() for field in fields]
            if header is None:
                if not _header_is_right(fields, columns, path.name, line, problems):
                    return
                header = fields
                continue
            rows += 1
            if len(fields) != len(header):
                problems.add(path.name, line, f"has {len(fields)} fields, the header has {len(header)}")
                continue
            yield Record(line, dict(zip(header, fields, strict=True)))
            if rows % _REPORT_EVERY_ROWS == 0:
                progress.report(f"reading {path.name}: {rows:,} rows, {100 * raw.tell() // size}%")
        if header is None:
            problems.add(path.name, 1, "is empty")
        elif not rows:
            problems.add(path.name, 1, "has a header and no rows")


def _decoded_lines(raw: Iterator[bytes], file: str, problems: Problems) -> Iterator[str]:
    """The lines as text; one that is no UTF-8 is reported and read on as well as it can be."""
    for number, line in enumerate(raw, start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            problems.add(file, number, f"is not UTF-8 (byte 0x{byte:02x}): save the file as CSV in UTF-8")
            text = line.decode("utf-8", errors="replace")
        yield text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text


def _header_is_right(
    header: list[str], columns: Sequence[str], file: str, line: int, problems: Problems
) -> bool:
    faults = [f"column {name} is missing" for name in columns if name not in header]
    faults += [f"column {quoted(name)} is unknown" for name in dict.fromkeys(header) if name not in columns]
    faults += [f"column {name} appears twice" for name in columns if header.count(name) > 1]
    for fault in faults:
        problems.add(file, line, fault)
    return not faults
