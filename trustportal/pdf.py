"""HTML to PDF/UA-1 with WeasyPrint: the house style, a fetcher closed to all but our own, limits of time and memory.

Whatever the HTML asks for, only what is called `asset:NAME` is handed out: our fonts and style sheet, and the bytes
that the caller gives (a logo, a QR code). Everything else is refused and named in the answer, for its author.
The same HTML and assets give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from trustportal.confined import Ended, memory_was_short, run_confined
from trustportal.errors import RuleBroken

__all__ = ["CPU_SECONDS", "MEMORY_BYTES", "PdfRefused", "Rendered", "render", "render_limited", "warm"]

CPU_SECONDS = 30
#: How much a render may take on top of what the process already has.
MEMORY_BYTES = 1024**3
#: A render that waits instead of working is ended too.
_WALL_SECONDS = 90
_NOTHING: Mapping[str, bytes] = MappingProxyType({})


class PdfRefused(RuleBroken):
    """The PDF would take too long, too much memory, or cannot be laid out at all. The message is for its author."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A PDF. `refused`: the addresses that the HTML asked for and did not get, each once.

    `spelled_out`: the characters that no font has; they are printed as their names.
    """

    pdf: bytes
    refused: tuple[str, ...]
    pages: int
    spelled_out: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return hashlib.sha256(self.pdf).hexdigest()


def warm() -> None:
    """Load what draws, and read fonts and style sheet. A worker calls this before it forks, so that no job has to."""
    # Here, and not above: it takes longer to load than all the rest, and most processes never draw.
    from trustportal import drawing

    drawing.read_house()


def render(html: str, *, assets: Mapping[str, bytes] = _NOTHING, base: str = "") -> Rendered:
    """The PDF/UA-1 of a whole HTML page (with lang, title and one h1), in this process and without limits.

    `assets`: name -> bytes, for `<img src="asset:NAME">`; the name's suffix says its kind (.png, .jpg, .svg).
    `base`: the address that relative links are relative to; nothing is fetched from it.
    Raises PdfRefused for HTML that cannot be laid out.
    """
    from trustportal import drawing

    return drawing.draw(html, assets, base)


_TOO_MUCH = (
    "The PDF cannot be made: it takes too much time or memory. "
    "Look for a very large table or a very long clause, and divide it."
)
#: How the child's answer begins: the length of what it says (JSON); the PDF follows.
_LENGTH = struct.Struct(">I")
_FAILED = "The PDF cannot be made from this text. The fault has been written to the log."


def render_limited(
    html: str,
    *,
    assets: Mapping[str, bytes] = _NOTHING,
    base: str = "",
    cpu_seconds: int = CPU_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Rendered:
    """As `render`, in a child process that ends after `cpu_seconds` or when it grows by `memory_bytes`.

    Raises PdfRefused when a limit is met or the HTML cannot be laid out.
    """
    warm()  # before the fork, so that it is done once
    try:
        answer = run_confined(
            lambda: _answer(html, assets, base),
            cpu_seconds=cpu_seconds,
            memory_bytes=memory_bytes,
            wall_seconds=max(_WALL_SECONDS, 3 * cpu_seconds),
        )
    except Ended:
        raise PdfRefused(_TOO_MUCH) from None
    size = _LENGTH.unpack_from(answer)[0]
    head = json.loads(answer[_LENGTH.size : _LENGTH.size + size])
    if "error" in head:
        raise PdfRefused(head["error"])
    pdf = answer[_LENGTH.size + size :]
    return Rendered(pdf, tuple(head["refused"]), head["pages"], tuple(head["spelled_out"]))


def _answer(html: str, assets: Mapping[str, bytes], base: str) -> bytes:
    """What the child says: the length of a JSON head, the head, the PDF."""
    pdf = b""
    try:
        made = render(html, assets=assets, base=base)
        head: dict[str, Any] = {
            "refused": made.refused,
            "pages": made.pages,
            "spelled_out": made.spelled_out,
        }
        pdf = made.pdf
    except MemoryError:
        head = {"error": _TOO_MUCH}
    except PdfRefused as refused:
        head = {"error": refused.message}
    except Exception:
        if memory_was_short():
            head = {"error": _TOO_MUCH}
        else:
            _log_failure()
            head = {"error": _FAILED}
    words = json.dumps(head).encode()
    return _LENGTH.pack(len(words)) + words + pdf


def _log_failure() -> None:
    logging.getLogger(__name__).exception("a PDF could not be made")
