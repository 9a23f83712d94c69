"""What is taken for a photo or a document of a prescription, by its bytes, and what is refused."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from functions.prescriptions.examination.documents import open_document, text_of
from functions.prescriptions.examination.kinds import Kind, Refused, kind_of
from functions.prescriptions.examination.pictures import decode, preview
from functions.prescriptions.examining import examine
from shared.errors import NexusError
from tests import specimens
from tests.specimens import JPEG, PNG, pdf, picture


def each(specimens: Mapping[str, bytes]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("data", specimens.values(), ids=specimens.keys())


def examined_here(data: bytes) -> Kind:
    """As the examination's own process does it, without the process."""
    kind = kind_of(data)
    if kind is Kind.PDF:
        open_document(data)
    else:
        decode(data, kind)
    return kind


def reason(data: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        examined_here(data)
    return refusal.value.reason


@each(specimens.GOOD)
def test_what_people_send_is_taken(data: bytes) -> None:
    assert examined_here(data) in Kind


@pytest.mark.parametrize(
    ("data", "kind"), [(JPEG, Kind.JPEG), (PNG, Kind.PNG), (specimens.WEBP, Kind.WEBP), (pdf(), Kind.PDF)]
)
def test_the_bytes_say_what_it_is(data: bytes, kind: Kind) -> None:
    assert kind_of(data) is kind


def test_nothing_is_refused_as_such() -> None:
    assert reason(b"") == "empty"


@each(specimens.UNSUPPORTED)
def test_what_is_neither_picture_nor_pdf_is_refused(data: bytes) -> None:
    assert reason(data) == "unsupported"


@each(specimens.POLYGLOTS)
def test_what_is_something_else_besides_is_refused(data: bytes) -> None:
    assert reason(data) == "polyglot"


@each(specimens.DAMAGED)
def test_what_does_not_decode_is_refused(data: bytes) -> None:
    assert reason(data) == "broken"


@each(specimens.ACTIVE)
def test_a_pdf_with_programs_or_attachments_is_refused(data: bytes) -> None:
    assert reason(data) == "active"


@each(specimens.LOCKED)
def test_a_locked_pdf_is_refused(data: bytes) -> None:
    assert reason(data) == "encrypted"


@pytest.mark.parametrize("name", ["page", "stream", "picture in a pdf", "twice packed", "png", "animation"])
def test_what_unpacks_to_too_much_is_refused(name: str, bombs: dict[str, bytes]) -> None:
    assert reason(bombs[name]) == "too_complex"


@pytest.mark.parametrize("name", ["picture of pictures", "too many pages"])
def test_what_says_that_it_is_too_much_is_believed(name: str, bombs: dict[str, bytes]) -> None:
    assert reason(bombs[name]) == "too_complex"


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    return specimens.bombs()


@pytest.mark.parametrize("data", [pdf(), JPEG, PNG], ids=["pdf", "jpeg", "png"])
def test_no_shortened_file_is_taken(data: bytes) -> None:
    step = max(1, len(data) // 40)
    for length in range(1, len(data) - 8, step):
        with pytest.raises(Refused):
            examined_here(data[:length])


def test_the_text_of_a_pdf_is_read() -> None:
    lines = ["Tab. Metformin 500 mg", "1-0-1"]

    assert text_of(open_document(pdf(lines))).split("\n")[:2] == lines


def test_a_preview_says_nothing_of_place_and_device() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A phone"
    photo = io.BytesIO()
    Image.open(io.BytesIO(picture("JPEG", (2100, 60)))).save(photo, "JPEG", exif=exif)
    assert b"A phone" in photo.getvalue()

    small = preview(decode(photo.getvalue(), Kind.JPEG))

    assert b"A phone" not in small
    assert max(Image.open(io.BytesIO(small)).size) == 2048


def test_the_process_apart_finds_the_same() -> None:
    assert examine(pdf(["Dolo 650"])).text == "Dolo 650"
    assert examine(pdf(), with_text=False).text == ""
    assert examine(PNG).preview is None
    assert examine(PNG, with_preview=True).preview


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        ("empty", 422, "empty_file"),
        ("unsupported", 415, "unsupported_file"),
        ("polyglot", 422, "suspicious_file"),
        ("active", 422, "suspicious_file"),
        ("broken", 422, "broken_file"),
        ("encrypted", 422, "encrypted_file"),
        ("too_complex", 422, "file_too_complex"),
    ],
)
def test_each_refusal_has_a_code_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, reason: str, status: int, code: str
) -> None:
    answer = json.dumps({"refused": reason}).encode() + b"\n"
    monkeypatch.setattr(subprocess, "run", Apart(answer, 0).run)

    with pytest.raises(NexusError) as refusal:
        examine(PNG)

    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert refusal.value.sentence.endswith(".")


class Apart:
    """Stands for a process that ends in a way of its own."""

    def __init__(self, stdout: bytes, returncode: int | None) -> None:
        self.stdout, self.returncode = stdout, returncode

    def run(self, command: list[str], *, timeout: float, **_: Any) -> subprocess.CompletedProcess[bytes]:
        if self.returncode is None:
            raise subprocess.TimeoutExpired(command, timeout, output=self.stdout)
        return subprocess.CompletedProcess(command, self.returncode, self.stdout, b"")


@pytest.mark.parametrize(("stdout", "returncode"), [(b"", -9), (b"", -11), (b"", None), (b'{"refus', -24)])
def test_a_file_that_ends_the_process_is_refused(
    monkeypatch: pytest.MonkeyPatch, stdout: bytes, returncode: int | None
) -> None:
    monkeypatch.setattr(subprocess, "run", Apart(stdout, returncode).run)

    with pytest.raises(NexusError) as refusal:
        examine(pdf())
    assert refusal.value.code == "file_too_complex"


@pytest.mark.parametrize("returncode", [0, -9, None])
def test_a_file_that_only_its_text_undoes_is_taken_without_text(
    monkeypatch: pytest.MonkeyPatch, returncode: int | None
) -> None:
    monkeypatch.setattr(subprocess, "run", Apart(b'{"refused": null}\n{"te', returncode).run)

    assert examine(pdf()).text == ""


def test_an_examination_that_cannot_start_is_our_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", Apart(b"", 1).run)

    with pytest.raises(RuntimeError, match="exit code 1"):
        examine(pdf())


def test_the_process_apart_is_given_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        seen.update(options)
        return subprocess.CompletedProcess(command, 0, b'{"refused": null}\n', b"")

    monkeypatch.setenv("GEMINI_API_KEY", "a key")
    monkeypatch.setattr(subprocess, "run", run)
    examine(PNG)

    assert set(seen["env"]) <= {"PATH", "LD_LIBRARY_PATH", "LANG", "PYTHONPATH"}
