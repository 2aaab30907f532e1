"""What one signature is made of, read and locked with one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Uuid, and_, bindparam, or_, select, true
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from trustportal.acceptance.domain.statement import worded
from trustportal.acceptance.models import Assignment, Campaign, OutsideEdition
from trustportal.acceptance.queries.outside import find_current
from trustportal.db import current_scope, db
from trustportal.errors import NotFound
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.policies.models import Edition, Policy
from trustportal.policies.queries import still_stands
from trustportal.tenants.models import Person, School, Trust


@dataclass(frozen=True, slots=True)
class AskedRow:
    """The columns of an assignment that signing needs, as they stood when it was locked."""

    id: UUID
    school_id: UUID | None
    policy_id: UUID | None
    outside_id: UUID | None
    person_id: UUID
    #: open, signed, closed
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ToSign:
    """All that one signature is made of, read with one query; the assignment's row is locked."""

    row: AskedRow
    policy_title: str
    #: Of the campaign, or of the outside document.
    statement: str
    academic_year: int
    person_name: str
    place_name: str
    school_labels: dict[str, str]
    trust_slug: str
    trust_settings: dict[str, Any]
    #: The edition in force: None where the policy says nothing here any more.
    edition: EditionRow | None

    def worded(self, edition: EditionRow) -> str:
        """The statement as its person agrees to it."""
        return worded(
            self.statement,
            **{
                "policy": self.policy_title,
                "edition": edition.label,
                "place": self.place_name,
                **edition.words,
            },
        )


@dataclass(frozen=True, slots=True)
class EditionRow:
    """What a signature needs of an edition."""

    id: UUID
    label: str
    content_hash: str
    #: None: it is still being made, or it is an outside document, of which there is none.
    pdf_hash: str | None
    #: What the statement about an outside document names; empty for a policy.
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_outside(self) -> bool:
        """Whether it is an edition of an outside document."""
        return bool(self.words)


def _of_its_trust(table: Any) -> ColumnElement[bool]:
    return table.trust_id == Assignment.trust_id


@cache
def _to_sign() -> tuple[str, Mapping[str, Any]]:
    """The statement and its fixed values, put together once: in the first week of September everybody asks it.

    As text it passes by the hook that adds the trust to every table, so it names the trust itself. (Row-level security
    stands behind, as always.)
    """
    place = or_(
        Edition.school_id == Assignment.school_id,
        and_(Edition.school_id.is_(None), Assignment.school_id.is_(None)),
    )
    in_force = (
        select(Edition.id, Edition.major, Edition.minor, Edition.content_hash, Edition.pdf_hash)
        .where(
            _of_its_trust(Edition),
            Edition.policy_id == Assignment.policy_id,
            place,
            Edition.state == "approved",
            Edition.effective_on <= bindparam("on_day", type_=Date),
            still_stands(bindparam("on_day", type_=Date)),
        )
        .order_by(Edition.major.desc(), Edition.minor.desc())
        .limit(1)
        .correlate(Assignment)
        .lateral("in_force")
    )
    statement = (
        select(
            Assignment.id,
            Assignment.school_id,
            Assignment.policy_id,
            Assignment.outside_id,
            Assignment.person_id,
            Assignment.state,
            Assignment.created_at,
            Policy.title,
            Campaign.statement,
            Campaign.academic_year,
            Person.name,
            School.name.label("school_name"),
            School.role_labels,
            Trust.name.label("trust_name"),
            Trust.slug,
            Trust.settings,
            in_force.c.id.label("edition_id"),
            in_force.c.major,
            in_force.c.minor,
            in_force.c.content_hash,
            in_force.c.pdf_hash,
        )
        .outerjoin(Policy, and_(Policy.id == Assignment.policy_id, _of_its_trust(Policy)))
        .join(Campaign, and_(Campaign.id == Assignment.campaign_id, _of_its_trust(Campaign)))
        .join(Person, and_(Person.id == Assignment.person_id, _of_its_trust(Person)))
        .join(Trust, Trust.id == Assignment.trust_id)
        .outerjoin(School, and_(School.id == Assignment.school_id, _of_its_trust(School)))
        .outerjoin(in_force, true())
        .where(
            Assignment.trust_id == bindparam("trust_id", type_=Uuid),
            Assignment.id == bindparam("assignment_id", type_=Uuid),
            Assignment.person_id == bindparam("person_id", type_=Uuid),
        )
        .with_for_update(of=Assignment)
    )
    compiled = statement.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]
    return str(compiled), compiled.params


def lock_to_sign(assignment_id: UUID, person_id: UUID, on: date) -> ToSign:
    """One of a person's assignments with the edition in force on a day. Anybody else's is `NotFound`."""
    scope = current_scope()
    if scope is None:
        raise NotFound()
    db.session.flush()
    statement, values = _to_sign()
    asked = {
        "trust_id": scope.trust_id,
        "assignment_id": assignment_id,
        "person_id": person_id,
        "on_day": on,
    }
    found = db.session.connection().exec_driver_sql(statement, {**values, **asked}).one_or_none()
    if found is None:
        raise NotFound()
    row = AskedRow(*found[:7])
    document = find_current(row.outside_id, on) if row.outside_id is not None else None
    if document is not None:
        edition: EditionRow | None = document_row(document)
    elif found.edition_id is not None:
        label = edition_label(found.major, found.minor or 0)
        edition = EditionRow(found.edition_id, label, found.content_hash, found.pdf_hash)
    else:
        edition = None
    return ToSign(
        row=row,
        policy_title=document.title if document is not None else found.title or "",
        statement=document.statement if document is not None else found.statement,
        academic_year=found.academic_year,
        person_name=found.name,
        place_name=found.school_name or found.trust_name,
        school_labels=found.role_labels or {},
        trust_slug=found.slug,
        trust_settings=found.settings,
        edition=edition,
    )


def document_row(document: OutsideEdition) -> EditionRow:
    """What a signature needs of an outside document's edition."""
    words = {"document": document.title, "publisher": document.publisher, "parts": document.parts}
    return EditionRow(document.id, document.edition, document.content_hash, None, words)
