"""Scans of signed paper: what may be stored of what somebody uploads. A PDF, PNG or JPEG that really is one."""

from __future__ import annotations

import io

from PIL import Image, UnidentifiedImageError

from trustportal.errors import RuleBroken

MOST_BYTES = 8 * 1024 * 1024
_MOST_PIXELS = 60_000_000
_REFUSED = "Choose a scan as PDF, PNG or JPEG, of at most 8 MB."


def check_scan(content: bytes) -> str:
    """The media type of a scan, by its own bytes. Raises `RuleBroken` for anything else, or a broken one."""
    if not content or len(content) > MOST_BYTES:
        raise RuleBroken(_REFUSED, "scan")
    if content.startswith(b"%PDF-"):
        return _pdf(content)
    for magic, name in ((b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG")):
        if content.startswith(magic):
            return _image(content, name)
    raise RuleBroken(_REFUSED, "scan")


def _pdf(content: bytes) -> str:
    import pdfplumber  # late: few processes ever see a scan, and it takes long to load

    try:
        with pdfplumber.open(io.BytesIO(content)) as read:
            pages = len(read.pages)
    except Exception as error:
        # The parser raises whatever it stumbles over; for us all of it means one thing.
        raise RuleBroken("This PDF cannot be read. Scan it again.", "scan") from error
    if not 1 <= pages <= 50:
        raise RuleBroken("A scan has 1 to 50 pages.", "scan")
    return "application/pdf"


def _image(content: bytes, name: str) -> str:
    try:
        with Image.open(io.BytesIO(content), formats=[name]) as read:
            if read.width * read.height > _MOST_PIXELS:
                raise RuleBroken("This picture is too large. Scan it with fewer dots.", "scan")
            read.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise RuleBroken("This picture cannot be read. Scan it again.", "scan") from error
    return f"image/{name.lower()}"
