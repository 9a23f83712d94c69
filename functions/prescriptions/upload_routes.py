"""HTTP routes of prescriptions that are files."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Path, UploadFile

from functions.prescriptions import uploading
from functions.prescriptions.models import (
    MOST_FILE_BYTES,
    FileLink,
    OpenedUpload,
    UploadedPrescription,
    UploadToOpen,
)
from functions.prescriptions.transcribing import PictureReader, get_picture_reader
from shared.dependencies import CallersGateway, IdempotencyKey, PrescriptionId, SignedIn
from shared.errors import Conflict, Invalid, NotFound, TooManyRequests, UnsupportedMediaType
from shared.openapi import (
    IDEMPOTENCY_KEY_REUSED,
    PATIENT_OR_STAFF,
    REQUEST_IN_PROGRESS,
    Refusal,
    Role,
    callable_by,
)
from shared.storage import Files, Storage, get_storage
from shared.text import Identifier

router = APIRouter()

UPLOAD_BODY_LIMIT = MOST_FILE_BYTES + 64 * 1024
"""Bytes: the file, and the form around it."""


def _as_caller(caller: SignedIn, storage: Annotated[Storage, Depends(get_storage)]) -> Files:
    return storage.acting_as(caller.token)


CallersFiles = Annotated[Files, Depends(_as_caller)]
Reader = Annotated[PictureReader | None, Depends(get_picture_reader)]

_READERS_OF_FILES: tuple[Role, ...] = ("patient", "pharmacist")
_NO_SUCH_PATIENT = NotFound("There is no such patient.", code="patient_not_found")
_REFUSED_FILES: tuple[Refusal, ...] = (
    UnsupportedMediaType(
        "Send a photo (JPEG, PNG or WebP) or a PDF of the prescription.", code="unsupported_file"
    ),
    Invalid("The file is empty.", code="empty_file"),
    Invalid("The file is damaged. Please send it again.", code="broken_file"),
    Invalid("The PDF is locked. Send one without a password, or a photo.", code="encrypted_file"),
    Invalid("The file holds more than a picture or a document.", code="suspicious_file"),
    Invalid(
        "The file unpacks to more than we can look at. Send a plain photo or PDF.", code="file_too_complex"
    ),
)


@router.post(
    "/api/prescriptions/upload", status_code=201, tags=["prescriptions"], summary="Upload a photo or PDF"
)
@callable_by(
    PATIENT_OR_STAFF,
    REQUEST_IN_PROGRESS,
    IDEMPOTENCY_KEY_REUSED,
    TooManyRequests,
    _NO_SUCH_PATIENT,
    *_REFUSED_FILES,
    Invalid("The file's name is not a plain name.", code="invalid_file_name"),
)
def upload_prescription(
    database: CallersGateway,
    files: CallersFiles,
    reader: Reader,
    file: Annotated[
        UploadFile,
        File(description="JPEG, PNG, WebP or PDF, 10 MB at most", json_schema_extra={"format": "binary"}),
    ],
    patient_id: Annotated[
        Identifier | None, Form(description="Oneself; staff names the patient", examples=["PAT012"])
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> UploadedPrescription:
    """It is `pending`, and orders that need it wait for a pharmacist. What could be read of it is suggested.

    What the file is, its bytes say: name and declared type do not count. Files beyond what the gateway of a
    deployed stage takes (about 4.5 MB) go to storage directly: `POST /api/prescriptions/uploads`.
    """
    return uploading.upload(
        database,
        files,
        reader,
        patient_id=patient_id,
        name=_name_as_sent(file),
        data=file.file.read(),
        idempotency_key=idempotency_key,
    )


def _name_as_sent(file: UploadFile) -> str:
    """The parser drops a Windows path before the name; whoever sends one is to be seen."""
    header = file.headers.get("content-disposition", "").encode("latin-1").decode("utf-8", "replace")
    sent = re.search(r'filename="((?:\\"|[^"])*)"', header)
    return sent[1].replace(r"\"", '"') if sent else file.filename or ""


@router.post(
    "/api/prescriptions/uploads",
    status_code=201,
    tags=["prescriptions"],
    summary="Open an upload of a large file",
)
@callable_by(PATIENT_OR_STAFF, REQUEST_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, TooManyRequests, _NO_SUCH_PATIENT)
def open_upload(
    body: UploadToOpen, database: CallersGateway, files: CallersFiles, idempotency_key: IdempotencyKey = None
) -> OpenedUpload:
    """An address in storage that takes the file for two hours. Nothing comes of it before it is completed."""
    return uploading.open_upload(database, files, body, idempotency_key=idempotency_key)


@router.post(
    "/api/prescriptions/uploads/{upload_id}/complete",
    status_code=201,
    tags=["prescriptions"],
    summary="Make a prescription of a file in storage",
)
@callable_by(
    PATIENT_OR_STAFF,
    NotFound("There is no such upload.", code="upload_not_found"),
    Conflict("The file of this upload has not arrived yet.", code="file_missing"),
    Conflict("The time for this upload is over. Please start again.", code="upload_expired"),
    *_REFUSED_FILES,
)
def complete_upload(
    upload_id: Annotated[UUID, Path(examples=["6f2c1c1e-3f0b-4c55-9a53-0f6f4a3a7d10"])],
    database: CallersGateway,
    files: CallersFiles,
    reader: Reader,
) -> UploadedPrescription:
    """The file is examined as if it had come here; a refused one is removed. Completing it twice is once."""
    return uploading.complete_upload(database, files, reader, upload_id)


@router.get(
    "/api/prescriptions/{prescription_id}/file", tags=["prescriptions"], summary="An address of the file"
)
@callable_by(
    _READERS_OF_FILES,
    NotFound("There is no such prescription.", code="prescription_not_found"),
    NotFound("This prescription was handed in without a file.", code="no_file"),
    Conflict("This file is not what it should be and is not shown.", code="file_not_shown"),
)
def link_to_file(prescription_id: PrescriptionId, database: CallersGateway, files: CallersFiles) -> FileLink:
    """For its patient and for pharmacists, whose looking is recorded. The address works for five minutes."""
    return uploading.link_to_file(database, files, prescription_id)
