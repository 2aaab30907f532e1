"""The drawing itself: WeasyPrint with a fetcher closed to all but our own. `trustportal.pdf` is the door.

A module of its own, since WeasyPrint takes longer to load than everything else that a process needs, and most processes
never draw: whoever does loads it first, before they fork a child for it.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
from collections.abc import Mapping
from functools import cache
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from trustportal.glyphs import own_characters, spelled_out
from trustportal.pdf import PdfRefused, Rendered

HERE = Path(__file__).resolve().parent
FONTS = HERE / "static" / "print"
STYLE = HERE.parent / "templates" / "print" / "print.css"

_MOST_REFUSED = 50
#: Characters of text in one piece; a whole policy has about 60,000.
_LONGEST_TEXT = 200_000
_TAG = re.compile(r"<[^>]*>")
_TOO_DEEP = "The PDF cannot be made: lists, quotations or tables lie too deep inside each other. Make the text flatter."
_TOO_LONG = "The PDF cannot be made: a paragraph has more than 200,000 characters. Divide it."


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


def read_house() -> None:
    """Read fonts and style sheet now."""
    _house()
    own_characters()


def draw(html: str, assets: Mapping[str, bytes], base: str) -> Rendered:
    """As `trustportal.pdf.render` says."""
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
