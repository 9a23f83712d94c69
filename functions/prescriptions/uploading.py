"""From a file to a prescription that a pharmacist can read.

The order of things keeps them whole: who may, what it is, where it goes, the file, the prescription. What
fails before the file is stored leaves nothing; what fails after it leaves a file without a prescription. That
is removed at once, or with the sender's next upload.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from urllib.parse import unquote
from uuid import UUID

from functions.prescriptions.examining import Examined, examine
from functions.prescriptions.models import (
    MOST_FILE_BYTES,
    FileLink,
    OpenedUpload,
    UploadedPrescription,
    UploadToOpen,
)
from functions.prescriptions.reading import read
from shared.database import Gateway
from shared.errors import Conflict, Invalid, NexusError, NotFound, PayloadTooLarge, UnsupportedMediaType
from shared.storage import Files
from shared.text import readable

LINK_SECONDS = 300
_LONGEST_NAME = 255
_MOST_TEXT = 20_000
_UNUSUAL_IN_NAMES = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]|^\.+$")


class Reader(Protocol):
    """What reads pictures."""

    def transcribe(self, jpeg: bytes) -> str: ...


def upload(
    database: Gateway,
    files: Files,
    reader: Reader | None,
    *,
    patient_id: str | None,
    name: str,
    data: bytes,
    idempotency_key: str | None,
) -> UploadedPrescription:
    """Examine a file, store it and make a pending prescription of it, with what could be read as suggestions.

    Raises Forbidden, NotFound (patient), TooManyRequests; UnsupportedMediaType, Invalid or PayloadTooLarge
    for the file; Conflict (request_in_progress), Invalid (idempotency_key_reused); Unavailable.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    admitted = database.rpc(
        "admit_upload",
        {"p_patient_id": patient_id, "p_sha256": sha256, "p_idempotency_key": idempotency_key},
    )
    if admitted["answer"]:
        return UploadedPrescription.model_validate(admitted["answer"])
    _refuse_name(name)
    if len(data) > MOST_FILE_BYTES:
        raise PayloadTooLarge("The file is too large: 10 MB at most.")
    examined = examine(data, with_preview=reader is not None)
    text, read_by = _text_of(examined, reader)

    opened = database.rpc(
        "open_upload",
        {
            "p_patient_id": admitted["patient_id"],
            "p_content_type": examined.kind.content_type,
            "p_size": len(data),
            "p_sha256": sha256,
            "p_idempotency_key": idempotency_key,
        },
    )
    if opened.get("answer"):
        return UploadedPrescription.model_validate(opened["answer"])
    _tidy_up(files, opened["left_over"])
    with _given_up_on_failure(database, files, opened):
        files.put(opened["file_path"], data, examined.kind.content_type)
        return _finish(database, opened["upload_id"], data, text, read_by)


def open_upload(
    database: Gateway, files: Files, wanted: UploadToOpen, *, idempotency_key: str | None
) -> OpenedUpload:
    """A place in storage for a file that is sent there directly, for two hours.

    Raises Forbidden, NotFound (patient), TooManyRequests, Conflict (file_exists), Unavailable.
    """
    opened = database.rpc(
        "open_upload",
        {
            "p_patient_id": wanted.patient_id,
            "p_content_type": wanted.content_type,
            "p_size": wanted.size,
            "p_idempotency_key": idempotency_key,
        },
    )
    _tidy_up(files, opened["left_over"])
    return OpenedUpload(
        upload_id=opened["upload_id"],
        url=files.upload_link(opened["file_path"]),
        headers={"content-type": opened["content_type"]},
        expires_at=opened["expires_at"],
    )


def complete_upload(
    database: Gateway, files: Files, reader: Reader | None, upload_id: UUID
) -> UploadedPrescription:
    """Examine a file that was sent to storage and make a prescription of it; a refused one is removed.

    Raises NotFound (upload_not_found), Conflict (upload_expired, file_missing), and for the file as `upload`.
    """
    found = database.rpc("find_upload", {"p_upload_id": str(upload_id)})
    if found["answer"]:
        return UploadedPrescription.model_validate(found["answer"])
    try:
        data = _stored(files, found["file_path"])
        examined = examine(data, with_preview=reader is not None)
        if examined.kind.content_type != found["content_type"]:
            raise UnsupportedMediaType("The file is not of the announced type.", code="unsupported_file")
    except (Invalid, UnsupportedMediaType, PayloadTooLarge):
        _give_up(database, files, found)
        raise
    text, read_by = _text_of(examined, reader)
    return _finish(database, str(upload_id), data, text, read_by)


def link_to_file(database: Gateway, files: Files, prescription_id: str) -> FileLink:
    """An address of a prescription's file that expires, for its patient and for pharmacists.

    Raises Forbidden, NotFound (prescription_not_found, no_file), Unavailable, and Conflict (file_not_shown)
    for a file that got into storage past this function and is not what it should be.
    """
    found = database.rpc("prescription_file", {"p_prescription_id": prescription_id})
    path = found["file_path"]
    if path not in _shown_before:
        try:
            kind = examine(_stored(files, path), with_text=False).kind
        except (Invalid, UnsupportedMediaType, PayloadTooLarge) as error:
            raise _not_shown() from error
        if kind.content_type != found["content_type"]:
            raise _not_shown()
        _remember(path)
    expires_at = datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)
    return FileLink(url=files.link(path, seconds=LINK_SECONDS), expires_at=expires_at, **found)


_shown_before: dict[str, None] = {}
"""Files that this process has examined; what is stored is never replaced."""


def _remember(path: str) -> None:
    if len(_shown_before) >= 1000:
        _shown_before.clear()
    _shown_before[path] = None


def _not_shown() -> Conflict:
    return Conflict("This file is not what it should be and is not shown.", code="file_not_shown")


def _refuse_name(name: str) -> None:
    """The name is never used; one with path parts or control characters comes from no honest sender."""
    for written in (name, unquote(name)):
        if _UNUSUAL_IN_NAMES.search(written) or len(written) > _LONGEST_NAME:
            raise Invalid("The file's name is not a plain name.", code="invalid_file_name")


def _text_of(examined: Examined, reader: Reader | None) -> tuple[str, Literal["text", "model"]]:
    if reader and examined.preview:
        return readable(reader.transcribe(examined.preview))[:_MOST_TEXT], "model"
    return examined.text[:_MOST_TEXT], "text"


def _finish(
    database: Gateway, upload_id: str, data: bytes, text: str, read_by: Literal["text", "model"]
) -> UploadedPrescription:
    return UploadedPrescription.model_validate(
        database.rpc(
            "finish_upload",
            {
                "p_upload_id": upload_id,
                "p_size": len(data),
                "p_sha256": hashlib.sha256(data).hexdigest(),
                "p_text": text,
                "p_lines": [asdict(line) for line in read(text)],
                "p_read_by": read_by,
            },
        )
    )


def _stored(files: Files, path: str) -> bytes:
    try:
        return files.get(path, most_bytes=MOST_FILE_BYTES)
    except NotFound as error:
        raise Conflict("The file of this upload has not arrived yet.", code="file_missing") from error


def _tidy_up(files: Files, left_over: Sequence[str]) -> None:
    """Remove files that earlier uploads of the caller left; another upload will do it if this one cannot."""
    if left_over:
        with suppress(NexusError):
            files.remove(left_over)


@contextmanager
def _given_up_on_failure(database: Gateway, files: Files, upload: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _give_up(database, files, upload)
        raise


def _give_up(database: Gateway, files: Files, upload: Mapping[str, Any]) -> None:
    """Take back what is there of an upload. The database keeps what became a prescription after all."""
    with suppress(NexusError):
        files.remove([upload["file_path"]])
    with suppress(NexusError):
        database.rpc("abandon_upload", {"p_upload_id": upload["upload_id"]})
