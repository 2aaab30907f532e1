"""Figures of terms: counting for the job that freezes them, and what was frozen for the person of the scope."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select

from trustportal.db import current_scope, db
from trustportal.times import day_of, midnight
from trustportal.workflows.domain.oversight import Term, Told
from trustportal.workflows.meeting_models import CaseFigure
from trustportal.workflows.models import (
    CaseDeadline,
    CaseSubject,
    WorkflowCase,
    WorkflowDefinition,
    WorkflowVersion,
)


def list_mine() -> list[CaseFigure]:
    """What was frozen for the person of the scope, newest term first."""
    scope = current_scope()
    if scope is None or scope.person_id is None:
        return []
    return list(
        db.session.scalars(
            select(CaseFigure)
            .where(CaseFigure.person_id == scope.person_id)
            .order_by(CaseFigure.term.desc(), CaseFigure.position)
        )
    )


# -- for jobs ----------------------------------------------------------------------------------------------------


def frozen_for(term: str) -> set[UUID]:
    """For whom a term was frozen already."""
    return set(db.session.scalars(select(CaseFigure.person_id).where(CaseFigure.term == term).distinct()))


def first_day() -> date | None:
    """Since when the trust has workflows."""
    first = db.session.scalars(select(func.min(WorkflowDefinition.created_at))).one()
    return day_of(first) if first else None


def cases_of(term: Term) -> list[Told]:
    """Every case that began, ended or had a step due in a term. Only jobs see them all."""
    begins, over = midnight(term.from_on), midnight(term.to_on + timedelta(days=1))
    steps: dict[UUID, list[bool]] = defaultdict(list)
    for row in db.session.execute(
        select(CaseDeadline.case_id, CaseDeadline.due_on, CaseDeadline.ended_at).where(
            CaseDeadline.kind == "due",
            CaseDeadline.due_on >= term.from_on,
            CaseDeadline.due_on <= term.to_on,
        )
    ):
        steps[row.case_id].append(row.ended_at is not None and day_of(row.ended_at) <= row.due_on)
    subjects: dict[UUID, set[UUID]] = defaultdict(set)
    for case_id, person_id in db.session.execute(select(CaseSubject.case_id, CaseSubject.person_id)):
        subjects[case_id].add(person_id)
    rows = db.session.execute(
        select(WorkflowCase.id, WorkflowCase.opened_at, WorkflowCase.closed_at, WorkflowDefinition.key)
        .join(WorkflowVersion, WorkflowVersion.id == WorkflowCase.version_id)
        .join(WorkflowDefinition, WorkflowDefinition.id == WorkflowVersion.definition_id)
        .where(
            WorkflowCase.opened_at < over,
            or_(WorkflowCase.closed_at.is_(None), WorkflowCase.closed_at >= begins),
        )
    )
    return [
        Told(
            row.key,
            began=begins <= row.opened_at < over,
            ended=row.closed_at is not None and begins <= row.closed_at < over,
            steps=tuple(steps[row.id]),
            subjects=frozenset(subjects[row.id]),
        )
        for row in rows
    ]
