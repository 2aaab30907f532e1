"""Lists of cases and of forms, as the person of the scope may see them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from trustportal.db import current_scope, db
from trustportal.tenants.models import School
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.models import (
    CaseAssignee,
    CaseDeadline,
    CaseEscalation,
    CaseIntake,
    CaseTask,
    WorkflowCase,
)
from trustportal.workflows.queries import cases, definitions
from trustportal.workflows.sealing import Seal


@dataclass(frozen=True, slots=True)
class Listed:
    """A case in a list."""

    id: UUID
    reference: str
    title: str
    workflow: str
    state: str
    school_id: UUID
    school_name: str
    school_slug: str
    opened_at: Any
    closed_at: Any
    due_on: date | None
    #: Whether it waits for the person of the scope.
    waits_for_me: bool
    is_mine: bool
    #: Since when the present step is with somebody above, because it is late; and whether with the scope's person.
    escalated_at: datetime | None = None
    escalated_to_me: bool = False


def list_waiting() -> list[Listed]:
    """The cases that wait for the person of the scope, or went up to them because somebody is late."""
    return list_cases(waiting=True)


def list_cases(
    *, school_id: UUID | None = None, closed: bool = False, waiting: bool = False, limit: int = 200
) -> list[Listed]:
    """The cases in which the person of the scope takes part: open ones by their deadline, closed ones newest first.

    `waiting`: only those that wait for them, or went up to them.
    """
    scope = current_scope()
    me = scope.person_id if scope else None
    due = (
        select(func.min(CaseDeadline.due_on))
        .where(
            CaseDeadline.case_id == WorkflowCase.id,
            CaseDeadline.ended_at.is_(None),
            CaseDeadline.kind == "due",
        )
        .scalar_subquery()
    )
    waits = (
        select(CaseAssignee.id)
        .join(CaseTask, CaseTask.id == CaseAssignee.task_id)
        .where(
            CaseTask.case_id == WorkflowCase.id,
            CaseTask.ended_at.is_(None),
            CaseAssignee.until_at.is_(None),
            CaseAssignee.person_id == me,
        )
        .exists()
    )
    up = (CaseEscalation.case_id == WorkflowCase.id, CaseEscalation.visit == WorkflowCase.visit)
    went_up = select(func.min(CaseEscalation.at)).where(*up, CaseEscalation.person_id.is_not(None))
    to_me = select(CaseEscalation.id).where(*up, CaseEscalation.person_id == me).exists()
    statement = cases.mine(
        select(
            WorkflowCase,
            School,
            due.label("due"),
            waits.label("waits"),
            went_up.scalar_subquery().label("went_up"),
            to_me.label("to_me"),
        )
        .join(School, School.id == WorkflowCase.school_id)
        .where(WorkflowCase.closed_at.is_not(None) if closed else WorkflowCase.closed_at.is_(None))
        .order_by(
            WorkflowCase.closed_at.desc() if closed else due.asc().nulls_last(),
            WorkflowCase.opened_at.desc(),
            # Equal in all that, they stand in an order of their own: not in one that other cases may change.
            WorkflowCase.id,
        )
        .limit(limit)
    )
    if school_id is not None:
        statement = statement.where(WorkflowCase.school_id == school_id)
    if waiting:
        statement = statement.where(waits | to_me)
    rows = db.session.execute(statement).all()
    if not rows:
        return []
    said = definitions.titles(row[0].version_id for row in rows)
    seal = Seal.of_trust()
    return [
        replace(
            _listed(case, school, said[case.version_id], seal, day, is_due, me),
            escalated_at=at if case.closed_at is None else None,
            escalated_to_me=bool(mine) and case.closed_at is None,
        )
        for case, school, day, is_due, at, mine in rows
    ]


def _listed(
    case: WorkflowCase,
    school: School,
    definition: Definition,
    seal: Seal,
    due: date | None,
    waits: bool,
    me: UUID | None,
) -> Listed:
    about = seal.open(case.sealed, case.id).get(definition.title_field) if definition.title_field else ""
    return Listed(
        case.id,
        case.reference,
        str(about or "") or definition.title,
        definition.title,
        definition.state(case.state).title,
        school.id,
        school.short_name,
        school.slug,
        case.opened_at,
        case.closed_at,
        due,
        bool(waits),
        case.starter_id == me and me is not None,
    )


def list_drafts(person_id: UUID) -> list[tuple[CaseIntake, Definition]]:
    """The forms that somebody began, or has just sent, newest first."""
    rows = list(
        db.session.scalars(
            select(CaseIntake)
            .where(CaseIntake.person_id == person_id)
            .order_by(CaseIntake.changed_at.desc(), CaseIntake.id)
        )
    )
    said = definitions.titles(row.version_id for row in rows)
    return [(row, said[row.version_id]) for row in rows]
