"""What a file is, by its bytes alone, and whether it is that and nothing else besides.

Names and declared types are never asked: they are the sender's claims. What is let through here still has to
decode (`pictures`, `documents`).
"""

from __future__ import annotations

import io
import re
import zipfile
from enum import Enum
from typing import Literal

import filetype

Reason = Literal["empty", "unsupported", "polyglot", "broken", "encrypted", "active", "too_complex"]


class Refused(Exception):
    """The file is not taken, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Kind(Enum):
    """What is taken: the content type, and the ending of its stored name."""

    JPEG = "image/jpeg", "jpg"
    PNG = "image/png", "png"
    WEBP = "image/webp", "webp"
    PDF = "application/pdf", "pdf"

    @property
    def content_type(self) -> str:
        return self.value[0]

    @property
    def ending(self) -> str:
        return self.value[1]


_HEADER_BYTES = 8192
_SOMETHING_ELSE = re.compile(
    rb"<script|<html|<!doctype html|<\?php|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c", re.IGNORECASE
)
_PADDING = b"\0\t\n\r\f "
_NEXT_MARKER_OF_JPEG = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def kind_of(data: bytes) -> Kind:
    """Raises Refused (empty, unsupported, polyglot, broken)."""
    if not data:
        raise Refused("empty")
    found = filetype.guess_mime(data[:_HEADER_BYTES])
    kind = next((kind for kind in Kind if kind.content_type == found), None)
    if kind is None:
        raise Refused("unsupported")
    _refuse_second_nature(data, kind)
    return kind


def _refuse_second_nature(data: bytes, kind: Kind) -> None:
    """A file that another program would open as something else: an archive, a web page, a second document."""
    if zipfile.is_zipfile(io.BytesIO(data)) or _SOMETHING_ELSE.search(data):
        raise Refused("polyglot")
    if data.count(b"%PDF-") > (kind is Kind.PDF):
        raise Refused("polyglot")
    try:
        rest = data[_END_OF[kind](data) :]
    except (IndexError, ValueError) as error:
        raise Refused("broken") from error
    if rest.strip(_PADDING) and not (kind is Kind.JPEG and _is_a_cameras(rest)):
        raise Refused("polyglot")


def _is_a_cameras(rest: bytes) -> bool:
    """What phones put behind a photo: further pictures, the clip of a motion photo, Samsung's own notes."""
    return rest.startswith(b"\xff\xd8\xff") or rest[4:8] == b"ftyp" or rest.endswith(b"SEFT")


def _end_of_pdf(data: bytes) -> int:
    return data.rindex(b"%%EOF") + len(b"%%EOF")


def _end_of_png(data: bytes) -> int:
    at = 8
    while True:
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += 12 + length
        if at > len(data):
            raise IndexError
        if name == b"IEND":
            return at


def _end_of_webp(data: bytes) -> int:
    length = int.from_bytes(data[4:8], "little")
    end = 8 + length + length % 2
    if 8 + length > len(data):
        raise IndexError
    return end


def _end_of_jpeg(data: bytes) -> int:
    at = 2
    while True:
        while data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        at += 2
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        at += int.from_bytes(data[at : at + 2], "big")
        if marker == 0xDA:
            following = _NEXT_MARKER_OF_JPEG.search(data, at)
            if following is None:
                raise ValueError
            at = following.start()


_END_OF = {Kind.PDF: _end_of_pdf, Kind.PNG: _end_of_png, Kind.WEBP: _end_of_webp, Kind.JPEG: _end_of_jpeg}
