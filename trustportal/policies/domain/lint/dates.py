"""Dates as policies print them: to the day, to the month, or only a year."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

__all__ = ["DATE", "PrintedDate", "dates_in", "parse"]

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_LONG = rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<month>{MONTH})\.?\s{{0,3}}(?P<year>(?:19|20)\d\d)"
_SHORT = r"(?P<d>\d{1,2})(?P<sep>[./-])(?P<m>\d{1,2})(?P=sep)(?P<y>(?:19|20)\d\d|\d\d)"
#: A date anywhere in a text. A year alone is not one.
DATE = re.compile(rf"(?<![\w./-])(?:{_LONG}|{_SHORT})(?![\w/-]|[.]\d)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date as printed: the first and the last day that it can mean, where it stands, and what is wrong with it."""

    first: date
    last: date
    start: int
    end: int
    #: "year" (only a year), "digits" (a year of two digits), "order" (day or month first?), or ""
    doubt: str = ""

    def agrees(self, other: PrintedDate) -> bool:
        """Whether both can mean the same day."""
        return self.first <= other.last and other.first <= self.last


def _span(year: int, month: int, day: int) -> tuple[date, date] | None:
    try:
        if day:
            return date(year, month, day), date(year, month, day)
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    except ValueError:
        return None


def _read(found: re.Match[str]) -> PrintedDate | None:
    doubt = ""
    if found["month"]:
        month = _NAMES.index(found["month"][:3].lower()) + 1
        span = _span(int(found["year"]), month, int(found["day"] or 0))
    else:
        day, month, year = int(found["d"]), int(found["m"]), int(found["y"])
        if len(found["y"]) == 2:
            year, doubt = year + 2000, "digits"
        elif day <= 12 and month <= 12 and day != month:
            doubt = "order"
        span = _span(year, month, day)
    return PrintedDate(*span, found.start(), found.end(), doubt) if span else None


def dates_in(text: str) -> Iterator[PrintedDate]:
    """The dates of a text, in order."""
    for found in DATE.finditer(text):
        read = _read(found)
        if read is not None:
            yield read


def parse(text: str) -> PrintedDate | None:
    """The first date of a header's value, where a year alone is one too."""
    for read in dates_in(text):
        return read
    found = _YEAR.search(text)
    if found is None:
        return None
    year = int(found[0])
    return PrintedDate(date(year, 1, 1), date(year, 12, 31), *found.span(), "year")
