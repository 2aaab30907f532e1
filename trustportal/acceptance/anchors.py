"""Anchors of the audit trail: where a trust's chain stood on a day, and what a time stamping authority said of it.

Part of the models' room. Only added to: whoever rewrites a chain would have to rewrite these, what was mailed of them,
and what the authority signed.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import TrustRow, points_at


class AuditAnchor(TrustRow):
    """Where a trust's chain stood: its last link's position and hash."""

    __tablename__ = "audit_anchor"
    __rules__ = (UniqueConstraint("trust_id", "anchored_on", name="uq_audit_anchor_day"),)

    anchored_on: Mapped[date]
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    #: Whether a time stamping authority was configured when it was made. Without its stamp it is pending.
    wants_stamp: Mapped[bool]


class AuditStamp(TrustRow):
    """The answer of a time stamping authority (RFC 3161) about one anchor, as it came."""

    __tablename__ = "audit_stamp"
    __rules__ = (
        points_at("audit_anchor", "anchor_id"),
        UniqueConstraint("trust_id", "anchor_id", name="uq_audit_stamp_anchor"),
    )

    anchor_id: Mapped[UUID]
    response: Mapped[bytes] = mapped_column(LargeBinary)
    #: What the authority's own clock said.
    stamped_at: Mapped[datetime]
    authority: Mapped[str] = mapped_column(String(300))


__all__ = ["AuditAnchor", "AuditStamp"]
