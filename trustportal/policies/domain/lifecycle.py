"""Numbers, labels and dates of versions and editions: v3, 3.2, next review, which edition is in force on a day."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

__all__ = [
    "EditionFact",
    "edition_label",
    "in_force",
    "months_before",
    "next_edition",
    "next_review",
    "next_version",
    "version_label",
]


@dataclass(frozen=True, slots=True)
class EditionFact:
    """What must be known of an approved edition of one place to say what was in force. `ref`: any name for it."""

    ref: str
    major: int
    minor: int
    effective_on: date
    withdrawn_on: date | None = None


def version_label(number: int) -> str:
    """3 -> "v3"."""
    return f"v{number}"


def edition_label(major: int, minor: int | None) -> str:
    """(3, 2) -> "3.2"; a policy of the school's own has no second part: (2, None) or (2, 0) -> "2"."""
    return f"{major}.{minor}" if minor else str(major)


def next_version(numbers: Iterable[int]) -> int:
    return max(numbers, default=0) + 1


def next_edition(taken: Iterable[tuple[int, int]], version: int | None) -> tuple[int, int]:
    """The number of a place's next edition: first of v3 (3, 1), then (3, 2); a policy of its own (1, 0), (2, 0).

    `taken` are (major, minor) of the place's approved editions; `version` is the template's number, or None for
    a policy of the school's own.
    """
    numbers = list(taken)
    if version is None:
        return next_version(major for major, _ in numbers), 0
    return version, next_version(minor for major, minor in numbers if major == version)


def in_force(editions: Iterable[EditionFact], on: date) -> EditionFact | None:
    """The edition in force on a day: of those effective by then the one with the highest number, unless withdrawn.

    The number decides, not the date: an edition approved later supersedes an earlier one that was still to come.
    """
    effective = [one for one in editions if one.effective_on <= on]
    if not effective:
        return None
    newest = max(effective, key=lambda one: (one.major, one.minor))
    if newest.withdrawn_on is not None and newest.withdrawn_on <= on:
        return None
    return newest


def next_review(start: date, months: int) -> date:
    """The day `months` months after `start`; the last day of the month where that month is shorter."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def months_before(day: date, months: int) -> date:
    """The day `months` months before `day`; the last day of the month where that month is shorter."""
    return next_review(day, -months)
