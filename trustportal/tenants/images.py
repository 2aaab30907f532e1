"""Logos: what is uploaded is really read and written anew, so that nothing but the picture is kept."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from trustportal.errors import RuleBroken

MOST_BYTES = 2 * 1024 * 1024
MOST_PIXELS = 4000
#: What a logo is scaled down to: enough for a header and for the first page of a PDF.
SIDE = 1200
_MAGIC = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture fit to be stored."""

    content: bytes
    media_type: str
    width: int
    height: int


def check_logo(content: bytes) -> Logo:
    """Read a PNG or JPEG and write it anew, without its metadata. Raises `RuleBroken` for anything else."""
    if len(content) > MOST_BYTES:
        raise RuleBroken("The logo must be smaller than 2 MB.", "logo")
    kind = next((name for name, magic in _MAGIC.items() if content.startswith(magic)), None)
    if kind is None:
        raise RuleBroken("The logo must be a PNG or JPEG file.", "logo")
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as picture:
            if max(picture.size) > MOST_PIXELS:
                raise RuleBroken(f"The logo may be up to {MOST_PIXELS} pixels wide and high.", "logo")
            picture.load()
            plain = picture.convert("RGBA" if kind == "PNG" else "RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise RuleBroken(
            "This file cannot be read as a picture. Save it again as PNG and try once more.", "logo"
        ) from error
    plain.thumbnail((SIDE, SIDE))
    written = io.BytesIO()
    plain.save(written, format=kind, optimize=True)
    return Logo(written.getvalue(), "image/png" if kind == "PNG" else "image/jpeg", *plain.size)
