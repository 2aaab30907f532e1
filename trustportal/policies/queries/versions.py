"""Policies and the versions of the trust's text, drafts and imports."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.models import (
    DraftClause,
    ImportReading,
    Policy,
    Standing,
    TemplateVersion,
    VersionPdf,
)

OPEN_STATES = ("draft", "submitted", "approved")


def get_policy(slug: str) -> Policy:
    """A policy by the slug of its address."""
    found = db.session.scalars(select(Policy).where(Policy.slug == slug)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def get_policy_by_id(policy_id: UUID, *, lock: bool = False) -> Policy:
    """A policy by its id."""
    statement = select(Policy).where(Policy.id == policy_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_policies() -> Sequence[Policy]:
    """All policies of the trust, by title."""
    return db.session.scalars(select(Policy).order_by(Policy.title)).all()


def own_drafts(school_id: UUID) -> Sequence[tuple[Policy, TemplateVersion]]:
    """What a school is writing for itself."""
    rows = db.session.execute(
        select(Policy, TemplateVersion)
        .join(
            TemplateVersion,
            (TemplateVersion.trust_id == Policy.trust_id) & (TemplateVersion.policy_id == Policy.id),
        )
        .options(defer(TemplateVersion.tree))
        .where(Policy.school_id == school_id, TemplateVersion.state.in_(OPEN_STATES))
        .order_by(Policy.title)
    )
    return [(policy, version) for policy, version in rows]


def policy_slugs() -> set[str]:
    """The slugs that are taken."""
    return set(db.session.scalars(select(Policy.slug)))


def get_version(version_id: UUID, *, lock: bool = False) -> TemplateVersion:
    """A template version; `lock` keeps others from changing it until the transaction ends."""
    statement = select(TemplateVersion).where(TemplateVersion.id == version_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def versions_by_policy() -> tuple[dict[UUID, TemplateVersion], dict[UUID, TemplateVersion]]:
    """The newest published version, and the open one, of every policy; without their trees."""
    latest: dict[UUID, TemplateVersion] = {}
    opened: dict[UUID, TemplateVersion] = {}
    rows = db.session.scalars(
        select(TemplateVersion)
        .options(defer(TemplateVersion.tree))
        .where(TemplateVersion.state != "discarded")
        .order_by(TemplateVersion.number)
    )
    for row in rows:
        (latest if row.state == "published" else opened)[row.policy_id] = row
    return latest, opened


def count_standings() -> dict[UUID, int]:
    """At how many places each policy applies."""
    rows = db.session.execute(
        select(Standing.policy_id, func.count(Standing.id)).group_by(Standing.policy_id)
    )
    return {row[0]: row[1] for row in rows}


def list_versions(policy_id: UUID) -> Sequence[TemplateVersion]:
    """The versions of a policy, newest first, the open one on top; their trees are loaded where they are read."""
    return db.session.scalars(
        select(TemplateVersion)
        .options(defer(TemplateVersion.tree))
        .where(TemplateVersion.policy_id == policy_id)
        .order_by(TemplateVersion.number.desc().nulls_first(), TemplateVersion.created_at.desc())
    ).all()


def find_open_version(policy_id: UUID) -> TemplateVersion | None:
    """The version that is being written, voted on or waits to be published."""
    return db.session.scalars(
        select(TemplateVersion).where(
            TemplateVersion.policy_id == policy_id, TemplateVersion.state.in_(OPEN_STATES)
        )
    ).one_or_none()


def find_latest_version(policy_id: UUID) -> TemplateVersion | None:
    """The newest published version, in force or coming into force."""
    return db.session.scalars(
        select(TemplateVersion)
        .where(TemplateVersion.policy_id == policy_id, TemplateVersion.state == "published")
        .order_by(TemplateVersion.number.desc())
        .limit(1)
    ).one_or_none()


def get_numbered_version(policy_id: UUID, number: int) -> TemplateVersion:
    """A published version by its number."""
    found = db.session.scalars(
        select(TemplateVersion).where(
            TemplateVersion.policy_id == policy_id, TemplateVersion.number == number
        )
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def draft_clauses(version_id: UUID) -> Sequence[DraftClause]:
    """The clauses of a draft, in reading order."""
    return db.session.scalars(
        select(DraftClause).where(DraftClause.version_id == version_id).order_by(DraftClause.position)
    ).all()


def get_draft_clause(version_id: UUID, key: str) -> DraftClause:
    """One clause of a draft."""
    found = db.session.scalars(
        select(DraftClause).where(DraftClause.version_id == version_id, DraftClause.key == key)
    ).one_or_none()
    if found is None:
        raise NotFound("This clause is no longer in the draft: somebody removed it.")
    return found


def find_version_pdf(version_id: UUID) -> VersionPdf | None:
    """The stored PDF of a version."""
    return db.session.scalars(select(VersionPdf).where(VersionPdf.version_id == version_id)).one_or_none()


def get_reading(reading_id: UUID, person_id: UUID | None, *, lock: bool = False) -> ImportReading:
    """An import that waits for correction; only its own person sees it."""
    statement = select(ImportReading).where(
        ImportReading.id == reading_id, ImportReading.person_id == person_id
    )
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found
