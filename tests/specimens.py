"""Files that people bring: good ones, damaged ones, and those made to harm."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence

from PIL import Image
from pypdf import PdfReader, PdfWriter

PRESCRIPTION = (
    "City Clinic, Pune",
    "Dr. S. Mehta, MBBS",
    "Tab. Cefixime 200 mg 1-0-1 after food x 5 days",
)


def picture(form: str = "PNG", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    """A picture with something on it, different for each size."""
    target = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(target, form, **options)
    return target.getvalue()


def pdf(lines: Sequence[str] = PRESCRIPTION, *, catalog: bytes = b"", further: bytes = b"") -> bytes:
    """A PDF of one page with these lines of text; `further` is one more object that nothing refers to."""
    shown = b" ".join(b"(%s) Tj T*" % _escaped(line) for line in lines)
    return pdf_of(b"BT /F1 12 Tf 72 700 Td 14 TL " + shown + b" ET", catalog=catalog, further=further)


def pdf_of(content: bytes, *, catalog: bytes = b"", further: bytes = b"", packed: bool = False) -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        stream(zlib.compress(content), b"/Filter /FlateDecode") if packed else stream(content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *([further] if further else []),
    ]
    written, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n" % number + each + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(written))
    return written + head + table + tail


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)


def archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as written:
        written.writestr("run.sh", "echo hello")
    return target.getvalue()


def pages(count: int) -> bytes:
    writer = PdfWriter()
    for _ in range(count):
        writer.add_blank_page(595, 842)
    return _written(writer)


def encrypted(user_password: str = "secret") -> bytes:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf())))
    writer.encrypt(user_password, "owner", algorithm="RC4-128")
    return _written(writer)


def with_attachment() -> bytes:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf())))
    writer.add_attachment("run.exe", EXECUTABLE)
    return _written(writer)


def packed_zeros(megabytes: int) -> bytes:
    packing = zlib.compressobj(1)
    million = bytes(1_000_000)
    return b"".join([*(packing.compress(million) for _ in range(megabytes)), packing.flush()])


def _written(writer: PdfWriter) -> bytes:
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def _escaped(line: str) -> bytes:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("latin-1")


EXECUTABLE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + bytes(200)
PAGE = b"<html><script>alert(1)</script></html>"
JPEG, PNG, WEBP = picture("JPEG"), picture("PNG"), picture("WEBP")
_COMMENT = b"%PDF-1.4 1 0 obj << >> endobj %%EOF"


def in_jpeg(comment: bytes) -> bytes:
    return JPEG[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + JPEG[2:]


GOOD = {
    "jpeg": JPEG,
    "progressive jpeg": picture("JPEG", progressive=True),
    "png": PNG,
    "webp": WEBP,
    "pdf": pdf(),
    "packed pdf": pdf_of(b"BT ET", packed=True),
    "photo with a second picture behind": JPEG + picture("JPEG", (16, 16)),
    "photo with a clip behind": JPEG + b"\0\0\0\x18ftypmp42" + bytes(200),
    "photo with a phone's notes behind": JPEG
    + b"Image_UTC_Data1763700000000"
    + b"SEFH"
    + bytes(20)
    + b"SEFT",
    "png with padding": PNG + bytes(3),
}

POLYGLOTS = {
    "pdf and archive": pdf() + archive(),
    "archive inside a pdf": pdf() + archive() + b"\n%%EOF\n",
    "pdf and page": pdf() + PAGE,
    "page inside a pdf": pdf() + PAGE + b"\n%%EOF\n",
    "page in a pdf's header": pdf().replace(b"%PDF-1.4\n", b"%PDF-1.4\n%" + PAGE + b"\n", 1),
    "pdf and executable": pdf() + EXECUTABLE,
    "two pdfs": pdf() + pdf(["something else"]),
    "photo and archive": JPEG + archive(),
    "photo and executable": JPEG + EXECUTABLE,
    "photo and pdf": JPEG + pdf(),
    "pdf in a photo's comment": in_jpeg(_COMMENT),
    "php in a photo's comment": in_jpeg(b"<?php system($_GET['c']); ?>"),
    "png and page": PNG + PAGE,
    "png and anything": PNG + b"anything",
    "webp and archive": WEBP + archive(),
    "rar in a png": PNG[:-12] + b"\0\0\0\x08tEXtRar!\x1a\x07\0\0" + b"\0\0\0\0" + PNG[-12:],
}

UNSUPPORTED = {
    "executable": EXECUTABLE,
    "elf": b"\x7fELF\x02\x01\x01" + bytes(100),
    "script": b"#!/bin/sh\necho hello\n",
    "archive": archive(),
    "page": PAGE,
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "text": b"Tab Metformin 500 mg",
    "gif": picture("GIF"),
    "tiff": picture("TIFF"),
    "zeros": bytes(1000),
    "executable before a pdf": EXECUTABLE + pdf(),
}

DAMAGED = {
    "half a jpeg": picture("JPEG", (300, 300))[:5000],
    "half a png": PNG[: len(PNG) // 2],
    "half a webp": WEBP[: len(WEBP) // 2],
    "a png's first bytes": b"\x89PNG\r\n\x1a\n" + bytes(32),
    "a png with a wrong bit": PNG[:200] + bytes([PNG[200] ^ 0xFF]) + PNG[201:],
    "a jpeg's first bytes": b"\xff\xd8\xff\xe0" + bytes(50),
    "half a pdf": pdf()[: len(pdf()) // 2],
    "a pdf's first line": b"%PDF-1.7\n",
    "no pdf after its first line": b"%PDF-1.7\nnothing of the kind\n%%EOF\n",
    "a pdf without its table": pdf().replace(b"startxref\n", b"startxref\n9"),
    "a pdf with a broken stream": pdf(further=stream(b"not packed at all", b"/Filter /FlateDecode")),
    "a pdf without pages": pdf().replace(b"/Kids [3 0 R] /Count 1", b"/Kids []      /Count 0"),
}

ACTIVE = {
    "javascript": pdf(catalog=rb"/OpenAction << /S /JavaScript /JS (app.alert\(1\)) >>"),
    "launch": pdf(catalog=b"/OpenAction << /S /Launch /F (cmd.exe) >>"),
    "attachment": with_attachment(),
    "javascript nobody refers to": pdf(further=b"<< /S /JavaScript /JS (x) >>"),
}

LOCKED = {"password": encrypted(), "owner's password": encrypted("")}


def bombs() -> dict[str, bytes]:
    """Made when asked for: they take a moment."""
    zeros = packed_zeros(210)
    flate = b"/Filter /FlateDecode"
    dark = io.BytesIO()
    Image.new("1", (8200, 8200)).save(dark, "PNG")
    moving = io.BytesIO()
    Image.new("RGB", (8, 8)).save(
        moving, "WEBP", save_all=True, append_images=[Image.new("RGB", (8, 8), "red")]
    )
    return {
        "page": pdf_of(b" " * 50_000_000, packed=True),
        "stream": pdf(further=stream(zeros, flate)),
        "picture in a pdf": pdf(further=stream(zeros, flate + b" /Subtype /Image /Width 9 /Height 9")),
        "picture of pictures": pdf(
            further=stream(b"", b"/Subtype /Image /Width 100000 /Height 100000 /Filter /DCTDecode")
        ),
        "twice packed": pdf(further=stream(zlib.compress(zeros, 9), b"/Filter [/FlateDecode /FlateDecode]")),
        "too many pages": pages(51),
        "png": dark.getvalue(),
        "animation": moving.getvalue(),
    }
