"""The register: every policy with its owner, tier, dates and where it is in force; and which reviews are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import defer, load_only

from trustportal.db import db
from trustportal.policies.models import Edition, Policy, TemplateVersion
from trustportal.policies.queries.editions import EDITION_FACTS
from trustportal.policies.queries.places import still_applies, still_stands


@dataclass(frozen=True, slots=True)
class InForce:
    """An edition in force somewhere."""

    policy_id: UUID
    school_id: UUID | None
    major: int
    minor: int | None
    since: date


def editions_by_place(on: date) -> list[InForce]:
    """The edition in force of every policy at every visible place, without trees; one query."""
    rows = db.session.execute(
        select(Edition.policy_id, Edition.school_id, Edition.major, Edition.minor, Edition.effective_on)
        .ext(distinct_on(Edition.policy_id, Edition.school_id))
        .where(Edition.state == "approved", Edition.effective_on <= on, still_stands(on), still_applies())
        .order_by(Edition.policy_id, Edition.school_id, Edition.major.desc(), Edition.minor.desc())
    )
    return [
        InForce(row.policy_id, row.school_id, row.major, row.minor, row.effective_on)
        for row in rows
        if row.effective_on is not None
    ]


def versions_in_force(on: date, *, whole: bool = True) -> dict[UUID, TemplateVersion]:
    """The version of the trust's text that is in force, by policy; `whole`: with its clauses' modes."""
    rows = db.session.scalars(
        select(TemplateVersion)
        .ext(distinct_on(TemplateVersion.policy_id))
        .join(
            Policy, (Policy.trust_id == TemplateVersion.trust_id) & (Policy.id == TemplateVersion.policy_id)
        )
        .options(defer(TemplateVersion.marks), *(() if whole else (defer(TemplateVersion.tree),)))
        .where(
            Policy.school_id.is_(None),
            TemplateVersion.state == "published",
            TemplateVersion.effective_on <= on,
        )
        .order_by(TemplateVersion.policy_id, TemplateVersion.number.desc())
    )
    return {row.policy_id: row for row in rows}


def own_editions(on: date) -> dict[UUID, Edition]:
    """The edition in force of every policy that a school wrote for itself, by policy, without its tree."""
    rows = db.session.scalars(
        select(Edition)
        .ext(distinct_on(Edition.policy_id))
        .join(Policy, (Policy.trust_id == Edition.trust_id) & (Policy.id == Edition.policy_id))
        .options(load_only(*EDITION_FACTS, Edition.header))
        .where(Policy.school_id.is_not(None), Edition.state == "approved", Edition.effective_on <= on)
        .order_by(Edition.policy_id, Edition.major.desc(), Edition.minor.desc())
    )
    return {row.policy_id: row for row in rows}
