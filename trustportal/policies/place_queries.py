"""The reads of one place's pages: editions without their trees, and how a school stands with all its policies at once.

Part of the queries' room. A page shows an edition whose clauses are kept rendered, so the tree stays in the database
until it is asked for (`load_whole`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, Uuid, and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import defer, load_only

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.domain.answers import answers_to_json
from trustportal.policies.models import (
    AddedClause,
    ApprovalDecision,
    ApprovalRun,
    Edition,
    Override,
    ReconcileClause,
    Standing,
    TemplateVersion,
)
from trustportal.policies.queries import EDITION_FACTS, ended_here, still_applies, still_stands
from trustportal.policies.reading import answers_of
from trustportal.tenants.models import School
from trustportal.times import midnight

_HEAD = (*EDITION_FACTS, Edition.header, Edition.approvals, Edition.values)


def _at(school_id: UUID | None) -> ColumnElement[bool]:
    return Edition.school_id.is_(None) if school_id is None else Edition.school_id == school_id


def _approved(policy_id: UUID, school_id: UUID | None) -> Select[Edition]:
    return (
        select(Edition)
        .options(load_only(*_HEAD))
        .where(Edition.policy_id == policy_id, _at(school_id), Edition.state == "approved")
    )


def find_in_force(policy_id: UUID, school_id: UUID | None, on: date) -> Edition | None:
    """What a place's policy says on a day: the edition with its header, without its tree."""
    return db.session.scalars(
        _approved(policy_id, school_id)
        .where(Edition.effective_on <= on, still_stands(on))
        .order_by(Edition.effective_on.desc(), Edition.major.desc(), Edition.minor.desc())
        .limit(1)
    ).one_or_none()


def find_to_come(policy_id: UUID, school_id: UUID | None, on: date) -> Edition | None:
    """The newest approved edition that takes effect after a day, if there is one."""
    return db.session.scalars(
        _approved(policy_id, school_id)
        .where(Edition.effective_on > on, ~ended_here())
        .order_by(Edition.major.desc(), Edition.minor.desc())
        .limit(1)
    ).one_or_none()


def find_ahead(policy_id: UUID, school_id: UUID | None, day: date) -> Edition | None:
    """The newest edition that was approved by the end of a day and took effect only after it."""
    return db.session.scalars(
        _approved(policy_id, school_id)
        .where(Edition.approved_at < midnight(day + timedelta(days=1)), Edition.effective_on > day)
        .order_by(Edition.major.desc(), Edition.minor.desc())
        .limit(1)
    ).one_or_none()


def list_to_come(school_id: UUID, on: date) -> dict[UUID, Edition]:
    """The newest approved edition of each policy at a school that takes effect after a day, by policy."""
    rows = db.session.scalars(
        select(Edition)
        .ext(distinct_on(Edition.policy_id))
        .options(load_only(*EDITION_FACTS))
        .where(_at(school_id), Edition.state == "approved", Edition.effective_on > on, ~ended_here())
        .order_by(Edition.policy_id, Edition.major.desc(), Edition.minor.desc())
    )
    return {row.policy_id: row for row in rows}


def get_labelled(policy_id: UUID, school_id: UUID | None, label: str) -> Edition:
    """An approved edition by what is printed on it ("3.2"), without its tree. Anything else is `NotFound`."""
    major, _, minor = label.partition(".")
    if not (major.isdigit() and (minor.isdigit() or not minor)) or len(label) > 12:
        raise NotFound()
    found = db.session.scalars(
        _approved(policy_id, school_id).where(Edition.major == int(major), Edition.minor == int(minor or 0))
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def load_whole(edition: Edition) -> Edition:
    """The same edition with its tree and its answers, in one query."""
    db.session.refresh(edition, ["tree", "answers"])
    return edition


def list_heads_in_force(school_id: UUID, policy_ids: Collection[UUID], on: date) -> dict[UUID, Edition]:
    """The editions in force at a school, by policy, with header and answers."""
    rows = db.session.scalars(
        select(Edition)
        .ext(distinct_on(Edition.policy_id))
        .options(load_only(*_HEAD, Edition.answers))
        .where(
            _at(school_id),
            Edition.policy_id.in_(policy_ids),
            Edition.state == "approved",
            Edition.effective_on <= on,
            still_stands(on),
        )
        .order_by(Edition.policy_id, Edition.effective_on.desc(), Edition.major.desc(), Edition.minor.desc())
    )
    return {edition.policy_id: edition for edition in rows}


@dataclass(frozen=True, slots=True)
class AtPlace:
    """Where one place stands with a policy. `school_id`, `name` and `slug` are None for the trust itself."""

    school_id: UUID | None
    name: str | None
    slug: str | None
    version: int | None
    missing: list[str]
    release_due: bool
    #: The edition in force; None where there is none.
    major: int | None
    minor: int | None
    since: date | None


@cache
def _where_places_stand() -> Select[Any]:
    """The statement of `list_places`, put together once: that took as long as asking it."""
    policy_id, on = bindparam("policy", type_=Uuid()), bindparam("day", type_=Date())
    place = func.coalesce(Edition.school_id, Edition.trust_id)
    in_force = (
        select(place.label("place"), Edition.major, Edition.minor, Edition.effective_on)
        .ext(distinct_on(place))
        .where(
            Edition.policy_id == policy_id,
            Edition.state == "approved",
            Edition.effective_on <= on,
            still_stands(on),
            still_applies(),
        )
        .order_by(place, Edition.major.desc(), Edition.minor.desc())
        .subquery()
    )
    return (
        select(
            Standing.school_id,
            School.name,
            School.slug,
            TemplateVersion.number,
            Standing.missing,
            Standing.release_due,
            in_force.c.major,
            in_force.c.minor,
            in_force.c.effective_on,
        )
        .join(
            TemplateVersion,
            and_(TemplateVersion.trust_id == Standing.trust_id, TemplateVersion.id == Standing.version_id),
        )
        .outerjoin(School, and_(School.trust_id == Standing.trust_id, School.id == Standing.school_id))
        .outerjoin(in_force, in_force.c.place == func.coalesce(Standing.school_id, Standing.trust_id))
        .where(Standing.policy_id == policy_id)
    )


def list_places(policy_id: UUID, on: date) -> list[AtPlace]:
    """Where every visible place stands with a policy, schools by name, the trust last; one query."""
    rows = db.session.execute(_where_places_stand(), {"policy": policy_id, "day": on})
    return sorted((AtPlace(*row) for row in rows), key=lambda one: (one.school_id is None, one.name or ""))


@dataclass(frozen=True, slots=True)
class Approved:
    """What the newest approved edition of a policy at a school was made of."""

    answers: Mapping[str, Any]
    version_id: UUID | None

    def differs_from(self, working: Mapping[str, Any], version_id: UUID) -> bool:
        """Whether working answers, made against a version, say anything else: then something is left to submit."""
        return version_id != self.version_id or differ(working, self.answers)


def latest_approved(policy_id: UUID, school_id: UUID) -> Approved:
    """What the newest approved edition was made of; nothing where there is none."""
    found = db.session.execute(
        select(Edition.answers, Edition.template_version_id)
        .where(Edition.policy_id == policy_id, _at(school_id), Edition.state == "approved")
        .order_by(Edition.major.desc(), Edition.minor.desc())
        .limit(1)
    ).one_or_none()
    return Approved(found.answers, found.template_version_id) if found else Approved({}, None)


def differ(working: Mapping[str, Any], approved: Mapping[str, Any]) -> bool:
    """Whether a school's working answers say anything else than those of an edition; the order does not count."""

    def said(answers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        added = {one["key"]: one for one in answers.get("added", ())}
        return added | {one["clause_key"]: one for one in answers.get("overrides", ())}

    return said(working) != said(approved)


def policies_with_unsent(school_id: UUID, standings: Collection[Standing]) -> frozenset[UUID]:
    """The policies about which a school's working answers differ from what its newest edition was made of."""
    rows = db.session.execute(
        select(Edition.policy_id, Edition.answers, Edition.template_version_id)
        .ext(distinct_on(Edition.policy_id))
        .where(_at(school_id), Edition.state == "approved")
        .order_by(Edition.policy_id, Edition.major.desc(), Edition.minor.desc())
    )
    approved = {row.policy_id: Approved(row.answers, row.template_version_id) for row in rows}
    overrides, added = list_working([school_id])
    found: set[UUID] = set()
    for standing in standings:
        latest = approved.get(standing.policy_id)
        working = answers_of(
            [row for row in overrides if row.policy_id == standing.policy_id],
            [row for row in added if row.policy_id == standing.policy_id],
        )
        if latest and latest.differs_from(answers_to_json(*working), standing.version_id):
            found.add(standing.policy_id)
    return frozenset(found)


def list_submitted(school_ids: Collection[UUID]) -> Sequence[Edition]:
    """The editions of some schools that wait for their approver."""
    return db.session.scalars(
        select(Edition)
        .options(load_only(*EDITION_FACTS))
        .where(Edition.school_id.in_(school_ids), Edition.state == "submitted")
    ).all()


def list_working(school_ids: Collection[UUID]) -> tuple[Sequence[Override], Sequence[AddedClause]]:
    """All working answers of some schools, about all policies."""
    return (
        db.session.scalars(select(Override).where(Override.school_id.in_(school_ids))).all(),
        db.session.scalars(
            select(AddedClause)
            .where(AddedClause.school_id.in_(school_ids))
            .order_by(AddedClause.position, AddedClause.key)
        ).all(),
    )


def clauses_of_reconciles(reconcile_ids: Collection[UUID]) -> dict[UUID, list[ReconcileClause]]:
    """What is to be decided in some reconciles, by reconcile, without the texts."""
    found: dict[UUID, list[ReconcileClause]] = {}
    rows = db.session.scalars(
        select(ReconcileClause)
        .options(defer(ReconcileClause.texts), defer(ReconcileClause.written_text))
        .where(ReconcileClause.reconcile_id.in_(reconcile_ids))
        .order_by(ReconcileClause.position)
    )
    for row in rows:
        found.setdefault(row.reconcile_id, []).append(row)
    return found


def last_comments(policy_id: UUID, school_id: UUID) -> Sequence[ApprovalDecision]:
    """What the approvers asked for, if the school's newest submission about a policy came back."""
    latest = db.session.scalars(
        select(Edition)
        .options(load_only(*EDITION_FACTS))
        .where(Edition.policy_id == policy_id, _at(school_id))
        .order_by(func.coalesce(Edition.approved_at, Edition.submitted_at).desc())
        .limit(1)
    ).one_or_none()
    if latest is None or latest.state != "returned":
        return []
    return db.session.scalars(
        select(ApprovalDecision)
        .join(ApprovalRun, ApprovalRun.id == ApprovalDecision.run_id)
        .where(ApprovalRun.edition_id == latest.id, ApprovalDecision.comment != "")
        .order_by(ApprovalDecision.decided_at)
    ).all()
