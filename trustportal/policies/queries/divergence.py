"""What the divergence map shows of all schools, in as many queries for two hundred as for ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH, distinct_on

from trustportal.db import db
from trustportal.policies.models import Edition, Reconcile, ReconcileClause, Standing
from trustportal.tenants.models import School


@dataclass(frozen=True, slots=True)
class SchoolColumn:
    """A school as the map's column, and what its newest approved edition was made of; None where it has none."""

    id: UUID
    name: str
    short_name: str
    slug: str
    version_id: UUID | None
    major: int | None
    minor: int | None
    #: Keys and answers, side by side.
    answered: Sequence[str]
    answers: Sequence[str]
    added: Sequence[str]
    after: Sequence[str]


def list_columns(policy_id: UUID, on: date) -> list[SchoolColumn]:
    """The schools at which a policy applies on a day, by name."""
    newest = (
        select(Edition.id, Edition.school_id)
        .ext(distinct_on(Edition.school_id))
        .where(Edition.policy_id == policy_id, Edition.state == "approved", Edition.school_id.is_not(None))
        .order_by(Edition.school_id, Edition.major.desc(), Edition.minor.desc())
        .subquery()
    )

    def every(path: str) -> ColumnElement[Any]:
        return func.jsonb_path_query_array(Edition.answers, cast(literal(path), JSONPATH))

    rows = db.session.execute(
        select(
            School.id,
            School.name,
            School.short_name,
            School.slug,
            Edition.template_version_id,
            Edition.major,
            Edition.minor,
            every("$.overrides[*].clause_key"),
            every("$.overrides[*].answer"),
            every("$.added[*].key"),
            every("$.added[*].after"),
        )
        .join(Standing, and_(Standing.trust_id == School.trust_id, Standing.school_id == School.id))
        .outerjoin(newest, newest.c.school_id == School.id)
        .outerjoin(Edition, and_(Edition.trust_id == School.trust_id, Edition.id == newest.c.id))
        .where(Standing.policy_id == policy_id, or_(School.closes_on.is_(None), School.closes_on > on))
        .order_by(School.short_name, School.id)
    )
    return [SchoolColumn(*row[:7], *(tuple(one or ()) for one in row[7:])) for row in rows]


def undecided_clauses(policy_id: UUID) -> dict[UUID, frozenset[str]]:
    """School -> the clauses that it still has to decide."""
    rows = db.session.execute(
        select(Reconcile.school_id, ReconcileClause.clause_key)
        .join(
            ReconcileClause,
            and_(
                ReconcileClause.trust_id == Reconcile.trust_id, ReconcileClause.reconcile_id == Reconcile.id
            ),
        )
        .where(Reconcile.policy_id == policy_id, Reconcile.state == "open", ReconcileClause.choice.is_(None))
    )
    found: dict[UUID, set[str]] = {}
    for school_id, key in rows:
        found.setdefault(school_id, set()).add(key)
    return {school_id: frozenset(keys) for school_id, keys in found.items()}


@dataclass(frozen=True, slots=True)
class LatestAnswers:
    """The answers of a school's newest approved edition."""

    school_id: UUID
    answers: dict[str, Any]


def latest_answers(policy_id: UUID) -> list[LatestAnswers]:
    """The answers of every school's newest approved edition, with their words."""
    rows = db.session.execute(
        select(Edition.school_id, Edition.answers)
        .ext(distinct_on(Edition.school_id))
        .where(Edition.policy_id == policy_id, Edition.state == "approved", Edition.school_id.is_not(None))
        .order_by(Edition.school_id, Edition.major.desc(), Edition.minor.desc())
    )
    return [LatestAnswers(school_id, answers) for school_id, answers in rows if school_id is not None]
