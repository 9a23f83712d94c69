"""Files that go to storage directly, and uploads that fail on the way: what is left, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from functions.prescriptions import uploading
from shared.database import Gateway
from shared.errors import NexusError, Unavailable
from tests import specimens
from tests.integration.chatting import new_patient
from tests.integration.ordering import PHARMACIST, as_staff, patient_id, records
from tests.integration.uploads import (
    Json,
    database_of,
    files_of,
    kept,
    on_disk,
    upload,
    uploaded,
)
from tests.running_stack import RunningStack
from tests.specimens import JPEG, PNG, pdf


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


def open_upload(api: httpx.Client, content_type: str = "application/pdf", **more: Any) -> Json:
    body = {"content_type": content_type, "size": 5_000_000, **more}
    answer = api.post("/api/prescriptions/uploads", json=body)
    assert answer.status_code == 201, answer.text
    opened: Json = answer.json()
    return opened


def put(opened: Json, data: bytes) -> httpx.Response:
    return httpx.request(opened["method"], opened["url"], content=data, headers=opened["headers"], timeout=30)


def complete(api: httpx.Client, opened: Json) -> httpx.Response:
    return api.post(f"/api/prescriptions/uploads/{opened['upload_id']}/complete")


def expire(stack: RunningStack, hours: int = 0) -> None:
    """Let the time of every open upload be over, and for so long."""
    with records(stack) as database:
        database.execute(
            """
            update public.prescription_uploads
            set
              expires_at = now() - make_interval(hours => %(hours)s),
              created_at = created_at - make_interval(hours => %(hours)s)
            where prescription_id is null
            """,
            {"hours": hours},
        )


def test_a_large_file_goes_to_storage_and_becomes_a_prescription(
    stack: RunningStack, patient: httpx.Client
) -> None:
    own = patient_id(patient)
    data = PNG + bytes(9_000_000)
    opened = open_upload(patient, "image/png", size=len(data), patient_id=own)
    assert kept(stack, own).prescriptions == []

    assert put(opened, data).status_code == 200
    done = complete(patient, opened)

    assert done.status_code == 201, done.text
    there = kept(stack, own)
    assert there.prescriptions == [done.json()["prescription_id"]]
    assert on_disk(there.objects[0]).read_bytes() == data


def test_completing_it_twice_is_once(stack: RunningStack, patient: httpx.Client) -> None:
    opened = open_upload(patient)
    put(opened, pdf())

    first, second = complete(patient, opened), complete(patient, opened)

    assert first.json() == second.json()
    assert first.json()["items"][0]["ingredient"] == "Cefixime"
    assert len(kept(stack, patient_id(patient)).prescriptions) == 1


def test_nothing_is_completed_before_its_file_is_there(stack: RunningStack, patient: httpx.Client) -> None:
    opened = open_upload(patient)

    early = complete(patient, opened)

    assert (early.status_code, early.json()["code"]) == (409, "file_missing")
    put(opened, pdf())
    assert complete(patient, opened).status_code == 201


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (specimens.EXECUTABLE, 415),
        (JPEG, 415),
        (specimens.POLYGLOTS["pdf and archive"], 422),
        (specimens.DAMAGED["half a pdf"], 422),
        (specimens.LOCKED["password"], 422),
    ],
)
def test_a_refused_file_is_removed_from_storage(
    stack: RunningStack, patient: httpx.Client, data: bytes, status: int
) -> None:
    opened = open_upload(patient)
    put(opened, data)

    refused = complete(patient, opened)

    assert refused.status_code == status, refused.text
    there = kept(stack, patient_id(patient))
    assert (there.prescriptions, there.objects, there.files) == ([], [], [])
    assert complete(patient, opened).json()["code"] == "upload_expired"


def test_the_address_takes_one_file(stack: RunningStack, patient: httpx.Client) -> None:
    opened = open_upload(patient)
    assert put(opened, pdf()).status_code == 200

    assert put(opened, pdf(["another"])).status_code >= 400
    sent = complete(patient, opened)
    assert put(opened, pdf(["another"])).status_code >= 400

    shown = patient.get(f"/api/prescriptions/{sent.json()['prescription_id']}/file").json()
    assert httpx.get(shown["url"]).content == pdf()


def test_the_address_takes_no_more_than_10_mb(stack: RunningStack, patient: httpx.Client) -> None:
    opened = open_upload(patient, "image/png")

    assert put(opened, PNG + bytes(10 * 1024 * 1024)).status_code >= 400
    assert kept(stack, patient_id(patient)).files == []


def test_somebody_elses_upload_does_not_exist(stack: RunningStack, patient: httpx.Client) -> None:
    opened = open_upload(patient)
    put(opened, pdf())

    with new_patient(stack) as other, as_staff(stack, PHARMACIST) as pharmacist:
        for api in (other, pharmacist):
            answer = complete(api, opened)
            assert (answer.status_code, answer.json()["code"]) == (404, "upload_not_found")
    made_up = complete(patient, {"upload_id": str(uuid4())})
    assert (made_up.status_code, made_up.json()["code"]) == (404, "upload_not_found")


def test_an_upload_can_be_late(stack: RunningStack, patient: httpx.Client) -> None:
    opened = open_upload(patient)
    put(opened, pdf())
    expire(stack)

    late = complete(patient, opened)

    assert (late.status_code, late.json()["code"]) == (409, "upload_expired")
    assert kept(stack, patient_id(patient)).prescriptions == []


def test_a_key_opens_one_upload(stack: RunningStack, patient: httpx.Client) -> None:
    body = {"content_type": "application/pdf", "size": 100}
    first, second = (
        patient.post("/api/prescriptions/uploads", json=body, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    )
    other = patient.post(
        "/api/prescriptions/uploads", json={**body, "size": 101}, headers={"Idempotency-Key": "k"}
    )

    assert first.json()["upload_id"] == second.json()["upload_id"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(kept(stack, patient_id(patient)).uploads) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content_type": "image/gif", "size": 1},
        {"content_type": "image/png", "size": 0},
        {"content_type": "image/png", "size": 10 * 1024 * 1024 + 1},
        {"content_type": "image/png", "size": "1"},
        {"content_type": "image/png", "size": 1, "file_path": "PAT001/x.png"},
    ],
)
def test_what_cannot_be_uploaded_is_not_opened(
    stack: RunningStack, patient: httpx.Client, body: Json
) -> None:
    assert patient.post("/api/prescriptions/uploads", json=body).status_code == 422
    assert kept(stack, patient_id(patient)).nothing


class Failing:
    """The database, out of reach for one kind of call."""

    def __init__(self, database: Gateway, name: str, *, after: bool = False) -> None:
        self._database, self._name, self._after = database, name, after

    def rpc(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        if name == self._name and not self._after:
            raise Unavailable(code="database_unavailable")
        answer = self._database.rpc(name, arguments)
        if name == self._name:
            raise Unavailable(code="database_unavailable")
        return answer


def send(database: Gateway, files: Any, *, key: str | None = None) -> str:
    sent = uploading.upload(
        database, files, None, patient_id=None, name="rx.pdf", data=pdf(), idempotency_key=key
    )
    return sent.prescription_id


def test_storage_that_is_down_leaves_nothing(stack: RunningStack, patient: httpx.Client) -> None:
    with (
        database_of(stack, patient) as database,
        files_of(stack, patient, url="http://127.0.0.1:9") as nowhere,
        pytest.raises(Unavailable) as refusal,
    ):
        send(database, nowhere, key="k")

    assert refusal.value.code == "storage_unavailable"
    assert kept(stack, patient_id(patient)).nothing
    uploaded(patient, pdf(), key="k")


def test_a_database_that_leaves_before_the_end_leaves_no_file(
    stack: RunningStack, patient: httpx.Client
) -> None:
    with database_of(stack, patient) as database, files_of(stack, patient) as files:
        with pytest.raises(Unavailable):
            send(Failing(database, "finish_upload"), files, key="k")
        assert kept(stack, patient_id(patient)).nothing
        send(database, files, key="k")


def test_an_answer_that_is_lost_loses_nothing(stack: RunningStack, patient: httpx.Client) -> None:
    """The prescription was made, only the word of it did not come through."""
    with database_of(stack, patient) as database, files_of(stack, patient) as files:
        with pytest.raises(Unavailable):
            send(Failing(database, "finish_upload", after=True), files, key="k")
        there = kept(stack, patient_id(patient))
        assert (len(there.prescriptions), len(there.files)) == (1, 1)

        assert [send(database, files, key="k")] == there.prescriptions


class Crash(BaseException):
    """The process is gone: nothing after it runs."""


class Crashing:
    """A bucket whose user's process ends right after the file is stored, cleaning nothing up."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def put(self, *arguments: Any) -> None:
        self._files.put(*arguments)
        raise Crash

    def remove(self, paths: list[str]) -> None:
        raise Unavailable


def test_a_crash_leaves_a_file_without_a_prescription_until_the_next_upload(
    stack: RunningStack, patient: httpx.Client
) -> None:
    own = patient_id(patient)
    with (
        database_of(stack, patient) as database,
        files_of(stack, patient) as files,
        pytest.raises(Crash),
    ):
        send(Failing(database, "abandon_upload"), Crashing(files), key="k")
    left = kept(stack, own)
    assert (left.prescriptions, len(left.files)) == ([], 1)

    again = upload(patient, pdf(), key="k")
    assert (again.status_code, again.json()["code"]) == (409, "request_in_progress")
    expire(stack, hours=1)
    sent = uploaded(patient, pdf(), key="k")

    there = kept(stack, own)
    assert there.prescriptions == [sent["prescription_id"]]
    assert len(there.files) == 1
    assert not set(there.files) & set(left.files)
    expire(stack, hours=3)
    uploaded(patient, JPEG)
    assert len(kept(stack, own).uploads) == 2, "the crashed one is forgotten"


def test_a_file_that_cannot_be_removed_keeps_no_upload_from_going_on(
    stack: RunningStack, patient: httpx.Client
) -> None:
    class Unremovable:
        def __init__(self, files: Any) -> None:
            self.put = files.put

        def remove(self, paths: list[str]) -> None:
            raise Unavailable

    opened = open_upload(patient)
    put(opened, pdf())
    expire(stack)

    with database_of(stack, patient) as database, files_of(stack, patient) as files:
        send(database, Unremovable(files))

    assert len(kept(stack, patient_id(patient)).prescriptions) == 1


def test_an_upload_is_not_given_up_once_it_is_a_prescription(
    stack: RunningStack, patient: httpx.Client
) -> None:
    opened = open_upload(patient)
    put(opened, pdf())
    complete(patient, opened)

    with database_of(stack, patient) as database, pytest.raises(NexusError) as refusal:
        database.rpc("abandon_upload", {"p_upload_id": opened["upload_id"]})

    assert refusal.value.code == "upload_finished"
