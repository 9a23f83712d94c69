"""What is refused as a prescription over the real gateway: clearly, and with nothing stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import httpx
import pytest

from tests import specimens
from tests.integration.chatting import new_patient
from tests.integration.ordering import ADMIN, PHARMACIST, as_staff, patient_id
from tests.integration.uploads import everything_kept, kept, upload
from tests.running_stack import RunningStack
from tests.specimens import JPEG, PNG, pdf

TEN_MB = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


@pytest.fixture(autouse=True)
def nothing_is_stored(stack: RunningStack, patient: httpx.Client) -> Iterator[None]:
    before = everything_kept(stack)
    yield
    assert kept(stack, patient_id(patient)).nothing
    assert everything_kept(stack) == before


def assert_refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert isinstance(answer.json()["error"], str)


def each(specimens: Mapping[str, bytes]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("data", specimens.values(), ids=specimens.keys())


@each(specimens.UNSUPPORTED)
@pytest.mark.parametrize(("name", "declared"), [("rx.pdf", "application/pdf"), ("rx.jpg", "image/jpeg")])
def test_a_file_of_another_kind_whatever_it_calls_itself(
    patient: httpx.Client, data: bytes, name: str, declared: str
) -> None:
    assert_refused(upload(patient, data, name=name, declared=declared), 415, "unsupported_file")


@each({**specimens.POLYGLOTS, **specimens.ACTIVE})
def test_a_file_that_is_more_than_one_thing(patient: httpx.Client, data: bytes) -> None:
    assert_refused(upload(patient, data), 422, "suspicious_file")


@each(specimens.DAMAGED)
def test_a_damaged_file(patient: httpx.Client, data: bytes) -> None:
    assert_refused(upload(patient, data), 422, "broken_file")


@each(specimens.LOCKED)
def test_a_locked_pdf(patient: httpx.Client, data: bytes) -> None:
    assert_refused(upload(patient, data), 422, "encrypted_file")


def test_bombs(patient: httpx.Client) -> None:
    for name, data in specimens.bombs().items():
        answer = upload(patient, data)
        assert (answer.status_code, answer.json()["code"]) == (422, "file_too_complex"), name


def test_an_empty_file(patient: httpx.Client) -> None:
    assert_refused(upload(patient, b""), 422, "empty_file")


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd.pdf",
        "/etc/passwd.pdf",
        "..\\..\\boot.pdf",
        "C:\\Users\\anjali\\rx.pdf",
        "..",
        "folder/rx.pdf",
        "..%2F..%2Frx.pdf",
        "rx%00.pdf",
        "rx\t.pdf",
        "rx\x7f.pdf",
        "x" * 300 + ".pdf",
    ],
)
def test_a_name_with_path_parts_or_control_characters(patient: httpx.Client, name: str) -> None:
    # Written by hand: a client that means well would escape what is in the name.
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    answer = patient.post(
        "/api/prescriptions/upload",
        content=head.encode() + pdf() + b"\r\n--x--\r\n",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert_refused(answer, 422, "invalid_file_name")


def test_a_byte_more_than_10_mb(patient: httpx.Client) -> None:
    assert_refused(upload(patient, PNG + bytes(TEN_MB + 1 - len(PNG))), 413, "payload_too_large")


@pytest.mark.parametrize("size", [TEN_MB + 200_000, 50_000_000])
def test_a_body_that_says_how_large_it_is(patient: httpx.Client, size: int) -> None:
    assert_refused(upload(patient, JPEG + bytes(size)), 413, "payload_too_large")


def test_a_stream_of_50_mb_without_a_length(patient: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="rx.png"\r\n\r\n' + PNG
        for _ in range(500):
            yield bytes(100_000)
        yield b"\r\n--x--\r\n"

    answer = patient.post(
        "/api/prescriptions/upload",
        content=endless(),
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert_refused(answer, 413, "payload_too_large")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "multipart/form-data; boundary=x", 422),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 422),
        (b"garbage", "multipart/form-data; boundary=x", 400),
        (b"garbage", "multipart/form-data", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            422,
        ),
        (b'{"file": "rx.pdf"}', "application/json", 422),
        (b"file=rx.pdf", "application/x-www-form-urlencoded", 422),
        (pdf(), "application/pdf", 422),
    ],
)
def test_a_body_without_a_file(patient: httpx.Client, body: bytes, content_type: str, status: int) -> None:
    answer = patient.post("/api/prescriptions/upload", content=body, headers={"content-type": content_type})

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if status == 422:
        assert answer.json()["errors"][0]["field"] == "file"


@pytest.mark.parametrize("named", ["PAT 1", "../PAT001", "PAT001'--", "x" * 65])
def test_a_patient_id_that_is_none(patient: httpx.Client, named: str) -> None:
    assert upload(patient, pdf(), patient_id=named).status_code == 422


def test_a_guest_is_asked_to_sign_in(stack: RunningStack) -> None:
    with stack.api() as guest:
        assert_refused(upload(guest, pdf(), patient_id="PAT001"), 401, "unauthenticated")


def test_another_patients_id_in_the_form(patient: httpx.Client) -> None:
    assert_refused(upload(patient, pdf(), patient_id="PAT001"), 403, "forbidden")
    assert_refused(upload(patient, specimens.EXECUTABLE, patient_id="PAT001"), 403, "forbidden")
    assert_refused(upload(patient, pdf(), patient_id="PAT99999"), 403, "forbidden")


@pytest.mark.parametrize("account", [PHARMACIST, ADMIN])
def test_staff_must_name_a_patient_that_exists(stack: RunningStack, account: tuple[str, str]) -> None:
    with as_staff(stack, account) as staff:
        assert_refused(upload(staff, pdf()), 403, "not_a_patient")
        assert_refused(upload(staff, pdf(), patient_id="PAT99999"), 404, "patient_not_found")
