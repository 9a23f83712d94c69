"""Files as they come from spreadsheets and exports: what is tolerated, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.importer.csv_reading import Record, read_records
from infra.importer.problems import Problems
from infra.importer.progress import Progress


def read(path: Path, content: bytes) -> tuple[list[Record], list[str]]:
    """The records of a file with the columns id and name, and the problems."""
    file = path / "file.csv"
    file.write_bytes(content)
    problems = Problems()
    return list(read_records(file, ("id", "name"), problems, Progress())), problems.first


@pytest.mark.parametrize(
    "content",
    [
        b"id,name\n1,Dolo\n",
        b"id,name\r\n1,Dolo\r\n",
        b"\xef\xbb\xbfid,name\n1,Dolo",
        b"name,id\nDolo,1\n",
        b' id , name \n\n 1 ,"Dolo"\n\n,\n',
    ],
    ids=[
        "plain",
        "windows line ends",
        "byte order mark, no last line end",
        "other order",
        "spaces, blank lines",
    ],
)
def test_harmless_variations_are_read_alike(tmp_path: Path, content: bytes) -> None:
    records, problems = read(tmp_path, content)
    assert ([record.fields for record in records], problems) == ([{"id": "1", "name": "Dolo"}], [])


def test_a_record_knows_the_line_it_starts_on_in_the_file(tmp_path: Path) -> None:
    records, _ = read(tmp_path, b'id,name\n\n1,"two\nlines"\n2,next\n')
    assert [record.line for record in records] == [3, 5]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "file.csv:1: is empty"),
        (b"\n\n", "file.csv:1: is empty"),
        (b"id,name\n", "file.csv:1: has a header and no rows"),
        (b"id\n1\n", "file.csv:1: column name is missing"),
        (b"id,name,x\n1,2,3\n", 'file.csv:1: column "x" is unknown'),
        (b"id,name,id\n1,2,3\n", "file.csv:1: column id appears twice"),
        (b"id,name\n1\n", "file.csv:2: has 1 fields, the header has 2"),
        (b"id,name\n1,a,b\n", "file.csv:2: has 3 fields, the header has 2"),
        (b"id,name\n1,\xe9\n", "file.csv:2: is not UTF-8 (byte 0xe9): save the file as CSV in UTF-8"),
        ("id,name\n1,a\n".encode("utf-16"), "file.csv:1: is not UTF-8 (byte 0xff)"),
        (b'id,name\n1,"a"b\n2,c\n', "file.csv:2: is not well-formed CSV: "),
        (
            b'id,name\n1,a\n2,"never closed\n3,c\n',
            "file.csv:3: is not well-formed CSV: unexpected end of data",
        ),
        (b"id,name\n1," + b"x" * 200_000 + b"\n", "file.csv:2: is not well-formed CSV: field larger than"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, content: bytes, problem: str) -> None:
    _, problems = read(tmp_path, content)
    assert problems[0].startswith(problem)


def test_a_broken_row_does_not_hide_the_next_one(tmp_path: Path) -> None:
    records, problems = read(tmp_path, b'id,name\n1,"a"b\n2,\xff\n3\n4,d\n')
    assert len(problems) == 3
    assert records[-1] == Record(5, {"id": "4", "name": "d"})


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_reported(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    records, problems = read(tmp_path_factory.getbasetemp(), content)
    assert records or problems


@given(content=st.binary(max_size=200))
def test_so_are_any_bytes_after_a_good_header(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    records, problems = read(tmp_path_factory.getbasetemp(), b"id,name\n" + content)
    assert records or problems
    assert all(record.line > 1 for record in records)
