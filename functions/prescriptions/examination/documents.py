"""Whether a PDF is whole, open, harmless and of bearable size; and the text in it."""

from __future__ import annotations

import io
import logging
import zlib
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader, apply_configuration
from pypdf.errors import LimitReachedError
from pypdf.filters import decode_stream_data
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from functions.prescriptions.examination.kinds import Refused
from functions.prescriptions.examination.pictures import MOST_PIXELS

MOST_PAGES = 50
READ_PAGES = 10
MOST_TEXT = 20_000
"""Characters."""

_MOST_OBJECTS = 20_000
_MOST_PARTS = 500_000
_MOST_INFLATED = 200_000_000
_MOST_INFLATED_AS_TEXT = 20_000_000
"""Bytes: of all streams together, and of one that is no picture."""
_CHUNK = 1 << 20
_LIMITS: dict[str, Any] = {
    "maximum_declared_stream_length": 12_000_000,
    "array_based_stream_maximum_output_length": _MOST_INFLATED_AS_TEXT,
    "jbig2_maximum_output_length": _MOST_INFLATED_AS_TEXT,
    "lzw_maximum_output_length": _MOST_INFLATED_AS_TEXT,
    "run_length_maximum_output_length": _MOST_INFLATED_AS_TEXT,
    "zlib_maximum_output_length": _MOST_INFLATED_AS_TEXT,
    "zlib_maximum_recovery_input_length": 1,
    "stream_decoding_work_maximum_length": 2 * _MOST_INFLATED_AS_TEXT,
    "jbig2dec_binary": None,
}
_PASSED_ON = ("/DCTDecode", "/DCT", "/JPXDecode", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode")
"""Filters of pictures, which only a viewer decodes."""
_ACTIVE_KEYS = frozenset({"/JS", "/JavaScript", "/EF", "/XFA", "/RichMediaContent"})
_ACTIVE_ACTIONS = frozenset({"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/Rendition", "/GoToE"})


def open_document(data: bytes) -> PdfReader:
    """The document, every object of it looked at. Raises Refused (broken, encrypted, active, too_complex)."""
    repairs = _Repairs()
    logging.getLogger("pypdf").addHandler(repairs)
    try:
        with apply_configuration(**_LIMITS):
            reader = PdfReader(io.BytesIO(data), strict=False)
            if reader.is_encrypted:
                raise Refused("encrypted")
            pages = len(reader.pages)
            if pages == 0:
                raise Refused("broken")
            if pages > MOST_PAGES:
                raise Refused("too_complex")
            _look_at_every_object(reader)
            if repairs.made:
                raise Refused("broken")
    except Refused:
        raise
    except (LimitReachedError, RecursionError, MemoryError) as error:
        raise Refused("too_complex") from error
    except Exception as error:  # whatever a parser says of bytes that somebody made up
        raise Refused("broken") from error
    finally:
        logging.getLogger("pypdf").removeHandler(repairs)
    return reader


def text_of(reader: PdfReader) -> str:
    """The text of the first pages; what cannot be read is left out."""
    texts: list[str] = []
    with apply_configuration(**_LIMITS):
        for page in reader.pages[:READ_PAGES]:
            try:
                texts.append(page.extract_text())
            except Exception:  # noqa: S112 (a page that cannot be read is a page without text)
                continue
    return "\n".join(texts)[:MOST_TEXT]


class _Repairs(logging.Handler):
    """Notes when the reader had to guess where the objects are: other programs may guess otherwise."""

    made = False

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if said.startswith(("incorrect startxref", "Negative startxref", "Ignoring wrong pointing")) or (
            said.startswith("Object ") and said.endswith(("found", "repaired"))
        ):
            self.made = True


def _look_at_every_object(reader: PdfReader) -> None:
    numbers = {(number, generation) for generation, found in reader.xref.items() for number in found}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    if len(numbers) > _MOST_OBJECTS:
        raise Refused("too_complex")
    inflated = parts = 0
    for number, generation in sorted(numbers):
        for part in _parts_of(reader.get_object(IndirectObject(number, generation, reader))):
            parts += 1
            if parts > _MOST_PARTS:
                raise Refused("too_complex")
            if isinstance(part, DictionaryObject):
                _refuse_active(part)
            if isinstance(part, StreamObject):
                inflated += _inflated_length(part, _MOST_INFLATED - inflated)


def _parts_of(value: Any) -> Iterator[Any]:
    """An object and what is written inside it; what it only refers to comes by itself."""
    yield value
    inner = value.values() if isinstance(value, DictionaryObject) else value
    if isinstance(value, (DictionaryObject, ArrayObject)):
        for part in inner:
            if isinstance(part, (DictionaryObject, ArrayObject)):
                yield from _parts_of(part)


def _refuse_active(part: DictionaryObject) -> None:
    """Programs, attached files, and actions that start or send something."""
    if not _ACTIVE_KEYS.isdisjoint(part) or part.get("/S") in _ACTIVE_ACTIONS:
        raise Refused("active")
    if part.get("/Type") == "/EmbeddedFile":
        raise Refused("active")


def _inflated_length(stream: StreamObject, most: int) -> int:
    """Bytes of a stream once unpacked. Raises Refused (too_complex) when that is more than is bearable."""
    if stream.get("/Subtype") == "/Image":
        if not 0 <= int(stream.get("/Width", 1)) * int(stream.get("/Height", 1)) <= MOST_PIXELS:
            raise Refused("too_complex")
    else:
        most = min(most, _MOST_INFLATED_AS_TEXT)
    filters = _filters_of(stream)
    if filters == ["/FlateDecode"] or filters == ["/Fl"]:
        length = _flate_length(stream._data, most)
    elif not filters or filters[0] in _PASSED_ON:
        length = len(stream._data)
    elif filters[-1] in _PASSED_ON:
        if filters[:-1] not in (["/FlateDecode"], ["/Fl"]):
            raise Refused("too_complex")
        length = _flate_length(stream._data, most)
    else:
        length = len(decode_stream_data(stream))
    if length > most:
        raise Refused("too_complex")
    return length


def _filters_of(stream: StreamObject) -> list[str]:
    found = stream.get("/Filter", ())
    found = found.get_object() if isinstance(found, IndirectObject) else found
    return [str(name) for name in found] if isinstance(found, (ArrayObject, tuple)) else [str(found)]


def _flate_length(data: bytes, most: int) -> int:
    """Counts without keeping: a stream of kilobytes may unpack to gigabytes."""
    inflating = zlib.decompressobj()
    length = 0
    while data and not inflating.eof:
        length += len(inflating.decompress(data, _CHUNK))
        if length > most:
            raise Refused("too_complex")
        data = inflating.unconsumed_tail
    return length
