"""Uploading prescriptions over the API, and what is there of them afterwards: files, rows, records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.local.settings import PROJECT
from shared.database import Database, Gateway
from shared.storage import Files, Storage
from tests.integration.ordering import records
from tests.running_stack import RunningStack

Json = dict[str, Any]

FILES_ON_DISK = PROJECT / ".local" / "test" / "lite" / "supabase" / ".temp" / "storage" / "prescriptions"


def upload(
    api: httpx.Client,
    data: bytes,
    *,
    name: str = "prescription.pdf",
    declared: str = "application/pdf",
    patient_id: str | None = None,
    key: str | None = None,
) -> httpx.Response:
    """As the frontend sends it: the file, then the patient it is about."""
    form = {} if patient_id is None else {"patient_id": patient_id}
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post(
        "/api/prescriptions/upload", files={"file": (name, data, declared)}, data=form, headers=headers
    )


def uploaded(api: httpx.Client, data: bytes, **more: Any) -> Json:
    answer = upload(api, data, **more)
    assert answer.status_code == 201, answer.text
    said: Json = answer.json()
    return said


@dataclass(frozen=True)
class Kept:
    """What there is of a patient's uploads."""

    prescriptions: list[str]
    uploads: list[str]
    objects: list[str]
    files: list[str]

    @property
    def nothing(self) -> bool:
        return not (self.prescriptions or self.uploads or self.objects or self.files)


_KEPT = {
    "prescriptions": "select prescription_id from public.prescriptions where patient_id = %(patient)s",
    "uploads": "select file_path from public.prescription_uploads where patient_id = %(patient)s",
    "objects": "select name from storage.objects where bucket_id = 'prescriptions' "
    "and starts_with(name, %(patient)s || '/')",
}


def kept(stack: RunningStack, patient_id: str) -> Kept:
    folder = FILES_ON_DISK / patient_id
    with records(stack) as database:
        found = {
            what: sorted(
                value
                for row in database.execute(select.encode(), {"patient": patient_id})
                for value in row.values()
            )
            for what, select in _KEPT.items()
        }
    files = [f"{patient_id}/{each.name}" for each in folder.iterdir()] if folder.exists() else []
    return Kept(**found, files=sorted(files))


def everything_kept(stack: RunningStack) -> list[int]:
    """How many prescriptions, files and opened uploads there are of anybody."""
    with records(stack) as database:
        return [
            len(database.execute(f"select from {table}".encode()).fetchall())
            for table in ("public.prescriptions", "storage.objects", "public.prescription_uploads")
        ]


def token_of(api: httpx.Client) -> str:
    return api.headers["authorization"].removeprefix("Bearer ")


@contextmanager
def database_of(stack: RunningStack, api: httpx.Client) -> Iterator[Gateway]:
    """The database as a service has it when it acts for this client."""
    database = Database(url=stack.supabase_url, publishable_key=stack.publishable_key, timeout_seconds=10)
    try:
        yield database.acting_as(token_of(api))
    finally:
        database.close()


@contextmanager
def files_of(stack: RunningStack, api: httpx.Client | None, *, url: str | None = None) -> Iterator[Files]:
    """The bucket as a service has it when it acts for this client; a guest brings no token of their own."""
    storage = Storage(
        url=url or stack.supabase_url,
        publishable_key=stack.publishable_key,
        bucket="prescriptions",
        timeout_seconds=10,
    )
    try:
        yield storage.acting_as(token_of(api) if api else stack.publishable_key)
    finally:
        storage.close()


def on_disk(path: str) -> Path:
    return FILES_ON_DISK / path
