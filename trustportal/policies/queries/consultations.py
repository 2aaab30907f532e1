"""Drafts that are open for comment, and what was said about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import and_, select

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.governance_models import Consultation, DraftComment
from trustportal.policies.models import Policy, TemplateVersion


def find_consultation(version_id: UUID, *, lock: bool = False) -> Consultation | None:
    """The newest consultation about a version, open or closed."""
    statement = (
        select(Consultation)
        .where(Consultation.version_id == version_id)
        .order_by(Consultation.closed_at.desc().nulls_first(), Consultation.opened_at.desc())
        .limit(1)
    )
    if lock:
        statement = statement.with_for_update()
    return db.session.scalars(statement).one_or_none()


def get_consultation(consultation_id: UUID) -> Consultation:
    """A consultation by its id."""
    found = db.session.scalars(select(Consultation).where(Consultation.id == consultation_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def open_consultations() -> Sequence[tuple[Consultation, Policy]]:
    """Those that are open, with their policies."""
    rows = db.session.execute(
        select(Consultation, Policy)
        .join(
            TemplateVersion,
            and_(
                TemplateVersion.trust_id == Consultation.trust_id,
                TemplateVersion.id == Consultation.version_id,
            ),
        )
        .join(
            Policy, and_(Policy.trust_id == TemplateVersion.trust_id, Policy.id == TemplateVersion.policy_id)
        )
        .where(Consultation.closed_at.is_(None))
        .order_by(Consultation.until)
    )
    return [(consultation, policy) for consultation, policy in rows]


def consultations_to_close(on: date) -> Sequence[Consultation]:
    """Open ones whose last day has passed, locked."""
    return db.session.scalars(
        select(Consultation)
        .where(Consultation.closed_at.is_(None), Consultation.until < on)
        .order_by(Consultation.opened_at)
        .with_for_update()
    ).all()


def list_comments(consultation_ids: Collection[UUID]) -> Sequence[DraftComment]:
    """What was said, in order."""
    return db.session.scalars(
        select(DraftComment)
        .where(DraftComment.consultation_id.in_(consultation_ids))
        .order_by(DraftComment.made_at, DraftComment.id)
    ).all()


def get_comment(comment_id: UUID, *, lock: bool = False) -> DraftComment:
    """One comment."""
    statement = select(DraftComment).where(DraftComment.id == comment_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found
