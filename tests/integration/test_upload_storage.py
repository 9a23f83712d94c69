"""The bucket itself, past our functions: who reads, puts, replaces and removes what; and links that end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest

from shared.errors import Conflict, NexusError, NotFound, PayloadTooLarge
from shared.storage import Files
from tests import specimens
from tests.integration.chatting import new_patient
from tests.integration.ordering import ADMIN, PHARMACIST, as_staff, patient_id, records
from tests.integration.uploads import database_of, files_of, kept, token_of, uploaded
from tests.running_stack import RunningStack
from tests.specimens import JPEG, PNG, pdf

BUCKET = "prescriptions"


@pytest.fixture
def patient(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


@pytest.fixture
def other(stack: RunningStack) -> Iterator[httpx.Client]:
    with new_patient(stack) as api:
        yield api


def opened(stack: RunningStack, api: httpx.Client, *, content_type: str = "image/jpeg") -> dict[str, str]:
    """An upload opened past the functions, as anybody with a token can."""
    with database_of(stack, api) as database:
        found: dict[str, str] = database.rpc(
            "open_upload", {"p_patient_id": None, "p_content_type": content_type, "p_size": 1000}
        )
    return found


def path_of(stack: RunningStack, api: httpx.Client) -> str:
    [path] = kept(stack, patient_id(api)).objects
    return path


def storage(stack: RunningStack, api: httpx.Client | None) -> httpx.Client:
    """A plain client of the Storage API."""
    authorization = {"Authorization": f"Bearer {token_of(api)}"} if api else {}
    return httpx.Client(
        base_url=f"{stack.supabase_url}/storage/v1",
        headers={"apikey": stack.publishable_key, **authorization},
        timeout=30,
    )


def test_the_bucket_is_private(stack: RunningStack) -> None:
    with records(stack) as database:
        bucket = database.execute("select * from storage.buckets where id = %s", [BUCKET]).fetchone()
    assert bucket is not None
    assert (bucket["public"], bucket["file_size_limit"]) == (False, 10 * 1024 * 1024)
    assert set(bucket["allowed_mime_types"]) == {"image/jpeg", "image/png", "image/webp", "application/pdf"}


def test_a_file_is_read_by_its_patient_and_pharmacists(
    stack: RunningStack, patient: httpx.Client, other: httpx.Client
) -> None:
    uploaded(patient, JPEG)
    path = path_of(stack, patient)

    def sees(api: httpx.Client | None) -> bool:
        with files_of(stack, api) as files:
            try:
                return files.get(path, most_bytes=100_000) == JPEG
            except NotFound:
                return False

    with as_staff(stack, PHARMACIST) as pharmacist, as_staff(stack, ADMIN) as admin:
        assert [sees(api) for api in (patient, pharmacist)] == [True, True]
        assert [sees(api) for api in (None, other, admin)] == [False, False, False]


@pytest.mark.parametrize(
    "reach",
    [
        lambda client, path: client.get(f"/object/{BUCKET}/{path}"),
        lambda client, path: client.get(f"/object/authenticated/{BUCKET}/{path}"),
        lambda client, path: client.get(f"/object/public/{BUCKET}/{path}"),
        lambda client, path: client.get(f"/object/info/{BUCKET}/{path}"),
        lambda client, path: client.post(f"/object/sign/{BUCKET}/{path}", json={"expiresIn": 60}),
        lambda client, path: client.post(
            "/object/copy", json={"bucketId": BUCKET, "sourceKey": path, "destinationKey": "PAT001/mine.jpg"}
        ),
        lambda client, path: client.post(
            "/object/move", json={"bucketId": BUCKET, "sourceKey": path, "destinationKey": "PAT001/mine.jpg"}
        ),
    ],
)
def test_no_way_of_the_storage_api_leads_others_to_it(
    stack: RunningStack,
    patient: httpx.Client,
    other: httpx.Client,
    reach: Callable[[httpx.Client, str], httpx.Response],
) -> None:
    uploaded(patient, JPEG)
    path = path_of(stack, patient)

    for api in (None, other):
        with storage(stack, api) as client:
            answer = reach(client, path)
            assert answer.status_code >= 400, answer.text
            assert JPEG[:100] not in answer.content


def test_nobody_lists_what_is_not_theirs(
    stack: RunningStack, patient: httpx.Client, other: httpx.Client
) -> None:
    uploaded(patient, JPEG)
    uploaded(other, PNG)

    def listed(api: httpx.Client | None) -> int:
        with storage(stack, api) as client:
            found = client.post(f"/object/list/{BUCKET}", json={"prefix": "", "limit": 1000})
            return len(found.json()) if found.status_code == 200 else 0

    assert [listed(None), listed(patient), listed(other)] == [0, 1, 1]


@pytest.mark.parametrize("whose", ["own", "another's", "nobody's"])
def test_nothing_is_put_where_no_upload_was_opened(
    stack: RunningStack, patient: httpx.Client, other: httpx.Client, whose: str
) -> None:
    folder = {"own": patient_id(patient), "another's": patient_id(other), "nobody's": "PAT99999"}[whose]

    for upsert in ("false", "true"):
        with storage(stack, patient) as client:
            answer = client.post(
                f"/object/{BUCKET}/{folder}/{uuid4()}.jpg",
                content=JPEG,
                headers={"content-type": "image/jpeg", "x-upsert": upsert},
            )
            assert answer.status_code >= 400
    assert kept(stack, folder).nothing


def test_an_opened_place_is_its_openers_alone(
    stack: RunningStack, patient: httpx.Client, other: httpx.Client
) -> None:
    place = opened(stack, patient)["file_path"]

    with files_of(stack, other) as files, pytest.raises(NexusError):
        files.put(place, JPEG, "image/jpeg")
    with files_of(stack, None) as files, pytest.raises(NexusError):
        files.put(place, JPEG, "image/jpeg")
    with files_of(stack, patient) as files:
        files.put(place, JPEG, "image/jpeg")

    assert kept(stack, patient_id(patient)).objects == [place]


def test_an_opened_place_closes(stack: RunningStack, patient: httpx.Client) -> None:
    upload = opened(stack, patient)
    with records(stack) as database:
        database.execute(
            "update public.prescription_uploads set expires_at = now() where upload_id = %s",
            [upload["upload_id"]],
        )

    with files_of(stack, patient) as files, pytest.raises(NexusError):
        files.put(upload["file_path"], JPEG, "image/jpeg")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"x" * (10 * 1024 * 1024 + 1), "image/jpeg"), (b"x", "text/html"), (b"x", "image/svg+xml")],
)
@pytest.mark.parametrize("declares_length", [True, False])
def test_the_bucket_takes_neither_more_nor_else(
    stack: RunningStack, patient: httpx.Client, content: bytes, content_type: str, declares_length: bool
) -> None:
    place = opened(stack, patient)["file_path"]

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(content), 1 << 20):
            yield content[at : at + (1 << 20)]

    with storage(stack, patient) as client:
        answer = client.post(
            f"/object/{BUCKET}/{place}",
            content=content if declares_length else pieces(),
            headers={"content-type": content_type},
        )
    assert answer.status_code >= 400
    assert kept(stack, patient_id(patient)).objects == []


def test_a_prescriptions_file_is_never_replaced_moved_or_removed(
    stack: RunningStack, patient: httpx.Client
) -> None:
    sent = uploaded(patient, JPEG)
    path = path_of(stack, patient)
    jpeg = {"content-type": "image/jpeg"}
    moved = {"bucketId": BUCKET, "sourceKey": path, "destinationKey": f"{path}.jpg"}

    with storage(stack, patient) as client:
        assert client.put(f"/object/{BUCKET}/{path}", content=PNG, headers=jpeg).status_code >= 400
        over = client.post(f"/object/{BUCKET}/{path}", content=PNG, headers={**jpeg, "x-upsert": "true"})
        assert over.status_code >= 400
        assert client.post("/object/move", json=moved).status_code >= 400
        assert client.post("/object/copy", json=moved).status_code >= 400
        client.request("DELETE", f"/object/{BUCKET}", json={"prefixes": [path]})
    with files_of(stack, patient) as files:
        files.remove([path])
        assert files.get(path, most_bytes=100_000) == JPEG
    assert kept(stack, patient_id(patient)).prescriptions == [sent["prescription_id"]]


def test_a_link_ends_and_cannot_be_bent(stack: RunningStack, patient: httpx.Client) -> None:
    uploaded(patient, JPEG)
    path = path_of(stack, patient)
    with files_of(stack, patient) as files:
        short, lasting = files.link(path, seconds=1), files.link(path, seconds=60)

    assert httpx.get(short).content == JPEG
    time.sleep(2.1)
    assert httpx.get(short).status_code == 400
    assert httpx.get(lasting).content == JPEG
    assert httpx.get(lasting + "x").status_code == 400
    assert httpx.get(lasting.replace(path, path[:-5] + "0.jpg")).status_code >= 400
    assert httpx.get(lasting.split("?")[0]).status_code >= 400


def test_a_file_is_not_read_beyond_what_is_allowed(stack: RunningStack, patient: httpx.Client) -> None:
    uploaded(patient, JPEG)

    with files_of(stack, patient) as files, pytest.raises(PayloadTooLarge):
        files.get(path_of(stack, patient), most_bytes=len(JPEG) - 1)


@pytest.mark.parametrize("data", [specimens.EXECUTABLE, specimens.POLYGLOTS["photo and archive"], PNG])
def test_what_gets_into_storage_past_us_is_not_shown_to_anybody(
    stack: RunningStack, patient: httpx.Client, data: bytes
) -> None:
    upload = opened(stack, patient)
    with files_of(stack, patient) as files:
        files.put(upload["file_path"], data, "image/jpeg")
    with database_of(stack, patient) as database:
        sent = database.rpc(
            "finish_upload",
            {"p_upload_id": upload["upload_id"], "p_size": len(data), "p_sha256": "0" * 64},
        )

    with as_staff(stack, PHARMACIST) as pharmacist:
        answer = pharmacist.get(f"/api/prescriptions/{sent['prescription_id']}/file")
    assert (answer.status_code, answer.json()["code"]) == (409, "file_not_shown")


def finish(stack: RunningStack, api: httpx.Client, upload_id: str, **more: object) -> NexusError | None:
    arguments = {"p_upload_id": upload_id, "p_size": 10, "p_sha256": "0" * 64, **more}
    with database_of(stack, api) as database:
        try:
            database.rpc("finish_upload", arguments)
        except NexusError as refusal:
            return refusal
    return None


def test_there_is_no_prescription_without_its_file(
    stack: RunningStack, patient: httpx.Client, other: httpx.Client
) -> None:
    upload = opened(stack, patient)

    missing = finish(stack, patient, upload["upload_id"])
    foreign = finish(stack, other, upload["upload_id"])

    assert missing is not None
    assert foreign is not None
    assert (missing.status, missing.code) == (409, "file_missing")
    assert (foreign.status, foreign.code) == (404, "upload_not_found")
    with stack.rest(token_of(patient)) as rest:
        for path in (upload["file_path"], f"{patient_id(patient)}/made-up.pdf"):
            answer = rest.post("/rpc/submit_prescription", json={"p_file_path": path})
            assert (answer.status_code, answer.json()["message"]) == (422, "invalid_file_path")
    assert kept(stack, patient_id(patient)).prescriptions == []


def test_a_file_belongs_to_one_prescription(stack: RunningStack, patient: httpx.Client) -> None:
    sent = uploaded(patient, JPEG)

    with stack.rest(token_of(patient)) as rest:
        again = rest.post("/rpc/submit_prescription", json={"p_file_path": path_of(stack, patient)})

    assert again.status_code == 422
    assert kept(stack, patient_id(patient)).prescriptions == [sent["prescription_id"]]


@pytest.mark.parametrize(
    "more",
    [
        {"p_size": 0},
        {"p_size": 10**9},
        {"p_sha256": "not a hash"},
        {"p_sha256": None},
        {"p_text": "x" * 20_001},
        {"p_lines": 7},
        {"p_lines": [7]},
        {"p_lines": [{}] * 41},
        {"p_lines": [{"said": "x", "words": ["x"], "is_vocabulary": [False], "dosage_frequency": "hourly"}]},
        {"p_lines": [{"said": "", "words": ["x"], "is_vocabulary": [False]}]},
        {"p_lines": [{"said": "x", "words": ["x"], "is_vocabulary": [False], "units": -1}]},
    ],
)
def test_past_the_function_the_database_refuses_what_cannot_be(
    stack: RunningStack, patient: httpx.Client, more: dict[str, object]
) -> None:
    upload = opened(stack, patient)
    with files_of(stack, patient) as files:
        files.put(upload["file_path"], JPEG, "image/jpeg")

    refusal = finish(stack, patient, upload["upload_id"], **more)

    assert refusal is not None
    assert refusal.status == 422
    assert kept(stack, patient_id(patient)).prescriptions == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"p_content_type": "text/html"}, 415),
        ({"p_content_type": None}, 415),
        ({"p_size": 0}, 422),
        ({"p_size": 10 * 1024 * 1024 + 1}, 422),
        ({"p_sha256": "x"}, 422),
        ({"p_patient_id": "PAT001"}, 403),
        ({"p_idempotency_key": ""}, 422),
    ],
)
def test_nobody_opens_what_cannot_be(
    stack: RunningStack, patient: httpx.Client, arguments: dict[str, object], status: int
) -> None:
    usual = {"p_patient_id": None, "p_content_type": "image/jpeg", "p_size": 10}

    with database_of(stack, patient) as database, pytest.raises(NexusError) as refusal:
        database.rpc("open_upload", {**usual, **arguments})

    assert refusal.value.status == status
    assert kept(stack, patient_id(patient)).nothing


def test_a_place_is_taken_once(stack: RunningStack, patient: httpx.Client) -> None:
    place = opened(stack, patient, content_type="application/pdf")["file_path"]

    def put(files: Files) -> None:
        files.put(place, pdf(), "application/pdf")

    with files_of(stack, patient) as files:
        put(files)
        with pytest.raises(Conflict):
            put(files)
        with pytest.raises(Conflict):
            files.upload_link(place)
