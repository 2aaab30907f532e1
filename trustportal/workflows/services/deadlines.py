"""What the clock does in cases: reminders before a deadline, and telling those whom the definition names after it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from trustportal.db import current_unit, db, unit_of_work
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.workflows import chain
from trustportal.workflows import mail as wording
from trustportal.workflows.domain import engine
from trustportal.workflows.domain import routing as domain
from trustportal.workflows.models import CaseDeadline, CaseParticipant
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import definitions, people
from trustportal.workflows.services.entering import close, enter, leave
from trustportal.workflows.services.routing import circumstances


def sweep(*, today: date) -> int:
    """A job for each deadline that has come. Returns how many."""
    with unit_of_work() as uow:
        due = queries.list_due_deadlines(today)
        for deadline_id in due:
            uow.announce(Event.CASE_DEADLINE, deadline_id=deadline_id)
    return len(due)


def fire(*, deadline_id: UUID, now: datetime) -> None:
    """One deadline, once: remind those who have not acted, or tell that the day has passed."""
    with unit_of_work():
        found = db.session.scalars(
            select(CaseDeadline.case_id).where(CaseDeadline.id == deadline_id)
        ).one_or_none()
        if found is None:
            return
        # The case first: whoever acts in it locks it too, so that nobody is reminded of what is just being done.
        case = queries.get_case(found, lock=True)
        row = db.session.scalars(
            select(CaseDeadline).where(CaseDeadline.id == deadline_id).with_for_update()
        ).one()
        if row.fired_at is not None or row.ended_at is not None:
            return
        row.fired_at = now
        waiting = {person for task in case.tasks for person in task.people}
        facts = {
            "trust_slug": tenants.get_trust().slug,
            "case_id": case.row.id,
            "workflow": case.definition.title,
            "step": case.state.title,
        }
        quiet = case.definition.safeguarding
        if row.kind == "remind":
            due = next((one.due_on for one in queries.list_deadlines(found) if one.kind == "due"), row.due_on)
            message = wording.reminder(**facts, due=due, quiet=quiet)  # type: ignore[arg-type]
            told = waiting
            chain.record(case.seal, found, "reminded", actor_id=None, now=now, to=_ids(told))
        else:
            message = wording.overdue(**facts, due=row.due_on, quiet=quiet)  # type: ignore[arg-type]
            upwards = _upwards(case, now)
            told = waiting | upwards
            chain.record(case.seal, found, "overdue", actor_id=None, now=now, to=_ids(upwards))
        for person_id in sorted(told, key=str):
            notify(person_id, subject=message.subject, body=message.body, path=message.path)
        if row.kind == "due":
            _lapse(case, now)


def _lapse(case: queries.Case, now: datetime) -> None:
    """What ends by itself when its day has passed, does: the next step is given out like any other."""
    plan = engine.lapse(
        case.definition, case.facts(), now=now, breaks=definitions.breaks_of(case.row.school_id)
    )
    if plan is None:
        return
    leave(case, now=now)
    case.row.state, case.row.revision = plan.state, case.row.revision + 1
    chain.record(
        case.seal, case.row.id, plan.action, actor_id=None, now=now, said=plan.said, state=plan.state
    )
    if plan.entered:
        enter(case, plan, now=now)
    if plan.closed:
        close(case, now=now)
    current_unit().announce(Event.CASE_ROUTE, case_id=case.row.id)


def _ids(people_: set[UUID]) -> list[str]:
    return sorted(str(one) for one in people_)


def _upwards(case: queries.Case, now: datetime) -> set[UUID]:
    """Whom the definition tells when a step is late: they see the case from now on. Never anybody barred."""
    deadline = case.state.deadline
    if deadline is None:
        return set()
    roster = people.roster(day_of(now))
    found = set(domain.choose(deadline.escalate, case.definition, roster, circumstances(case, roster)).people)
    there = {one.person_id for one in queries.list_participants(case.row.id)}
    for person_id in sorted(found - there, key=str):
        db.session.add(
            CaseParticipant(id=uuid4(), case_id=case.row.id, person_id=person_id, part="told", since_at=now)
        )
    return found
