"""Working days in England: Monday to Friday without bank holidays. School holidays count unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from trustportal.workflows.domain.definition import Deadline, Unit

ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Break:
    """A school holiday, both days included."""

    from_on: date
    to_on: date


@lru_cache(64)
def bank_holidays(year: int) -> frozenset[date]:
    """The bank holidays of England in a year."""
    import holidays  # late: only processes that count working days need it, and only once for a year

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_working_day(day: date, breaks: Iterable[Break] = ()) -> bool:
    """Whether a day counts; `breaks`: school holidays, where they stop the clock."""
    if day.weekday() >= 5 or day in bank_holidays(day.year):
        return False
    return not any(one.from_on <= day <= one.to_on for one in breaks)


def add_working_days(start: date, count: int, breaks: Iterable[Break] = ()) -> date:
    """The working day that lies `count` working days after a day; with 0 the day itself or the next working day."""
    breaks, day = tuple(breaks), start
    while count > 0:
        day += ONE
        count -= is_working_day(day, breaks)
    while not is_working_day(day, breaks):
        day += ONE
    return day


def working_days_before(day: date, count: int) -> date:
    """The working day `count` working days before a day."""
    while count > 0:
        day -= ONE
        count -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """How many working days lie after `start` up to and with `end`; negative when `end` lies before."""
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + timedelta(days=ahead)) for ahead in range(1, (end - start).days + 1))


def due_on(deadline: Deadline, start: date, breaks: Iterable[Break] = ()) -> date:
    """The day by which a state that was entered on `start` has to be left; never a day on which nobody works."""
    counted = tuple(breaks) if deadline.stops_in_holidays else ()
    if deadline.unit is Unit.DAYS:
        return add_working_days(start + timedelta(days=deadline.within), 0, counted)
    return add_working_days(start, deadline.within, counted)


def escalate_on(deadline: Deadline, day: date, breaks: Iterable[Break] = ()) -> date | None:
    """The day on which what was due on a day, or went up on it, goes (further) upwards; None where the definition tells
    them at once.
    """
    if not deadline.escalate or deadline.escalate_after <= 0:
        return None
    counted = tuple(breaks) if deadline.stops_in_holidays else ()
    return add_working_days(day, deadline.escalate_after, counted)


def remind_on(deadline: Deadline, start: date, due: date) -> date | None:
    """The day on which those who have not acted are reminded; None where it would be the first day already."""
    if deadline.remind_before <= 0:
        return None
    day = working_days_before(due, deadline.remind_before)
    return day if day > start else None
