"""Examines what somebody uploads, before anything of it is stored."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from functions.prescriptions.examination.kinds import Kind, Reason, Refused, kind_of
from shared.errors import Invalid, NexusError, UnsupportedMediaType
from shared.text import readable

MOST_SECONDS = 15
"""Of wall-clock time; the process's own limits are processor time and memory."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that is what it says. `text` is what a PDF says, "" when it says nothing that can be read;
    `preview` a smaller JPEG of a picture, when one was asked for and could be made.
    """

    kind: Kind
    text: str = ""
    preview: bytes | None = None


def examine(data: bytes, *, with_text: bool = True, with_preview: bool = False) -> Examined:
    """What the file is. Raises UnsupportedMediaType or Invalid, with a code and sentence for each reason."""
    wanted = [flag for flag, is_wanted in (("--text", with_text), ("--preview", with_preview)) if is_wanted]
    try:
        kind = kind_of(data)
        lines = _looked_at_apart(data, kind, wanted)
    except Refused as refusal:
        raise _error(refusal.reason) from refusal
    found: dict[str, Any] = lines[1] if len(lines) > 1 else {}
    preview = found.get("preview")
    return Examined(kind, readable(found.get("text", "")), base64.b64decode(preview) if preview else None)


def _looked_at_apart(data: bytes, kind: Kind, wanted: list[str]) -> list[dict[str, Any]]:
    """What the process in `examination` answers. It gets the file and nothing else: no keys, no tokens."""
    command = [sys.executable, "-m", "functions.prescriptions.examination", kind.content_type, *wanted]
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    try:
        ended = subprocess.run(  # noqa: S603 (our own module, and a word of ours)
            command,
            input=data,
            capture_output=True,
            timeout=MOST_SECONDS,
            env={**kept, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        answered, by_itself = ended.stdout, ended.returncode >= 0
    except subprocess.TimeoutExpired as late:
        answered, by_itself = late.stdout or b"", False
    # A line that was cut off is none.
    lines = [json.loads(line) for line in answered.splitlines(keepends=True) if line.endswith(b"\n")]
    if not lines and by_itself:
        raise RuntimeError(f"the examination failed with exit code {ended.returncode}")
    if not lines or lines[0]["refused"]:
        raise Refused(lines[0]["refused"] if lines else "too_complex")
    return lines


def _error(reason: Reason) -> NexusError:
    match reason:
        case "empty":
            return Invalid("The file is empty.", code="empty_file")
        case "unsupported":
            return UnsupportedMediaType(
                "Send a photo (JPEG, PNG or WebP) or a PDF of the prescription.", code="unsupported_file"
            )
        case "polyglot":
            return Invalid("The file holds more than a picture or a document.", code="suspicious_file")
        case "active":
            return Invalid(
                "The PDF holds programs or attached files. Send one without, or a photo.",
                code="suspicious_file",
            )
        case "encrypted":
            return Invalid(
                "The PDF is locked. Send one without a password, or a photo.", code="encrypted_file"
            )
        case "too_complex":
            return Invalid(
                "The file unpacks to more than we can look at. Send a plain photo or PDF.",
                code="file_too_complex",
            )
        case "broken":
            return Invalid("The file is damaged. Please send it again.", code="broken_file")
