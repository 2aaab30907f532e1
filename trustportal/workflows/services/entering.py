"""Entering a state: its tasks and deadlines, and what ends with the state before. Inside a unit of work."""

from __future__ import annotations

from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import select, update

from trustportal.db import db
from trustportal.times import day_of
from trustportal.workflows.domain.engine import Plan
from trustportal.workflows.domain.keeping import keeping
from trustportal.workflows.domain.recipients import ALLEGATION
from trustportal.workflows.models import ESCALATE, CaseDeadline, CaseTask
from trustportal.workflows.queries.cases import Case, OpenTask


def leave(case: Case, *, now: datetime) -> None:
    """What waits in the present state waits no more."""
    for one in case.tasks:
        one.row.ended_at = now
    case.tasks = []
    db.session.execute(
        update(CaseDeadline)
        .where(CaseDeadline.case_id == case.row.id, CaseDeadline.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


def enter(case: Case, plan: Plan, *, now: datetime) -> None:
    """The tasks of a state's seats, given to nobody yet, and its deadlines."""
    case.row.visit += 1
    state = case.definition.state(plan.state)
    for seat in state.seats:
        task = CaseTask(
            id=uuid4(),
            case_id=case.row.id,
            state=state.key,
            seat=seat.key,
            visit=case.row.visit,
            opened_at=now,
        )
        db.session.add(task)
        case.tasks.append(OpenTask(task))
    if plan.dated is not None:
        _deadline(case, "due", plan.dated.due)
        if plan.dated.remind is not None:
            _deadline(case, "remind", plan.dated.remind)
        if plan.dated.on_the_day is not None:
            _deadline(case, "day", plan.dated.on_the_day)
        if plan.dated.escalate is not None:
            escalate_later(case, plan.state, 1, plan.dated.escalate)
    db.session.flush()


def escalate_later(case: Case, state: str, tier: int, on: date) -> None:
    """The row from which the clock knows when a step goes upwards, unless it is taken before."""
    _deadline(case, f"{ESCALATE}{tier}", on)


def _deadline(case: Case, kind: str, on: date) -> None:
    db.session.add(
        CaseDeadline(
            id=uuid4(),
            case_id=case.row.id,
            state=case.row.state,
            visit=case.row.visit,
            kind=kind,
            due_on=on,
        )
    )


def close(case: Case, *, now: datetime) -> None:
    """A case is at its end: from here its time to be kept is counted."""
    case.row.closed_at = now
    today = day_of(now)
    years = case.definition.keep_years
    last = today.replace(day=28) if (today.month, today.day) == (2, 29) else today
    case.row.keep_until = last.replace(year=today.year + years)
    if case.definition.key == ALLEGATION:
        case.row.keep_until = keeping(
            case.values, state=case.row.state, alleged_on=day_of(case.row.opened_at), closed_on=today
        ).until


def due_of(case: Case) -> date | None:
    """By when the present visit is due."""
    return db.session.scalars(
        select(CaseDeadline.due_on).where(
            CaseDeadline.case_id == case.row.id,
            CaseDeadline.visit == case.row.visit,
            CaseDeadline.kind == "due",
            CaseDeadline.ended_at.is_(None),
        )
    ).one_or_none()
