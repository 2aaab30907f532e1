"""Days to aim at in a case: not rules, and nothing follows when one has passed. Pure.

The figures that come with the portal are those by which allegations were once said to be settled: four in five within a
month, nine in ten within three, all but exceptional ones within a year. The trust changes them as it likes.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from trustportal.workflows.domain.days import add_working_days
from trustportal.workflows.domain.definition import Target, TargetUnit


@dataclass(frozen=True, slots=True)
class Aim:
    """A target with its day. `met_on`: when what it asks for was done; None: not yet."""

    key: str
    label: str
    day: date
    met_on: date | None = None


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def day_of_target(target: Target, since: date) -> date:
    """The day of a target that is counted from a day. School holidays count, and weekends but in working days."""
    if target.unit is TargetUnit.MONTHS:
        return months_after(since, target.within)
    if target.unit is TargetUnit.WORKING_DAYS:
        return add_working_days(since, target.within)
    return since + timedelta(days=target.within)


def aims(
    targets: Iterable[Target], *, began_on: date, taken: Mapping[str, date], closed: bool = False
) -> list[Aim]:
    """What to aim at now, in the order of days. `began_on`: when the case came, or came anew; `taken`: when each action
    was taken last. What is counted from an action that was not taken is no target yet; at the end only what was met is.
    """
    found = []
    for one in targets:
        since = began_on if not one.since else taken.get(one.since)
        if since is None or since < began_on:
            continue
        met = [day for key in one.met_by if (day := taken.get(key)) is not None and day >= since]
        if closed and not met:
            continue
        found.append(Aim(one.key, one.label, day_of_target(one, since), min(met) if met else None))
    return sorted(found, key=lambda one: (one.day, one.key))
