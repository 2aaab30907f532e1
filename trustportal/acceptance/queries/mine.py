"""What one person has to sign and has signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import load_only

from trustportal.acceptance.models import Assignment, Campaign, Signature
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.policies.models import Edition, Policy
from trustportal.tenants.models import School


@dataclass(frozen=True, slots=True)
class MyAssignment:
    """One policy that I am asked to sign at one place. `school_name` None: at the trust itself."""

    id: UUID
    policy_id: UUID
    policy_title: str
    policy_slug: str
    school_id: UUID | None
    school_name: str | None
    school_short_name: str | None
    school_slug: str | None
    edition_id: UUID
    edition_label: str
    content_hash: str
    academic_year: int
    statement: str
    cause: str
    state: str
    due_on: date
    #: The last signature for this policy at this place; None: never signed.
    signed_edition_id: UUID | None = None
    signed_content_hash: str | None = None

    @property
    def has_changed(self) -> bool:
        """Whether the text differs from what was signed last."""
        return self.signed_content_hash is not None and self.signed_content_hash != self.content_hash

    @property
    def is_first(self) -> bool:
        """Whether this person never signed this policy here."""
        return self.signed_edition_id is None


def _mine(person_id: UUID) -> Select[Assignment, Campaign, Policy, School, Edition]:
    return (
        select(Assignment, Campaign, Policy, School, Edition)
        .join(Campaign, Campaign.id == Assignment.campaign_id)
        .join(Policy, Policy.id == Assignment.policy_id)
        .join(Edition, Edition.id == Assignment.edition_id)
        .outerjoin(School, School.id == Assignment.school_id)
        .options(load_only(Edition.id, Edition.trust_id, Edition.major, Edition.minor, Edition.content_hash))
        .where(Assignment.person_id == person_id)
    )


def _shown(
    statement: Select[Assignment, Campaign, Policy, School, Edition],
    person_id: UUID,
    *,
    last_too: bool = True,
) -> list[MyAssignment]:
    rows = db.session.execute(statement).all()
    places = [(row[0].policy_id, row[0].school_id) for row in rows]
    last = _last_signatures(person_id, places) if last_too else {}
    found = []
    for assignment, campaign, policy, school, edition in rows:
        signed = last.get((assignment.policy_id, assignment.school_id))
        found.append(
            MyAssignment(
                id=assignment.id,
                policy_id=policy.id,
                policy_title=policy.title,
                policy_slug=policy.slug,
                school_id=assignment.school_id,
                school_name=school.name if school else None,
                school_short_name=school.short_name if school else None,
                school_slug=school.slug if school else None,
                edition_id=edition.id,
                edition_label=edition_label(edition.major, edition.minor),
                content_hash=edition.content_hash,
                academic_year=campaign.academic_year,
                statement=campaign.statement,
                cause=assignment.cause,
                state=assignment.state,
                due_on=assignment.due_on,
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
        .order_by(Assignment.due_on, School.name.nulls_first(), Policy.title, Assignment.id),
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


def _last_signatures(
    person_id: UUID, places: Sequence[tuple[UUID, UUID | None]]
) -> dict[tuple[UUID, UUID | None], tuple[UUID, str]]:
    if not places:
        return {}
    rows = db.session.execute(
        select(Signature.policy_id, Signature.school_id, Signature.edition_id, Signature.content_hash)
        .ext(distinct_on(Signature.policy_id, Signature.school_id))
        .where(Signature.person_id == person_id, Signature.policy_id.in_([policy for policy, _ in places]))
        .order_by(Signature.policy_id, Signature.school_id, Signature.signed_at.desc())
    )
    return {(policy, school): (edition, content) for policy, school, edition, content in rows}


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
