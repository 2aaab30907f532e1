"""What is on its way through an approval route: runs, who is asked, what they decide. Part of the models' room."""

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

from trustportal.db import PlaceOwned, points_at


class ApprovalRun(PlaceOwned):
    """One submission on its way through the stages of its route. Votes are bound to `content_hash`."""

    __tablename__ = "approval_run"
    __rules__ = (
        points_at("template_version", "version_id"),
        points_at("edition", "edition_id"),
        points_at("policy", "policy_id"),
        CheckConstraint("(version_id IS NULL) <> (edition_id IS NULL)", name="run_judges_one_thing"),
        Index("ix_approval_run_open", "trust_id", "state"),
    )

    policy_id: Mapped[UUID]
    version_id: Mapped[UUID | None]
    edition_id: Mapped[UUID | None]
    content_hash: Mapped[str] = mapped_column(String(64))
    #: pending, approved, returned, withdrawn
    state: Mapped[str] = mapped_column(String(20))
    stage: Mapped[int] = mapped_column(default=0)
    #: The stages with their members as they were when it was submitted.
    stages: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: Who wrote what is judged, besides the submitter.
    author_ids: Mapped[list[str]] = mapped_column(JSONB, default=list)
    reason: Mapped[str]
    submitted_by: Mapped[UUID]
    submitted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApprovalMember(PlaceOwned):
    """Who is asked in a stage of a run; for «my tasks», and to find the runs of a person."""

    __tablename__ = "approval_member"
    __rules__ = (
        points_at("approval_run", "run_id"),
        points_at("person", "person_id"),
        UniqueConstraint("trust_id", "run_id", "stage", "person_id", name="uq_approval_member"),
        Index("ix_approval_member_person", "trust_id", "person_id"),
    )
    run_id: Mapped[UUID]
    stage: Mapped[int]
    person_id: Mapped[UUID]


class ApprovalDecision(PlaceOwned):
    """One member's decision, or one minuted decision of the body. Only added, never changed."""

    __tablename__ = "approval_decision"
    __rules__ = (
        points_at("approval_run", "run_id"),
        points_at("person", "person_id"),
        Index(
            "uq_approval_decision_vote",
            "trust_id",
            "run_id",
            "stage",
            "person_id",
            unique=True,
            postgresql_where=text("choice <> 'minuted'"),
        ),
        CheckConstraint("choice <> 'changes' OR comment <> ''", name="asking_for_changes_says_which"),
        CheckConstraint(
            "choice <> 'minuted' OR (minute_reference <> '' AND met_on IS NOT NULL)",
            name="minuted_decision_has_its_minute",
        ),
    )

    run_id: Mapped[UUID]
    stage: Mapped[int]
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    role_label: Mapped[str] = mapped_column(String(120))
    #: approve, changes, recuse, minuted
    choice: Mapped[str] = mapped_column(String(20))
    comment: Mapped[str] = mapped_column(default="")
    content_hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(String(200), default="")
    minute_reference: Mapped[str] = mapped_column(String(120), default="")
    met_on: Mapped[date | None]
    quorum_met: Mapped[bool | None]
    #: approved or returned, for a minuted decision
    outcome: Mapped[str] = mapped_column(String(20), default="")
    decided_at: Mapped[datetime]
