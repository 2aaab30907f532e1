"""What proves signing, and the audit trail, for an archive: a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, true

from trustportal.acceptance.models import AuditAnchor, AuditStamp, Certificate, Signature
from trustportal.db import db
from trustportal.kernel_models import AuditEvent, AuditHead, AuditPayload


def list_certificates(school_id: UUID | None, after: UUID | None, limit: int) -> Sequence[tuple[Any, ...]]:
    """Certificates after an id: their id, the hash of the PDF, whose it is, for which policy."""
    rows = db.session.execute(
        select(Certificate.id, Certificate.pdf_hash, Signature.person_name, Signature.policy_title)
        .join(Signature, Signature.id == Certificate.signature_id)
        .where(
            Certificate.school_id == school_id if school_id else true(),
            Certificate.id > after if after else true(),
        )
        .order_by(Certificate.id)
        .limit(limit)
    )
    return [tuple(row) for row in rows]


def list_papers(school_id: UUID | None, after: UUID | None, limit: int) -> Sequence[Signature]:
    """Signatures that were given on paper, after an id."""
    return db.session.scalars(
        select(Signature)
        .where(
            Signature.witness.is_not(None),
            Signature.school_id == school_id if school_id else true(),
            Signature.id > after if after else true(),
        )
        .order_by(Signature.id)
        .limit(limit)
    ).all()


def list_links(
    school_id: UUID | None, after: int, limit: int
) -> Sequence[tuple[AuditEvent, AuditPayload | None]]:
    """Links of the audit trail after a position, each with what it says, unless that was disposed of."""
    rows = db.session.execute(
        select(AuditEvent, AuditPayload)
        .outerjoin(AuditPayload, AuditPayload.event_id == AuditEvent.id)
        .where(AuditEvent.position > after, AuditEvent.school_id == school_id if school_id else true())
        .order_by(AuditEvent.position)
        .limit(limit)
    )
    return [(event, payload) for event, payload in rows]


def find_head() -> AuditHead | None:
    """Where the trail ends."""
    return db.session.scalars(select(AuditHead)).one_or_none()


def list_anchors() -> Sequence[tuple[AuditAnchor, AuditStamp | None]]:
    """Where the trail stood each day, with the stamp of an authority."""
    rows = db.session.execute(
        select(AuditAnchor, AuditStamp)
        .outerjoin(AuditStamp, AuditStamp.anchor_id == AuditAnchor.id)
        .order_by(AuditAnchor.anchored_on)
    )
    return [(anchor, stamp) for anchor, stamp in rows]
