"""What belongs to an allegation besides the case, for those who take part: records, clocks, pattern, policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from trustportal.acceptance.models import Signature
from trustportal.access import Actor
from trustportal.db import db
from trustportal.policies import queries as policies
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.workflows.allegation_models import CaseRecord, DisposalAsk
from trustportal.workflows.domain.answers import as_day
from trustportal.workflows.domain.case_records import Clock, Kind, Recorded, clocks
from trustportal.workflows.models import CaseSubject, CaseTask, WorkflowCase
from trustportal.workflows.queries import definitions, stand_ins
from trustportal.workflows.queries.case_lists import Listed, list_cases
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.queries.recipients import get_table

#: Where a case manager first looks at a report, and again when it turns out to be more.
ASSESS = "assess"


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record as it stands on the page."""

    id: UUID
    kind: Kind
    says: dict[str, object]
    by: UUID | None
    at: datetime


def list_records(case: Case) -> list[ShownRecord]:
    """What was recorded, oldest first."""
    rows = db.session.scalars(
        select(CaseRecord)
        .where(CaseRecord.case_id == case.row.id)
        .order_by(CaseRecord.recorded_at, CaseRecord.id)
    )
    return [
        ShownRecord(
            row.id, Kind(row.kind), case.seal.open(row.sealed, row.id), row.recorded_by, row.recorded_at
        )
        for row in rows
    ]


def recorded(case: Case, rows: Sequence[ShownRecord] | None = None) -> list[Recorded]:
    """As rules look at them."""
    return [
        Recorded(one.kind, one.says, day_of(one.at)) for one in (list_records(case) if rows is None else rows)
    ]


def came_on(case: Case) -> date:
    """When it came to the employer's attention; a concern that turns out to be more comes anew on that day."""
    opened = db.session.scalars(
        select(CaseTask.opened_at)
        .where(CaseTask.case_id == case.row.id, CaseTask.state == ASSESS)
        .order_by(CaseTask.opened_at.desc(), CaseTask.id)
        .limit(1)
    ).one_or_none()
    return day_of(opened or case.row.opened_at)


def list_clocks(case: Case, rows: Sequence[ShownRecord]) -> list[Clock]:
    """What is due when."""
    contact = get_table().contact(case.row.school_id)
    return clocks(
        came_on(case),
        recorded(case, rows),
        state=case.row.state,
        local_rule=contact.local_rule if contact else "",
    )


@dataclass(frozen=True, slots=True)
class PolicyThen:
    """A policy in force at the school on the day, and what a subject had signed of it by then."""

    title: str
    label: str
    edition_id: UUID
    subject: str
    #: "" for never; the edition's label for what they had signed
    signed_label: str
    signed_at: datetime | None

    @property
    def is_same(self) -> bool:
        """Whether they had signed exactly what was in force."""
        return self.signed_label == self.label


def policies_then(case: Case) -> tuple[date, list[PolicyThen]]:
    """The day in question (of the report, where none is named), and what was in force on it."""
    on = as_day(case.values.get("incident_on")) or day_of(case.row.opened_at)
    editions = policies.editions_in_force(on, school_ids=[case.row.school_id])
    if not editions or not case.subjects:
        return on, []
    names = tenants.names_of(case.subjects)
    signed: dict[tuple[UUID, UUID], Signature] = {}
    for one in db.session.scalars(
        select(Signature)
        .where(Signature.person_id.in_(case.subjects), Signature.school_id == case.row.school_id)
        .order_by(Signature.signed_at)
    ):
        if one.policy_id is not None and day_of(one.signed_at) <= on:
            signed[one.person_id, one.policy_id] = one
    found = []
    for edition in editions:
        for subject in sorted(case.subjects, key=lambda one: names.get(one, "")):
            signature = signed.get((subject, edition.policy_id))
            found.append(
                PolicyThen(
                    str(edition.header["title"]),
                    f"{edition.major}.{edition.minor}",
                    edition.id,
                    names.get(subject, "Somebody who has left"),
                    signature.edition_label if signature else "",
                    signature.signed_at if signature else None,
                )
            )
    return on, sorted(found, key=lambda one: (one.title, one.subject))


def pattern(case: Case) -> list[Listed]:
    """Other cases about the same people in which the person of the scope takes part, newest first."""
    same = set(
        db.session.scalars(
            select(CaseSubject.case_id).where(
                CaseSubject.person_id.in_(case.subjects), CaseSubject.case_id != case.row.id
            )
        )
    )
    if not same:
        return []
    there = [*list_cases(), *list_cases(closed=True)]
    return sorted((one for one in there if one.id in same), key=lambda one: one.opened_at, reverse=True)


# -- for jobs ------------------------------------------------------------------------------------------------------


def earlier_about(case: Case) -> list[UUID]:
    """The other cases of a definition about somebody whom a case is about, at the same school (only jobs see all)."""
    versions = {one.id for one in definitions.list_versions(case.version.definition_id)}
    return list(
        db.session.scalars(
            select(WorkflowCase.id)
            .join(CaseSubject, CaseSubject.case_id == WorkflowCase.id)
            .where(
                WorkflowCase.id != case.row.id,
                WorkflowCase.school_id == case.row.school_id,
                WorkflowCase.version_id.in_(versions),
                CaseSubject.person_id.in_(case.subjects),
            )
            .distinct()
        )
    )


def closed_cases() -> list[WorkflowCase]:
    """Closed cases that are still kept (only jobs see them all)."""
    return list(
        db.session.scalars(
            select(WorkflowCase)
            .where(WorkflowCase.closed_at.is_not(None), WorkflowCase.keep_until.is_not(None))
            .order_by(WorkflowCase.closed_at)
        )
    )


def list_asks(actor: Actor, *, open_only: bool = False) -> list[DisposalAsk]:
    """What somebody was asked to agree to and may still answer, or did answer, newest first."""
    statement = select(DisposalAsk).order_by(DisposalAsk.asked_at.desc(), DisposalAsk.id)
    if open_only:
        statement = statement.where(DisposalAsk.ended_at.is_(None), DisposalAsk.answer == "")
    found = list(db.session.scalars(statement))
    if all(one.answer for one in found):
        return found
    holding = stand_ins.still_asked(actor, found)
    return [one for one in found if one.answer or one in holding]
