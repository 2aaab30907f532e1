"""The feet and heads of printed pages that were left inside a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from trustportal.policies.domain.lint.dates import DATE, MONTH
from trustportal.policies.domain.lint.model import Source

__all__ = ["PAGE_LINE", "furniture"]


class _Text(Protocol):
    @property
    def clause(self) -> int: ...
    @property
    def text(self) -> str: ...


PAGE_LINE = re.compile(r"(?:page\s+)?\d{1,3}(?:\s*(?:of|/)\s*\d{1,3})?|[-–]\s?\d{1,3}\s?[-–]", re.IGNORECASE)
_CODE = re.compile(r"(?=\S*/\S*)(?:[\w&.-]{2,30}(?: [\w&.-]{1,30}){0,5}/){2,8}[\w&. -]{2,60}")
_END_DATE = re.compile(
    rf"(?<=[.!?;])[ \t\n]{{1,4}}(?P<date>(?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?{MONTH}\s+(?:19|20)\d\d)\s*(?=\n|$)",
    re.IGNORECASE,
)


def furniture(pieces: Sequence[_Text], source: Source) -> tuple[tuple[int, int, int], ...]:
    """(clause index, start, end) of what looks like the foot or head of a printed page inside a clause's text."""
    running = _running_lines(pieces, source)
    found: list[tuple[int, int, int]] = []
    for piece in pieces:
        spans: list[tuple[int, int]] = [one.span("date") for one in _END_DATE.finditer(piece.text)]
        position = 0
        for line in piece.text.split("\n"):
            words = line.strip()
            is_page = PAGE_LINE.fullmatch(words) and not line.startswith(("|", "- "))
            if words and (is_page or words in running or _code(words) or DATE.fullmatch(words)):
                start = position + line.index(words)
                spans.append((start, start + len(words)))
            position += len(line) + 1
        merged: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if merged and not piece.text[merged[-1][1] : start].strip():
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        found += [(piece.clause, start, end) for start, end in merged]
    return tuple(found)


def _code(line: str) -> bool:
    """A code such as a path, with a date or a year in it; an ordinary “and/or” is none."""
    return (
        len(line) <= 160
        and line.count("/") >= 2
        and "://" not in line
        and _CODE.fullmatch(line) is not None
        and re.search(r"(?:19|20)\d\d|\bv\d", line, re.IGNORECASE) is not None
    )


def _running_lines(pieces: Sequence[_Text], source: Source) -> frozenset[str]:
    """Short lines inside texts that come back three times or more, as running heads do."""
    if source is not Source.IMPORT:
        return frozenset()
    counted: Counter[str] = Counter()
    for piece in pieces:
        for line in piece.text.split("\n"):
            words = line.strip()
            if 2 <= len(words.split()) <= 12 and words[0] not in "-|*☐":
                counted[words] += 1
    return frozenset(line for line, times in counted.items() if times >= 3)
