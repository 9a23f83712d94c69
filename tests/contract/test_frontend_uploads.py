"""The frontend's upload of a prescription: a form with the file first, then whose it is."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.contract.frontend import Frontend, Shape, filled, or_null, read, rows, text, wrong_in
from tests.contract.people import newcomer
from tests.running_stack import RunningStack
from tests.specimens import pdf, picture

UPLOADED: Shape = {
    "prescription_id": filled,
    "status": lambda value: value == "pending",
    "extracted_text": or_null(text),
    "items": rows,
}
PATH = "/api/prescriptions/upload"
PHOTO = ("prescription.png", picture(), "image/png")


@pytest.fixture
def page(stack: RunningStack) -> Iterator[Frontend]:
    """Of a patient who has just registered."""
    form = {
        "name": "Kavita Joshi",
        "email": f"kavita.{secrets.token_hex(6)}@example.com",
        "phone": "+919812345678",
        "password": "monsoon-7",
    }
    with Frontend(stack) as frontend:
        assert frontend.post("/api/auth/register", form).status_code == 201
        yield frontend


@pytest.fixture
def patient_id(page: Frontend) -> str:
    found: str = read(page.get("/api/patients/me"))["patient_id"]
    return found


def test_a_photo_is_handed_in(page: Frontend, patient_id: str) -> None:
    answer = page.upload(PATH, PHOTO, patient_id=patient_id)

    assert answer.status_code in (200, 201), answer.text
    uploaded = read(answer)
    assert wrong_in(uploaded, UPLOADED) == []
    assert read(page.get("/api/patients/me"))["prescription_uploaded"] is True
    listed = read(page.get("/api/prescriptions"))["prescriptions"]
    assert [one["prescription_id"] for one in listed] == [uploaded["prescription_id"]]


def test_a_document_is_handed_in(page: Frontend, patient_id: str) -> None:
    scan = ("prescription.pdf", pdf(), "application/pdf")

    answer = page.upload(PATH, scan, patient_id=patient_id)

    assert answer.status_code in (200, 201), answer.text
    assert wrong_in(read(answer), UPLOADED) == []


@pytest.mark.parametrize(
    ("name", "content", "declared", "status"),
    [
        ("prescription.png", b"MZ\x90\x00" + b"\0" * 100, "image/png", 415),
        ("prescription.pdf", b"<html><script>alert(1)</script>", "application/pdf", 415),
        ("prescription.png", b"", "image/png", 422),
        ("notes.txt", b"Metformin 500 mg", "text/plain", 415),
    ],
)
def test_what_is_no_prescription_is_refused_with_a_sentence(
    page: Frontend, patient_id: str, name: str, content: bytes, declared: str, status: int
) -> None:
    answer = page.upload(PATH, (name, content, declared), patient_id=patient_id)

    assert answer.status_code == status, answer.text
    assert wrong_in(read(answer), {"error": filled}) == []
    assert read(page.get("/api/prescriptions"))["prescriptions"] == []


def test_a_file_beyond_ten_megabytes_is_413_with_a_sentence(page: Frontend, patient_id: str) -> None:
    answer = page.upload(
        PATH, ("scan.png", PHOTO[1] + b"\0" * 11_000_000, "image/png"), patient_id=patient_id
    )

    assert answer.status_code == 413
    assert wrong_in(read(answer), {"error": filled}) == []


def test_nobody_hands_in_for_another(stack: RunningStack, page: Frontend) -> None:
    answer = page.upload(PATH, PHOTO, patient_id=newcomer(stack).patient_id)

    assert answer.status_code == 403
    assert wrong_in(read(answer), {"error": filled}) == []


def test_a_guest_is_refused_with_a_sentence(stack: RunningStack) -> None:
    with Frontend(stack) as guest:
        answer = guest.upload(PATH, PHOTO, patient_id="PAT001")

    assert answer.status_code == 401
    assert wrong_in(read(answer), {"error": filled}) == []
