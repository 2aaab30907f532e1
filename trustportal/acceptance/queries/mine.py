"""What one person has to sign and has signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, case, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased, load_only

from trustportal.acceptance.models import Assignment, Campaign, OutsideEdition, Question, Signature
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.policies.models import Edition, Policy
from trustportal.tenants.models import School


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
