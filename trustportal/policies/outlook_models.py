"""What a version will do at each place before it is published, and redlines on paper."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import PlaceOwned, TrustRow, points_at


class Outlook(TrustRow):
    """What an approved version will do at every place. One for each version; working it out again replaces it."""

    __tablename__ = "outlook"
    __rules__ = (
        points_at("template_version", "version_id"),
        UniqueConstraint("trust_id", "version_id", name="uq_outlook_version"),
    )
    version_id: Mapped[UUID]
    #: The day for which it was worked out.
    on_day: Mapped[date]
    started_at: Mapped[datetime]


class OutlookPlace(PlaceOwned):
    """What a version will do at one place; written by that place's job. The outcomes are `PublicationPlace`'s."""

    __tablename__ = "outlook_place"
    __rules__ = (
        points_at("outlook", "outlook_id", ondelete="CASCADE"),
        points_at("school", "school_id"),
        Index(
            "uq_outlook_place",
            "trust_id",
            "outlook_id",
            text("COALESCE(school_id, trust_id)"),
            unique=True,
        ),
    )
    outlook_id: Mapped[UUID]
    outcome: Mapped[str] = mapped_column(String(20))
    #: As `policies.domain.outlook.Detail` writes it.
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    #: How many people will be asked to sign again; None where no feature counts them.
    people: Mapped[int | None]
    done_at: Mapped[datetime | None]


class RedlinePdf(TrustRow):
    """Two texts against each other on paper, made once. Whoever may see both finds it by `key`."""

    __tablename__ = "redline_pdf"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("template_version", "old_version_id"),
        points_at("template_version", "new_version_id"),
        points_at("edition", "old_edition_id"),
        points_at("edition", "new_edition_id"),
        UniqueConstraint("trust_id", "key", name="uq_redline_pdf_key"),
        CheckConstraint(
            "(old_version_id IS NULL) <> (old_edition_id IS NULL)"
            " AND (new_version_id IS NULL) <> (new_edition_id IS NULL)",
            name="redline_compares_two_texts",
        ),
    )
    policy_id: Mapped[UUID]
    old_version_id: Mapped[UUID | None]
    old_edition_id: Mapped[UUID | None]
    new_version_id: Mapped[UUID | None]
    new_edition_id: Mapped[UUID | None]
    #: SHA-256 over which two texts they are.
    key: Mapped[str] = mapped_column(String(64))
    blob_hash: Mapped[str | None] = mapped_column(String(64))
    wanted_at: Mapped[datetime]
