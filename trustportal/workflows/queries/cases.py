"""Cases as their participants may see them. Whatever is not theirs is missing: PostgreSQL shows no row of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from trustportal.db import current_scope, db
from trustportal.errors import NotFound
from trustportal.jobs import Event
from trustportal.kernel_models import Outbox
from trustportal.workflows.domain.definition import Definition, FieldKind, State
from trustportal.workflows.domain.engine import CaseFacts, Pending, Signed
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.models import (
    PATTERN,
    CaseAssignee,
    CaseDeadline,
    CaseDocument,
    CaseEscalation,
    CaseEvent,
    CaseIntake,
    CaseNote,
    CaseParticipant,
    CaseRecusal,
    CaseSignature,
    CaseSubject,
    CaseTask,
    WorkflowCase,
    WorkflowVersion,
)
from trustportal.workflows.queries import definitions
from trustportal.workflows.sealing import Seal


@dataclass(slots=True)
class OpenTask:
    """A task that waits, with who may do it."""

    row: CaseTask
    people: tuple[UUID, ...] = ()


@dataclass(slots=True)
class Case:
    """A case with what deciding about it takes."""

    row: WorkflowCase
    version: WorkflowVersion
    definition: Definition
    values: dict[str, Any]
    seal: Seal
    tasks: list[OpenTask] = field(default_factory=list)
    subjects: frozenset[UUID] = frozenset()
    signatures: list[CaseSignature] = field(default_factory=list)
    recused: frozenset[UUID] = frozenset()
    #: How often an action was taken, where the definition limits it.
    taken: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Where it is."""
        return self.definition.state(self.row.state)

    def facts(self) -> CaseFacts:
        """As the engine sees it."""
        return CaseFacts(
            state=self.row.state,
            values=self.values,
            starter=self.row.starter_id,
            subjects=self.subjects,
            tasks=tuple(Pending(one.row.id, one.row.seat, frozenset(one.people)) for one in self.tasks),
            signatures=tuple(
                Signed(one.state, one.seat, one.person_id) for one in self.signatures if one.voided_at is None
            ),
            school=self.row.school_id,
            taken=self.taken,
        )

    @property
    def title(self) -> str:
        """What it is about, in a line."""
        about = str(self.values.get(self.definition.title_field) or "") if self.definition.title_field else ""
        return f"{self.definition.title}: {about}" if about else self.definition.title


def mine(statement: Any) -> Any:
    """The application's own filter, before the database's: only cases in which the person of the scope takes part."""
    scope = current_scope()
    if scope is None or scope.person_id is None:
        return statement
    part = select(CaseParticipant.case_id).where(
        CaseParticipant.person_id == scope.person_id, CaseParticipant.until_at.is_(None)
    )
    about = select(CaseSubject.case_id).where(CaseSubject.person_id == scope.person_id)
    return statement.where(WorkflowCase.id.in_(part), WorkflowCase.id.not_in(about))


def get_case(case_id: UUID, *, lock: bool = False) -> Case:
    """A case; with `lock`, so that nobody else changes it meanwhile. Missing, or not ours: `NotFound`."""
    statement = mine(select(WorkflowCase).where(WorkflowCase.id == case_id))
    row = db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound()
    version, seal = definitions.get_version(row.version_id), Seal.of_trust()
    found = Case(
        row, version, definitions.at_school(version, row.school_id), seal.open(row.sealed, row.id), seal
    )
    tasks = db.session.scalars(
        select(CaseTask)
        .where(CaseTask.case_id == case_id, CaseTask.ended_at.is_(None))
        .order_by(CaseTask.seat)
    ).all()
    people: dict[UUID, list[UUID]] = {one.id: [] for one in tasks}
    for one in db.session.scalars(
        select(CaseAssignee)
        .where(CaseAssignee.case_id == case_id, CaseAssignee.until_at.is_(None))
        .order_by(CaseAssignee.since_at, CaseAssignee.id)
    ):
        if one.task_id in people:
            people[one.task_id].append(one.person_id)
    found.tasks = [OpenTask(one, tuple(people[one.id])) for one in tasks]
    found.subjects = frozenset(
        db.session.scalars(select(CaseSubject.person_id).where(CaseSubject.case_id == case_id))
    )
    found.signatures = list(
        db.session.scalars(
            select(CaseSignature)
            .where(CaseSignature.case_id == case_id)
            .order_by(CaseSignature.signed_at, CaseSignature.id)
        )
    )
    found.recused = frozenset(
        db.session.scalars(select(CaseRecusal.person_id).where(CaseRecusal.case_id == case_id))
    )
    limited = {action.key for state in found.definition.states for action in state.actions if action.at_most}
    if limited:
        counted = db.session.execute(
            select(CaseEvent.action, func.count())
            .where(CaseEvent.case_id == case_id, CaseEvent.action.in_(limited))
            .group_by(CaseEvent.action)
        )
        found.taken = {row[0]: row[1] for row in counted}
    return found


def find_mine(case_id: UUID) -> UUID | None:
    """A case's id, if the person of the scope still takes part in it."""
    found: UUID | None = db.session.scalars(
        mine(select(WorkflowCase.id).where(WorkflowCase.id == case_id))
    ).one_or_none()
    return found


def list_participants(case_id: UUID) -> list[CaseParticipant]:
    """Who takes part today."""
    return list(
        db.session.scalars(
            select(CaseParticipant)
            .where(CaseParticipant.case_id == case_id, CaseParticipant.until_at.is_(None))
            .order_by(CaseParticipant.since_at, CaseParticipant.id)
        )
    )


def only_reads(case_id: UUID) -> bool:
    """Whether the person of the scope sees a case for nothing but a later one about the same person."""
    scope = current_scope()
    assert scope is not None
    parts = {one.part for one in list_participants(case_id) if one.person_id == scope.person_id}
    return parts == {PATTERN}


def acted_in(case_id: UUID) -> set[UUID]:
    """Who looks after a case, or did when it was closed."""
    return {one.person_id for one in list_participants(case_id) if one.part == "acts"}


def list_deadlines(case_id: UUID) -> list[CaseDeadline]:
    """What is due in a case, and was not left before."""
    return list(
        db.session.scalars(
            select(CaseDeadline)
            .where(CaseDeadline.case_id == case_id, CaseDeadline.ended_at.is_(None))
            .order_by(CaseDeadline.due_on, CaseDeadline.id)
        )
    )


def list_escalations(case_id: UUID, *, visit: int) -> list[CaseEscalation]:
    """To whom a late step went upwards in a visit, in order."""
    return list(
        db.session.scalars(
            select(CaseEscalation)
            .where(CaseEscalation.case_id == case_id, CaseEscalation.visit == visit)
            .order_by(CaseEscalation.tier, CaseEscalation.at, CaseEscalation.id)
        )
    )


def list_documents(case_id: UUID) -> list[CaseDocument]:
    """Letters and the signed form, newest first."""
    return list(
        db.session.scalars(
            select(CaseDocument)
            .where(CaseDocument.case_id == case_id)
            .order_by(CaseDocument.written_at.desc(), CaseDocument.key, CaseDocument.id)
        )
    )


def get_document(case_id: UUID, document_id: UUID) -> CaseDocument:
    """A letter of a case."""
    found = db.session.scalars(
        select(CaseDocument).where(CaseDocument.case_id == case_id, CaseDocument.id == document_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class Note:
    """A note, opened."""

    author_id: UUID | None
    text: str
    written_at: Any


def list_notes(case_id: UUID, seal: Seal) -> list[Note]:
    """The notes of a case, newest first."""
    rows = db.session.scalars(
        select(CaseNote).where(CaseNote.case_id == case_id).order_by(CaseNote.written_at.desc(), CaseNote.id)
    )
    return [Note(row.author_id, str(seal.open(row.sealed, row.id)), row.written_at) for row in rows]


# -- forms ---------------------------------------------------------------------------------------------------------


def find_intake(intake_id: UUID, *, lock: bool = False) -> CaseIntake | None:
    """A form that was begun or sent, if it is the scope's person's own (jobs: anybody's)."""
    statement = select(CaseIntake).where(CaseIntake.id == intake_id)
    scope = current_scope()
    if scope is not None and scope.person_id is not None:
        statement = statement.where(CaseIntake.person_id == scope.person_id)
    return db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()


# -- for jobs ----------------------------------------------------------------------------------------------------


def open_case_ids(*, school_id: UUID | None = None, person_id: UUID | None = None) -> list[UUID]:
    """The open cases of the trust (only jobs see them all); with a school or a person, those that a change of posts
    can touch: at that school, with that person, or waiting for anybody to come.
    """
    statement = (
        select(WorkflowCase.id).where(WorkflowCase.closed_at.is_(None)).order_by(WorkflowCase.opened_at)
    )
    if school_id is not None:
        part = select(CaseParticipant.case_id).where(
            CaseParticipant.person_id == person_id, CaseParticipant.until_at.is_(None)
        )
        stuck = select(CaseTask.case_id).where(CaseTask.stuck_at.is_not(None), CaseTask.ended_at.is_(None))
        touched = WorkflowCase.id.in_(part) | WorkflowCase.id.in_(stuck)
        statement = statement.where((WorkflowCase.school_id == school_id) | touched)
    return list(db.session.scalars(statement))


def routes_to_come() -> set[UUID]:
    """The cases that are to be given out anyway: announced, and not handed to a worker yet."""
    rows = db.session.scalars(
        select(Outbox.payload["case_id"].astext).where(
            Outbox.event == str(Event.CASE_ROUTE),
            Outbox.done_at.is_(None),
            Outbox.failed_at.is_(None),
            Outbox.dispatched_at.is_(None),
        )
    )
    return {UUID(one) for one in rows}


def list_due_deadlines(today: date) -> list[UUID]:
    """Deadlines for which the clock has something to do: reminders and escalations from their day on, ends from the day
    after.
    """
    return list(
        db.session.scalars(
            select(CaseDeadline.id)
            .where(
                CaseDeadline.ended_at.is_(None),
                CaseDeadline.fired_at.is_(None),
                or_(
                    (CaseDeadline.kind != "due") & (CaseDeadline.due_on <= today),
                    (CaseDeadline.kind == "due") & (CaseDeadline.due_on < today),
                ),
            )
            .order_by(CaseDeadline.due_on, CaseDeadline.id)
        )
    )


def names_needed(values: dict[str, Any], definition: Definition) -> Iterable[UUID]:
    """The people that a form names."""
    for one in definition.fields:
        if one.kind in {FieldKind.PERSON, FieldKind.PEOPLE}:
            yield from people_in(values.get(one.key))
