"""Whether a picture decodes, within limits."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from functions.prescriptions.examination.kinds import Kind, Refused

MOST_PIXELS = 64_000_000
"""A 64-megapixel photo; decoded it takes 192 MB."""

_PREVIEW_PIXELS = 2048
_FORMATS = {Kind.JPEG: ("JPEG", "MPO"), Kind.PNG: ("PNG",), Kind.WEBP: ("WEBP",)}


def decode(data: bytes, kind: Kind) -> Image.Image:
    """The picture, every pixel of it read. Raises Refused (broken, too_complex)."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow warns at this and refuses at twice of it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=_FORMATS[kind])
        if kind is not Kind.JPEG and getattr(picture, "n_frames", 1) > 1:
            raise Refused("too_complex")  # an animation: a pharmacist reads one picture
        picture.load()
    except Image.DecompressionBombError as error:
        raise Refused("too_complex") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Refused("broken") from error
    return picture


def preview(picture: Image.Image) -> bytes:
    """A smaller JPEG of it, upright, without what the camera wrote about place, time and device."""
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((_PREVIEW_PIXELS, _PREVIEW_PIXELS))
    plain = Image.new("RGB", upright.size)
    plain.paste(upright)
    target = io.BytesIO()
    plain.save(target, "JPEG", quality=85)
    return target.getvalue()
