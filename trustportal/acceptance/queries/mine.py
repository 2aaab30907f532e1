"""What one person has to sign and has signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, Uuid, and_, bindparam, case, cast, func, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased, load_only

from trustportal.acceptance.domain.statement import worded
from trustportal.acceptance.models import Assignment, Campaign, OutsideEdition, Question, Signature
from trustportal.acceptance.queries.outside import find_current
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.policies.models import Edition, Policy
from trustportal.policies.queries import still_stands
from trustportal.tenants.models import Person, School, Trust


@dataclass(frozen=True, slots=True)
class MyAssignment:
    """One policy that I am asked to sign at one place. `school_name` None: at the trust itself."""

    id: UUID
    #: None: an outside document is to be confirmed; its title stands in the policy's place.
    policy_id: UUID | None
    policy_title: str
    policy_slug: str
    school_id: UUID | None
    school_name: str | None
    school_short_name: str | None
    school_slug: str | None
    #: Of the policy, or of the outside document.
    edition_id: UUID
    edition_label: str
    content_hash: str
    academic_year: int
    statement: str
    cause: str
    state: str
    due_on: date
    #: Whether it waits for this person, who is away.
    paused: bool = False
    #: A newer edition is in force whose PDF is being made: for a moment nothing can be signed.
    waits_for_pdf: bool = False
    #: Whether the person asked about it, and waits for an answer.
    asked_about: bool = False
    #: The last signature for this policy at this place; None: never signed.
    signed_edition_id: UUID | None = None
    signed_content_hash: str | None = None
    #: The outside document that is to be confirmed, where it is no policy.
    outside_id: UUID | None = None

    @property
    def has_changed(self) -> bool:
        """Whether the text differs from what was signed last."""
        return self.signed_content_hash is not None and self.signed_content_hash != self.content_hash

    @property
    def is_first(self) -> bool:
        """Whether this person never signed this policy here."""
        return self.signed_edition_id is None


_Rows = Select[Assignment, Campaign, Policy, School, Edition, bool, bool, OutsideEdition]


#: What an assignment asks for, in the words of today: queries that join both know it.
TITLE = func.coalesce(Policy.title, OutsideEdition.title)


#: Today in England, by the database's clock: what is in force at this moment is its business.
_TODAY = cast(func.timezone("Europe/London", func.now()), Date)


def _mine(person_id: UUID) -> _Rows:
    newer = aliased(Edition)
    # At most one edition is in force; a newer one than the assignment's that has no PDF yet holds up signing.
    unmade = (
        select(newer.id)
        .where(
            newer.trust_id == Assignment.trust_id,
            newer.policy_id == Assignment.policy_id,
            newer.school_id.is_not_distinct_from(Assignment.school_id),
            newer.state == "approved",
            newer.effective_on <= _TODAY,
            newer.pdf_hash.is_(None),
            func.row(newer.major, newer.minor) > func.row(Edition.major, Edition.minor),
        )
        .exists()
    )
    waiting = (
        select(Question.id)
        .where(
            Question.trust_id == Assignment.trust_id,
            Question.assignment_id == Assignment.id,
            Question.state == "open",
        )
        .exists()
    )
    return (
        select(Assignment, Campaign, Policy, School, Edition, unmade, waiting, OutsideEdition)
        .join(Campaign, Campaign.id == Assignment.campaign_id)
        .outerjoin(Policy, Policy.id == Assignment.policy_id)
        .outerjoin(Edition, Edition.id == Assignment.edition_id)
        .outerjoin(OutsideEdition, OutsideEdition.id == Assignment.outside_edition_id)
        .outerjoin(School, School.id == Assignment.school_id)
        .options(load_only(Edition.id, Edition.trust_id, Edition.major, Edition.minor, Edition.content_hash))
        .where(Assignment.person_id == person_id)
    )


def _shown(
    statement: _Rows,
    person_id: UUID,
    *,
    last_too: bool = True,
) -> list[MyAssignment]:
    rows = db.session.execute(statement).all()
    last = _last_signatures(person_id, [row[0] for row in rows]) if last_too else {}
    found = []
    for assignment, campaign, policy, school, edition, unmade, waiting, outside in rows:
        signed = last.get(_last_key(assignment))
        found.append(
            MyAssignment(
                id=assignment.id,
                policy_id=assignment.policy_id,
                policy_title=outside.title if outside else policy.title,
                policy_slug="" if outside else policy.slug,
                school_id=assignment.school_id,
                school_name=school.name if school else None,
                school_short_name=school.short_name if school else None,
                school_slug=school.slug if school else None,
                edition_id=outside.id if outside else edition.id,
                edition_label=outside.edition if outside else edition_label(edition.major, edition.minor),
                content_hash=outside.content_hash if outside else edition.content_hash,
                academic_year=campaign.academic_year,
                statement=outside.statement if outside else campaign.statement,
                cause=assignment.cause,
                state=assignment.state,
                due_on=assignment.due_on,
                paused=assignment.paused_on is not None,
                waits_for_pdf=unmade and outside is None,
                outside_id=assignment.outside_id,
                asked_about=waiting,
                signed_edition_id=signed[0] if signed else None,
                signed_content_hash=signed[1] if signed else None,
            )
        )
    return found


def list_open(person_id: UUID) -> list[MyAssignment]:
    """What a person is asked to sign, by due day; two queries, wherever and however much they serve."""
    return _shown(
        _mine(person_id)
        .where(Assignment.state == "open")
        .order_by(Assignment.due_on, School.name.nulls_first(), TITLE, Assignment.id),
        person_id,
    )


def get_mine(assignment_id: UUID, person_id: UUID, *, last_too: bool = True) -> MyAssignment:
    """One of a person's own assignments; anybody else's is `NotFound`. `last_too`: with what they signed last."""
    statement = _mine(person_id).where(Assignment.id == assignment_id)
    found = _shown(statement, person_id, last_too=last_too)
    if not found:
        raise NotFound()
    return found[0]


def lock_mine(assignment_id: UUID, person_id: UUID) -> Assignment:
    """The row itself, locked, as it stands after whoever had it before."""
    found = db.session.scalars(
        select(Assignment)
        .where(Assignment.id == assignment_id, Assignment.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class ToSign:
    """All that one signature is made of, read with one query; the assignment's row is locked."""

    row: Assignment
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


def _statement_to_sign() -> Any:
    place = or_(
        Edition.school_id == Assignment.school_id,
        and_(Edition.school_id.is_(None), Assignment.school_id.is_(None)),
    )
    in_force = (
        select(Edition.id, Edition.major, Edition.minor, Edition.content_hash, Edition.pdf_hash)
        .where(
            Edition.trust_id == Assignment.trust_id,
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
    return (
        select(
            Assignment,
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
        .outerjoin(Policy, Policy.id == Assignment.policy_id)
        .join(Campaign, Campaign.id == Assignment.campaign_id)
        .join(Person, Person.id == Assignment.person_id)
        .join(Trust, Trust.id == Assignment.trust_id)
        .outerjoin(School, School.id == Assignment.school_id)
        .outerjoin(in_force, true())
        .where(
            Assignment.id == bindparam("assignment_id", type_=Uuid),
            Assignment.person_id == bindparam("person_id", type_=Uuid),
        )
        .with_for_update(of=Assignment)
    )


#: Put together once: it is long, and everybody who signs asks it.
_TO_SIGN = _statement_to_sign()


def lock_to_sign(assignment_id: UUID, person_id: UUID, on: date) -> ToSign:
    """One of a person's assignments with the edition in force on a day. Anybody else's is `NotFound`.

    One round trip: a hundred people sign at once in the first week of September.
    """
    found = db.session.execute(
        _TO_SIGN, {"assignment_id": assignment_id, "person_id": person_id, "on_day": on}
    ).one_or_none()
    if found is None:
        raise NotFound()
    row: Assignment = found[0]
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


def _last_key(assignment: Assignment) -> tuple[UUID | None, UUID | None]:
    """A policy at its place; an outside document wherever it was confirmed."""
    if assignment.outside_id is not None:
        return assignment.outside_id, None
    return assignment.policy_id, assignment.school_id


def _last_signatures(
    person_id: UUID, rows: Sequence[Assignment]
) -> dict[tuple[UUID | None, UUID | None], tuple[UUID, str]]:
    if not rows:
        return {}
    texts = {one.policy_id for one in rows}, {one.outside_id for one in rows}
    place = case((Signature.outside_id.is_(None), Signature.school_id))
    text = func.coalesce(Signature.policy_id, Signature.outside_id)
    found = db.session.execute(
        select(text, place, Signature.edition_id, Signature.outside_edition_id, Signature.content_hash)
        .ext(distinct_on(text, place))
        .where(
            Signature.person_id == person_id,
            or_(
                Signature.policy_id.in_(texts[0] - {None}),
                Signature.outside_id.in_(texts[1] - {None}),
            ),
        )
        .order_by(text, place, Signature.signed_at.desc())
    )
    return {
        (text_id, school_id): (edition_id or outside_edition_id, content)
        for text_id, school_id, edition_id, outside_edition_id, content in found
    }


def find_signature(assignment_id: UUID) -> Signature | None:
    """The signature of an assignment."""
    return db.session.scalars(select(Signature).where(Signature.assignment_id == assignment_id)).one_or_none()


def get_signature(signature_id: UUID) -> Signature:
    """A signature that the scope sees."""
    found = db.session.scalars(select(Signature).where(Signature.id == signature_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_signatures(person_id: UUID) -> Sequence[Signature]:
    """All that a person has signed, newest first, at the places that the scope sees."""
    return db.session.scalars(
        select(Signature)
        .where(Signature.person_id == person_id)
        .order_by(Signature.signed_at.desc(), Signature.id)
    ).all()


def change_rows(policy_id: UUID, school_id: UUID | None, after: Edition, to: Edition) -> list[dict[str, Any]]:
    """The rows of the change logs of the editions after one and up to another, in order."""
    place = Edition.school_id.is_(None) if school_id is None else Edition.school_id == school_id
    logs = db.session.scalars(
        select(Edition.changes)
        .where(
            Edition.policy_id == policy_id,
            place,
            Edition.state == "approved",
            tuple_(Edition.major, Edition.minor) > tuple_(after.major, after.minor),
            tuple_(Edition.major, Edition.minor) <= tuple_(to.major, to.minor),
        )
        .order_by(Edition.major, Edition.minor)
    )
    return [row for log in logs for row in log]
