"""Bringing a version to all its places, and what a school decides about it. Part of the models' room."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import PlaceOwned, SchoolOwned, TrustRow, points_at


class Reconcile(SchoolOwned):
    """A school's decisions about a new version of the trust's text, where any are needed."""

    __tablename__ = "reconcile"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        points_at("template_version", "from_version_id"),
        points_at("template_version", "to_version_id"),
        Index(
            "uq_reconcile_open",
            "trust_id",
            "school_id",
            "policy_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    policy_id: Mapped[UUID]
    from_version_id: Mapped[UUID]
    to_version_id: Mapped[UUID]
    #: open, decided, replaced, forced
    state: Mapped[str] = mapped_column(String(20))
    follows: Mapped[int] = mapped_column(default=0)
    due_on: Mapped[date | None]
    #: The day of the last reminder.
    reminded_on: Mapped[date | None]
    #: Why the trust forced its text.
    forced_reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ReconcileClause(SchoolOwned):
    """One clause of a reconcile that waits for the head, with its three texts, and the decision."""

    __tablename__ = "reconcile_clause"
    __rules__ = (
        points_at("reconcile", "reconcile_id"),
        UniqueConstraint("trust_id", "reconcile_id", "clause_key", name="uq_reconcile_clause_key"),
        CheckConstraint("(choice IS NULL) = (decided_at IS NULL)", name="decided_clause_has_a_choice"),
    )

    reconcile_id: Mapped[UUID]
    clause_key: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    #: conflict, merged, relocked, deleted, …: `policies.domain.rebase` names them
    situation: Mapped[str] = mapped_column(String(40))
    #: {"base": {heading, text}, "theirs": {…}, "ours": {…}, "merged": {…}|null, "answer": "replace"|…, "reason": …}
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    choice: Mapped[str | None] = mapped_column(String(20))
    written_heading: Mapped[str] = mapped_column(default="")
    written_text: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    row_version: Mapped[int] = mapped_column(default=1)


class Publication(TrustRow):
    """Bringing one version to all its places, with progress: a page polls it."""

    __tablename__ = "publication"
    __rules__ = (
        points_at("template_version", "version_id"),
        UniqueConstraint("trust_id", "version_id", name="uq_publication_version"),
    )
    version_id: Mapped[UUID]
    started_at: Mapped[datetime]


class PublicationPlace(PlaceOwned):
    """What became of one place: follows, merged, to decide; written by that place's job."""

    __tablename__ = "publication_place"
    __rules__ = (
        points_at("publication", "publication_id"),
        Index(
            "uq_publication_place",
            "trust_id",
            "publication_id",
            text("COALESCE(school_id, trust_id)"),
            unique=True,
        ),
    )
    publication_id: Mapped[UUID]
    #: waiting, adopted, follows, unchanged, to_decide, values_missing
    outcome: Mapped[str] = mapped_column(String(20))
    #: Which clauses, and how heavy: as `policies.domain.outlook.Detail` writes it.
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    done_at: Mapped[datetime | None]
