"""Long absence: signing waits and goes on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from trustportal.errors import RuleBroken


@dataclass(frozen=True, slots=True)
class Away:
    """One absence. `to_on`: the last day away; None: not known yet."""

    person_id: UUID
    from_on: date
    to_on: date | None

    def holds_on(self, day: date) -> bool:
        """Whether somebody is away on a day."""
        return self.from_on <= day and (self.to_on is None or self.to_on >= day)


def away_on(day: date, absences: Iterable[Away]) -> frozenset[UUID]:
    """Who is away on a day."""
    return frozenset(one.person_id for one in absences if one.holds_on(day))


def back_by(day: date, absences: Iterable[Away]) -> Mapping[UUID, date]:
    """Who was away before a day and is not any more, with the day on which they were last back."""
    found: dict[UUID, date] = {}
    away = list(absences)
    for one in away:
        if one.to_on is not None and one.to_on < day:
            back = one.to_on + timedelta(days=1)
            found[one.person_id] = max(back, found.get(one.person_id, back))
    return {person: back for person, back in found.items() if person not in away_on(day, away)}


def check_absence(new: Away, others: Iterable[Away]) -> None:
    """Raise `RuleBroken` where somebody cannot be away on these days. `others`: the same person's, there."""
    if new.to_on is not None and new.to_on < new.from_on:
        raise RuleBroken("The last day away must be on or after the first.", "to_on")
    for one in others:
        ends_before = one.to_on is not None and one.to_on < new.from_on
        begins_after = new.to_on is not None and new.to_on < one.from_on
        if not (ends_before or begins_after):
            raise RuleBroken("This person is noted as away on some of these days already.", "from_on")


def check_return(absence: Away, *, back_on: date) -> date:
    """The last day away of somebody who is back on a day. Raises `RuleBroken` for a day before it began."""
    last = back_on - timedelta(days=1)
    if last < absence.from_on:
        raise RuleBroken("They cannot be back before they went: remove the absence instead.", "back_on")
    return last
