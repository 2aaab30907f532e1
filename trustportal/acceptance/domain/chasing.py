"""When people are reminded, whom the late are told to, and at what hours: what a trust may choose. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Any, Self
from zoneinfo import ZoneInfo

from trustportal.errors import RuleBroken

LONDON = ZoneInfo("Europe/London")


class Level(IntEnum):
    """Who was told that somebody is late."""

    NOBODY = 0
    LINE_MANAGER = 1
    HEAD = 2
    TRUST = 3


@dataclass(frozen=True, slots=True)
class Schedule:
    """A trust's choices. Days after the due day, and whole hours of the English clock.

    `before`: how many days before the due day the first reminder goes out; `every`: the days between two. A level of
    None is never told. Mail waits in the quiet hours, from `quiet_from` to `quiet_to`, and at weekends.
    """

    before: int = 7
    every: int = 7
    line_manager_after: int | None = 3
    head_after: int | None = 7
    trust_after: int | None = 21
    quiet_from: int = 18
    quiet_to: int = 7
    weekends: bool = False

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """From what is stored; anything missing has its default."""
        known = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        return cls(**known)

    def to_json(self) -> dict[str, Any]:
        """What is stored."""
        return asdict(self)

    def after(self, level: Level) -> int | None:
        """How many days after the due day a level is told."""
        return {
            Level.LINE_MANAGER: self.line_manager_after,
            Level.HEAD: self.head_after,
            Level.TRUST: self.trust_after,
        }.get(level)


def check_schedule(chosen: Schedule) -> Schedule:
    """The choices, if people can live with them. Raises `RuleBroken`, naming the field."""
    if not 0 <= chosen.before <= 60:
        raise RuleBroken("The first reminder goes out 0 to 60 days before the due day.", "before")
    if not 2 <= chosen.every <= 60:
        raise RuleBroken(
            "Leave 2 to 60 days between two reminders: people stop reading what comes every day.", "every"
        )
    last = 0
    for name, said in (
        ("line_manager_after", "The line manager"),
        ("head_after", "The head"),
        ("trust_after", "The trust"),
    ):
        days = getattr(chosen, name)
        if days is None:
            continue
        if not 1 <= days <= 180:
            raise RuleBroken(f"{said} is told 1 to 180 days after the due day.", name)
        if days < last:
            raise RuleBroken(f"{said} is told after those who are nearer, not before them.", name)
        last = days
    for name in ("quiet_from", "quiet_to"):
        if not 0 <= getattr(chosen, name) <= 23:
            raise RuleBroken("Choose a whole hour, from 0 to 23.", name)
    return chosen


def civil_time(at: datetime, schedule: Schedule) -> datetime:
    """The first instant from `at` on at which mail may go out: not in the quiet hours, and on a working day unless the
    trust chose weekends too. Right on the days on which the clocks change.
    """
    local = at.astimezone(LONDON)
    for _ in range(10):
        if not schedule.weekends and local.weekday() >= 5:
            local = _at_hour(local.date() + timedelta(days=1), schedule.quiet_to if _quiet(schedule) else 0)
            continue
        if _is_quiet(local.hour, schedule):
            wakes = local.date() if local.hour < schedule.quiet_to else local.date() + timedelta(days=1)
            local = _at_hour(wakes, schedule.quiet_to)
            continue
        break
    return max(at, local.astimezone(at.tzinfo))


def _quiet(schedule: Schedule) -> bool:
    return schedule.quiet_from != schedule.quiet_to


def _is_quiet(hour: int, schedule: Schedule) -> bool:
    if not _quiet(schedule):
        return False
    if schedule.quiet_from < schedule.quiet_to:
        return schedule.quiet_from <= hour < schedule.quiet_to
    return hour >= schedule.quiet_from or hour < schedule.quiet_to


def _at_hour(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=LONDON)


def reminder_is_due(
    schedule: Schedule, *, due_on: date, asked_on: date, reminded_on: date | None, today: date
) -> bool:
    """Whether somebody is reminded today: some days before the due day, and again and again after it.

    A day that fell on a weekend, or on which no reminders went out, is made up for; several missed ones by one mail.
    """
    since = asked_on if reminded_on is None else max(asked_on, reminded_on)
    first = due_on - timedelta(days=schedule.before)
    if today < first:
        return False
    every = timedelta(days=schedule.every)
    latest = first + (today - first) // every * every
    return latest > since


def level_due(schedule: Schedule, *, due_on: date, today: date, told: Level) -> Level:
    """The highest level that is to be told now, beyond the one that was told; `told` where none is."""
    late = (today - due_on).days
    found = told
    for level in (Level.LINE_MANAGER, Level.HEAD, Level.TRUST):
        days = schedule.after(level)
        if days is not None and late >= days and level > found:
            found = level
    return found
