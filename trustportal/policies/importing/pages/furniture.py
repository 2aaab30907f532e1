"""Running heads and feet, page numbers and contents pages: found by where they stand and that they come back. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from trustportal.policies.importing.blocks import CONTENTS, RUNNING
from trustportal.policies.importing.front import CONTENTS as CONTENTS_HEAD
from trustportal.policies.importing.lines import PAGE_NUMBER
from trustportal.policies.importing.marks import words
from trustportal.policies.importing.pages.layout import PrintedLine, PrintedPage

__all__ = ["without_contents", "without_running"]

#: The parts of a page where heads and feet stand.
_HEAD, _FOOT = 0.14, 0.86
_NUMBERS = "page numbers"
_ENTRY = re.compile(r"(?:\.\s?){3,}\s*\d{1,3}$|[\s\t…]\d{1,3}$|(?:\.\s?){4,}$")
_DOTS = re.compile(r"(?:\.\s?){4,}")


def _pattern(line: PrintedLine) -> str:
    return re.sub(r"\d+", "#", " ".join(line.text.split()).casefold())


def without_running(pages: Sequence[PrintedPage]) -> tuple[list[tuple[str, str]], list[str]]:
    """Take running heads, feet and page numbers off the pages.

    Returns (words, reason) for each different one, and the words of its further copies.
    """
    counted: Counter[tuple[str, bool]] = Counter()
    for page in pages:
        counted.update(
            {(_pattern(line), _at_head(line, page)) for line in page.lines if _at_edge(line, page)}
        )
    often = max(2, round(0.3 * len(pages)))
    gone: dict[tuple[str, str], None] = {}
    copies: list[str] = []
    for page in pages:
        for backwards in (False, True):
            for line in page.lines[:: -1 if backwards else 1]:
                if not _at_edge(line, page):
                    break
                numbered = PAGE_NUMBER.match(" ".join(line.text.split())) is not None
                if not numbered and counted[_pattern(line), _at_head(line, page)] < often:
                    break
                page.lines.remove(line)
                said = " ".join(line.text.split()), _NUMBERS if numbered else RUNNING
                if said in gone:
                    copies += words(said[0])
                gone[said] = None
    numbers = [text for text, reason in gone if reason == _NUMBERS]
    told = [(text, reason) for text, reason in gone if reason != _NUMBERS]
    return [*told, *([("\n".join(numbers), _NUMBERS)] if numbers else [])], copies


def _at_head(line: PrintedLine, page: PrintedPage) -> bool:
    return line.bottom < _HEAD * page.height


def _at_edge(line: PrintedLine, page: PrintedPage) -> bool:
    return _at_head(line, page) or line.top > _FOOT * page.height


def without_contents(pages: Sequence[PrintedPage]) -> list[tuple[str, str]]:
    """Take a table of contents off the pages: its heading, and the entries that end in a page number."""
    lines = [(page, line) for page in pages[:12] for line in page.lines]
    start = next((at for at, (_, line) in enumerate(lines) if CONTENTS_HEAD.match(line.text.strip())), None)
    if start is None:
        first = next((at for at, (_, line) in enumerate(lines) if _DOTS.search(line.text)), None)
        if first is None or sum(1 for _, line in lines if _DOTS.search(line.text)) < 4:
            return []
        start = first - 1
    end, misses = start + 1, 0
    for at in range(start + 1, len(lines)):
        if _ENTRY.search(lines[at][1].text.rstrip()):
            end, misses = at + 1, 0
        else:
            misses += 1
            # An entry over two lines has its number on the second.
            if misses > 2:
                break
    entries = sum(1 for _, line in lines[start + 1 : end] if _ENTRY.search(line.text.rstrip()))
    if entries < 3:
        return []
    taken = lines[max(start, 0) : end]
    if (
        start >= 0
        and not CONTENTS_HEAD.match(taken[0][1].text.strip())
        and not _DOTS.search(taken[0][1].text)
    ):
        taken = taken[1:]
    for page, line in taken:
        page.lines.remove(line)
    return [("\n".join(" ".join(line.text.split()) for _, line in taken), CONTENTS)]
