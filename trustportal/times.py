"""What time it is: the one place that reads the clock, for the edges to hand on."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Today in England."""
    return datetime.now(LONDON).date()


def day_of(instant: datetime) -> date:
    """The day in England of an instant."""
    return instant.astimezone(LONDON).date()


def midnight(day: date) -> datetime:
    """The instant at which a day begins in England (00:00 Europe/London)."""
    return datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)
