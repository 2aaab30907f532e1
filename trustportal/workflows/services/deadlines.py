"""What the clock does in cases: reminders before a deadline, and telling those whom the definition names after it."""

from __future__ import annotations

from collections.abc import Callable
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
from trustportal.workflows.domain.days import escalate_on
from trustportal.workflows.models import ESCALATE, PATTERN, CaseDeadline, CaseEscalation, CaseParticipant
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import definitions, people
from trustportal.workflows.services.entering import close, due_of, enter, escalate_later, leave
from trustportal.workflows.services.routing import alarm, circumstances


def sweep(*, today: date) -> int:
    """A job for each deadline that has come. Returns how many."""
    with unit_of_work() as uow:
        due = queries.list_due_deadlines(today)
        for deadline_id in due:
            uow.announce(Event.CASE_DEADLINE, deadline_id=deadline_id)
    return len(due)


def fire(*, deadline_id: UUID, now: datetime) -> None:
    """One deadline, once: remind those who have not acted, tell that the day has passed, or go upwards."""
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
        if row.kind == "due":
            deadline = case.state.deadline
            chain.record(case.seal, found, "overdue", actor_id=None, now=now)
            _tell(case, waiting, wording.overdue, row.due_on)
            if deadline is not None and deadline.escalate_after <= 0:
                _escalate(case, waiting, tier=1, now=now)
            _lapse(case, now)
        elif row.kind.startswith(ESCALATE):
            _escalate(case, waiting, tier=int(row.kind.removeprefix(ESCALATE)), now=now)
        else:
            chain.record(case.seal, found, "reminded", actor_id=None, now=now, to=_ids(waiting))
            _tell(case, waiting, wording.reminder, due_of(case) or row.due_on)


def _tell(case: queries.Case, people_: set[UUID], compose: Callable[..., wording.Message], due: date) -> None:
    message = compose(
        trust_slug=tenants.get_trust().slug,
        case_id=case.row.id,
        workflow=case.definition.title,
        step=case.state.title,
        due=due,
        quiet=case.definition.safeguarding,
    )
    for person_id in sorted(people_, key=str):
        notify(person_id, subject=message.subject, body=message.body, path=message.path)


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


def _escalate(case: queries.Case, waiting: set[UUID], *, tier: int, now: datetime) -> None:
    """A late step goes to whoever is next: they see the case from now on, and are told. Nobody left: of a case about
    somebody's conduct the clerk is told that something waits, and not what.
    """
    deadline = case.state.deadline
    if deadline is None or not deadline.escalate:
        return
    earlier = queries.list_escalations(case.row.id, visit=case.row.visit)
    passed = waiting | {one.person_id for one in earlier if one.person_id is not None}
    roster = people.roster(day_of(now))
    found = set(
        domain.next_above(
            case.definition, case.state, roster, circumstances(case, roster), passed=frozenset(passed)
        ).people
    )
    if not found and not case.definition.safeguarding:
        return
    above: list[UUID | None] = [*sorted(found, key=str)]
    for person_id in above or [None]:
        db.session.add(
            CaseEscalation(
                id=uuid4(), case_id=case.row.id, person_id=person_id, visit=case.row.visit, tier=tier, at=now
            )
        )
    # Whoever only reads it because of a later case is told like anybody else: nothing shows that they read it already.
    there = {one.person_id for one in queries.list_participants(case.row.id) if one.part != PATTERN}
    for person_id in sorted(found - there, key=str):
        db.session.add(
            CaseParticipant(id=uuid4(), case_id=case.row.id, person_id=person_id, part="told", since_at=now)
        )
    db.session.flush()
    chain.record(case.seal, case.row.id, "escalated", actor_id=None, now=now, to=_ids(found))
    if not found:
        for task in case.tasks:
            alarm(case, task, now)
        return
    _tell(case, found, wording.overdue, due_of(case) or day_of(now))
    again = escalate_on(deadline, day_of(now), definitions.breaks_of(case.row.school_id))
    if again is not None:
        escalate_later(case, case.row.state, tier + 1, again)
