"""Cases for an archive that two people agreed to. Only jobs see them: to the web these rows do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.orm import undefer

from trustportal.db import db
from trustportal.workflows.anchors import CaseAnchor
from trustportal.workflows.meeting_models import CaseHold
from trustportal.workflows.models import (
    CaseAssignee,
    CaseDeadline,
    CaseDocument,
    CaseEscalation,
    CaseEvent,
    CaseEventPayload,
    CaseHead,
    CaseNote,
    CaseParticipant,
    CaseRecusal,
    CaseSignature,
    CaseSubject,
    CaseTask,
    WorkflowCase,
)

#: What lies beside a case in clear: who, when, in which state. Sealed texts are opened by whoever writes them down.
_BESIDE: dict[str, type[Any]] = {
    "participants": CaseParticipant,
    "subjects": CaseSubject,
    "tasks": CaseTask,
    "assignees": CaseAssignee,
    "recusals": CaseRecusal,
    "deadlines": CaseDeadline,
    "escalations": CaseEscalation,
    "signatures": CaseSignature,
    "anchors": CaseAnchor,
}
_HIDDEN = {"trust_id", "case_id"}


def list_case_ids(school_id: UUID | None, after: UUID | None, limit: int) -> Sequence[UUID]:
    """The ids of cases after an id, of the trust or one school."""
    return db.session.scalars(
        select(WorkflowCase.id)
        .where(
            WorkflowCase.school_id == school_id if school_id else true(),
            WorkflowCase.id > after if after else true(),
        )
        .order_by(WorkflowCase.id)
        .limit(limit)
    ).all()


def beside(case_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """The rows of a case that are not sealed, by what they are."""
    found = {}
    for name, model in _BESIDE.items():
        columns = [column.key for column in model.__mapper__.columns if column.key not in _HIDDEN]
        rows = db.session.execute(
            select(*(getattr(model, key) for key in columns)).where(model.case_id == case_id)
        )
        found[name] = [dict(zip(columns, row, strict=True)) for row in rows]
    return found


def list_notes(case_id: UUID) -> Sequence[CaseNote]:
    """The notes of a case, oldest first, sealed."""
    return db.session.scalars(
        select(CaseNote).where(CaseNote.case_id == case_id).order_by(CaseNote.written_at, CaseNote.id)
    ).all()


def list_holds(case_id: UUID) -> Sequence[CaseHold]:
    """Why advice was sought in a case, oldest first, sealed."""
    return db.session.scalars(
        select(CaseHold).where(CaseHold.case_id == case_id).order_by(CaseHold.made_at, CaseHold.id)
    ).all()


def list_documents(case_id: UUID) -> Sequence[CaseDocument]:
    """Letters and forms of a case with their files, oldest first, sealed."""
    return db.session.scalars(
        select(CaseDocument)
        .where(CaseDocument.case_id == case_id)
        .options(undefer(CaseDocument.pdf))
        .order_by(CaseDocument.written_at, CaseDocument.id)
    ).all()


def list_links(case_id: UUID) -> Sequence[tuple[CaseEvent, CaseEventPayload | None]]:
    """The links of a case's own chain, each with what it says, unless that was disposed of."""
    rows = db.session.execute(
        select(CaseEvent, CaseEventPayload)
        .outerjoin(CaseEventPayload, CaseEventPayload.event_id == CaseEvent.id)
        .where(CaseEvent.case_id == case_id)
        .order_by(CaseEvent.position)
    )
    return [(event, payload) for event, payload in rows]


def find_head(case_id: UUID) -> CaseHead | None:
    """Where a case's chain ends."""
    return db.session.scalars(select(CaseHead).where(CaseHead.case_id == case_id)).one_or_none()
