"""Records of outside documents that campaigns ask people to confirm they have read. Part of the models' room."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import TrustRow, points_at


class OutsideDocument(TrustRow):
    """A document that somebody else publishes, through all its editions. What it is called stands in those."""

    __tablename__ = "outside_document"
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class OutsideEdition(TrustRow):
    """The dated record of one edition of an outside document. Only added; see `domain.documents.DocumentDraft`."""

    __tablename__ = "outside_edition"
    __rules__ = (
        points_at("outside_document", "document_id"),
        UniqueConstraint("trust_id", "document_id", "number", name="uq_outside_edition_number"),
        CheckConstraint("current_from >= published_on", name="document_holds_after_it_was_published"),
    )

    document_id: Mapped[UUID]
    #: 1 for the first one that was recorded.
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    publisher: Mapped[str] = mapped_column(String(200))
    edition: Mapped[str] = mapped_column(String(40))
    published_on: Mapped[date]
    current_from: Mapped[date]
    link: Mapped[str] = mapped_column(String(500))
    parts: Mapped[str] = mapped_column(String(200))
    statement: Mapped[str]
    asks_again: Mapped[bool]
    #: SHA-256 of `domain.documents.record_of`.
    content_hash: Mapped[str] = mapped_column(String(64))
    recorded_by: Mapped[UUID | None]
    recorded_at: Mapped[datetime]


class CampaignDocument(TrustRow):
    """An outside document that a campaign asks people to confirm."""

    __tablename__ = "campaign_document"
    __rules__ = (
        points_at("campaign", "campaign_id"),
        points_at("outside_document", "document_id"),
        UniqueConstraint("trust_id", "campaign_id", "document_id", name="uq_campaign_document"),
    )
    campaign_id: Mapped[UUID]
    document_id: Mapped[UUID]


__all__ = ["CampaignDocument", "OutsideDocument", "OutsideEdition"]
