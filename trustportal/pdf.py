"""HTML to PDF/UA-1 with WeasyPrint: the house style, a fetcher closed to all but our own, limits of time and memory.

Whatever the HTML asks for, only what is called `asset:NAME` is handed out: our fonts and style sheet, and the bytes
that the caller gives (a logo, a QR code). Everything else is refused and named in the answer, for its author.
The same HTML and assets give the same bytes.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import logging
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from mimetypes import guess_type
from pathlib import Path
from types import MappingProxyType
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from trustportal.confined import Ended, run_confined
from trustportal.errors import RuleBroken
from trustportal.glyphs import own_characters, spelled_out

__all__ = ["CPU_SECONDS", "MEMORY_BYTES", "PdfRefused", "Rendered", "render", "render_limited", "warm"]

HERE = Path(__file__).resolve().parent
FONTS = HERE / "static" / "print"
STYLE = HERE.parent / "templates" / "print" / "print.css"

CPU_SECONDS = 30
#: How much a render may take on top of what the process already has.
MEMORY_BYTES = 1024**3
#: A render that waits instead of working is ended too.
_WALL_SECONDS = 90
_MOST_REFUSED = 50
#: Characters of text in one piece; a whole policy has about 60,000.
_LONGEST_TEXT = 200_000
_TAG = re.compile(r"<[^>]*>")
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


class _Fetcher(URLFetcher):
    """Hands out `asset:NAME` from a mapping, and writes down what else was asked for."""

    def __init__(self, assets: Mapping[str, bytes]) -> None:
        # Without the opener's own __init__: it would set up HTTP, FTP, files and TLS, which must not exist here.
        self._fail_on_errors = False
        self._assets = assets
        self.refused: dict[str, None] = {}

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        scheme, _, name = url.partition(":")
        if scheme == "asset" and name in self._assets:
            kind = guess_type(name)[0] or "application/octet-stream"
            return URLFetcherResponse(url, self._assets[name], {"Content-Type": kind})
        if len(self.refused) < _MOST_REFUSED:
            self.refused[url[:300]] = None
        raise ValueError("Only our own assets are fetched")

    def open(self, *_: Any, **__: Any) -> Any:
        raise ValueError("Only our own assets are fetched")


@cache
def _house() -> tuple[FontConfiguration, CSS]:
    """Our fonts and style sheet, read once per process: half of what a short PDF would cost."""
    fonts = FontConfiguration()
    own = {path.name: path.read_bytes() for path in FONTS.glob("*.woff2")}
    sheet = CSS(
        string=STYLE.read_text("utf-8"),
        base_url="asset:print.css",
        url_fetcher=_Fetcher(own),
        font_config=fonts,
    )
    atexit.register(_tidy, os.getpid())
    return fonts, sheet


def _tidy(pid: int) -> None:
    """The folder of the fonts goes with the process that made it, not with one that was forked from it."""
    if os.getpid() == pid:
        _house.cache_clear()


def warm() -> None:
    """Read fonts and style sheet now. A worker calls this before it forks, so that no job has to."""
    _house()
    own_characters()


def render(html: str, *, assets: Mapping[str, bytes] = _NOTHING, base: str = "") -> Rendered:
    """The PDF/UA-1 of a whole HTML page (with lang, title and one h1), in this process and without limits.

    `assets`: name -> bytes, for `<img src="asset:NAME">`; the name's suffix says its kind (.png, .jpg, .svg).
    `base`: the address that relative links are relative to; nothing is fetched from it.
    Raises PdfRefused for HTML that cannot be laid out.
    """
    fonts, sheet = _house()
    fetcher = _Fetcher(assets)
    # The layout loses, without a sound, text that is wider than it can count before it finds a place to break.
    if any(
        len(words) > _LONGEST_TEXT and len(" ".join(words.split())) > _LONGEST_TEXT
        for words in _TAG.split(html)
    ):
        raise PdfRefused(_TOO_LONG)
    html, missing = spelled_out(html)
    try:
        document = HTML(string=html, base_url=base or None, url_fetcher=fetcher).render(
            font_config=fonts,
            stylesheets=[sheet],
            pdf_variant="pdf/ua-1",
        )
        identifier = hashlib.sha256(html.encode()).hexdigest()[:32].encode()
        pdf = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier, finisher=_finish)
    except RecursionError as error:
        raise PdfRefused(_TOO_DEEP) from error
    return Rendered(pdf, tuple(fetcher.refused), len(document.pages), missing)


def _finish(_document: Any, pdf: Any) -> None:
    """What the layout engine leaves open in the tags, and readers ask for."""
    by_number = {one.number: one for one in pdf.objects}

    def at(reference: Any) -> Any:
        return by_number[int(reference.split()[0])]

    for one in pdf.objects:
        if not isinstance(one, dict):
            continue
        if one.get("Subtype") == "/Link":
            one["F"] = 4  # what is on the screen is printed too
        elif one.get("S") == "/TH" and "A" in one:
            section = at(at(one["P"])["P"])
            one["A"]["Scope"] = "/Column" if section["S"] == "/THead" else "/Row"
    _furniture_to_artifacts(pdf, at)


def _furniture_to_artifacts(pdf: Any, at: Any) -> None:
    """Running heads and feet are no part of the text: what hangs on no branch of the tags is marked as an artifact."""
    root = at(pdf.catalog["StructTreeRoot"])
    numbers = at(root["ParentTree"])["Nums"]
    told = set(root["K"])
    waiting = list(told)
    while waiting:
        for kid in at(waiting.pop()).get("K", ()):
            if isinstance(kid, bytes) and kid not in told:
                told.add(kid)
                waiting.append(kid)
    for page, reference in enumerate(pdf.page_references):
        owners = numbers[2 * page + 1]
        untold = {mark for mark, owner in enumerate(owners) if owner not in told}
        content = at(at(reference)["Contents"]).stream
        for place, piece in enumerate(content):
            if isinstance(piece, dict) and piece.get("MCID") in untold:
                content[place - 1 : place + 2] = ["/Artifact", b"", b"BMC"]
        for mark in untold:
            owners[mark] = "null"


_TOO_DEEP = "The PDF cannot be made: lists, quotations or tables lie too deep inside each other. Make the text flatter."
_TOO_MUCH = (
    "The PDF cannot be made: it takes too much time or memory. "
    "Look for a very large table or a very long clause, and divide it."
)
#: How the child's answer begins: the length of what it says (JSON); the PDF follows.
_LENGTH = struct.Struct(">I")
_TOO_LONG = "The PDF cannot be made: a paragraph has more than 200,000 characters. Divide it."
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
        _log_failure()
        head = {"error": _FAILED}
    words = json.dumps(head).encode()
    return _LENGTH.pack(len(words)) + words + pdf


def _log_failure() -> None:
    logging.getLogger(__name__).exception("a PDF could not be made")
