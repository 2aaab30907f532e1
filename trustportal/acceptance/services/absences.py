"""Long absence: noted by those who see who has not signed, and ended when somebody is back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal.acceptance.domain.absence import Away, check_absence, check_return
from trustportal.acceptance.models import Absence
from trustportal.acceptance.queries import people
from trustportal.acceptance.queries.facts import Place
from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound
from trustportal.jobs import Event


def record_absence(
    actor: Actor, *, person_id: UUID, school_id: Place, from_on: date, to_on: date | None, now: datetime
) -> Absence:
    """Note that somebody is away from a place: what they owe there waits from that day on. `to_on`: the last day."""
    actor.require(Permission.ACCEPTANCE_OVERSEE, school_id)
    with unit_of_work() as uow:
        people.require_serving(person_id, school_id, from_on)
        new = Away(person_id, from_on, to_on)
        check_absence(new, _facts(people.list_absences(person_id, [school_id], lock=True)))
        absence = Absence(
            id=uuid4(),
            school_id=school_id,
            person_id=person_id,
            from_on=from_on,
            to_on=to_on,
            recorded_by=actor.person_id,
            recorded_at=now,
        )
        db.session.add(absence)
        record(
            actor,
            Action.ABSENCE_RECORDED,
            now=now,
            absence_id=absence.id,
            person_id=person_id,
            school_id=school_id,
            from_on=from_on,
            to_on=to_on,
        )
        uow.announce(Event.ABSENCE_CHANGED, person_id=person_id)
    return absence


def end_absence(actor: Actor, *, absence_id: UUID, back_on: date, now: datetime) -> Absence:
    """Note the day on which somebody is back; from then on they are asked again, with days of their own."""
    with unit_of_work() as uow:
        absence = people.get_absence(absence_id, lock=True)
        if not actor.can(Permission.ACCEPTANCE_OVERSEE, absence.school_id):
            raise NotFound()
        last = check_return(Away(absence.person_id, absence.from_on, absence.to_on), back_on=back_on)
        if absence.to_on is not None and absence.to_on <= last:
            return absence
        absence.to_on = last
        record(
            actor,
            Action.ABSENCE_ENDED,
            now=now,
            absence_id=absence.id,
            person_id=absence.person_id,
            school_id=absence.school_id,
            to_on=last,
        )
        uow.announce(Event.ABSENCE_CHANGED, person_id=absence.person_id)
    return absence


def _facts(rows: Sequence[Absence]) -> list[Away]:
    return [Away(row.person_id, row.from_on, row.to_on) for row in rows]
