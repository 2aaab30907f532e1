"""Words for pages: days as people write them, plurals, Markdown. Pure but for `install`, which makes them filters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from flask import Flask
from markupsafe import Markup

from trustportal.markdown import to_html
from trustportal.times import LONDON, today

STATIC = Path(__file__).resolve().parent / "static"


def day(value: date | datetime | str | None) -> str:
    """12 November 2026; nothing for None."""
    found = _date(value)
    return _written(found) if found else ""


@lru_cache(1_000)
def _written(found: date) -> str:
    """Kept: a list says the same few days of hundreds of schools."""
    return f"{found.day} {found:%B %Y}"


def short_day(value: date | datetime | str | None) -> str:
    """12 Nov 2026."""
    found = _date(value)
    return f"{found.day} {found:%b %Y}" if found else ""


def instant(value: datetime | None) -> str:
    """12 November 2026 at 09:05, in England."""
    if value is None:
        return ""
    local = value.astimezone(LONDON)
    return f"{local.day} {local:%B %Y} at {local:%H:%M}"


def _date(value: date | datetime | str | None) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        # Snapshots keep days and instants as text; an instant belongs to the day that it is in England.
        found = datetime.fromisoformat(value)
        value = found.date() if found.tzinfo is None else found
    if isinstance(value, datetime):
        return value.astimezone(LONDON).date()
    return value


def due_words(value: date, on: date | None = None) -> str:
    """By when, as somebody would say it: 2 days late, today, tomorrow, by Wednesday, by 30 September."""
    on = on or today()
    days = (value - on).days
    if days < 0:
        return f"{plural(-days, 'day')} late"
    if days == 0:
        return "today"
    if days == 1:
        return "by tomorrow"
    if days < 7:
        return f"by {value:%A}"
    return f"by {value.day} {value:%B}" + (f" {value.year}" if value.year != on.year else "")


def plural(count: int, one: str, many: str = "") -> str:
    """1 clause, 3 clauses."""
    return f"{count} {one if count == 1 else many or one + 's'}"


_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def spelled(count: int) -> str:
    """Three, for a sentence that begins with a number; 12 from eleven on."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else str(count)


def listed(words: Sequence[str], last: str = "and") -> str:
    """Ashgrove, Hazel Lodge and Northgate."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def academic_year(year: int) -> str:
    """2026 -> 2026–27."""
    return f"{year}–{(year + 1) % 100:02d}"


def markdown(text: str) -> Markup:
    """Safe HTML of a clause's text."""
    return Markup(to_html(text))  # noqa: S704 - sanitised


_tags: dict[str, str] = {}


def asset(name: str) -> str:
    """The address of a built file, with a mark that changes when the file does, so that it may be kept long."""
    if name not in _tags:
        _tags[name] = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={_tags[name]}"


def in_sentence(title: str) -> str:
    """A title after "the": "Social media policy" begins small, "Phones in School Policy" and "ICT policy" do not."""
    first, *others = title.split() or [""]
    small = len(first) > 1 and first[1:].islower() and not any(word[:1].isupper() for word in others)
    return title[:1].lower() + title[1:] if small else title


def install(app: Flask) -> None:
    """Make them filters and globals of the templates."""
    app.jinja_env.filters.update(
        day=day,
        short_day=short_day,
        instant=instant,
        due_words=due_words,
        plural=plural,
        spelled=spelled,
        listed=listed,
        in_sentence=in_sentence,
        academic_year=academic_year,
        markdown=markdown,
    )
    app.jinja_env.globals.update(asset=asset, today=today)
