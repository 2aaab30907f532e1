"""Who approves what (routes), ratifications of a chair's action, drafts that are open for comment, review reminders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import PlaceOwned, TrustRow, points_at


class ApprovalRoute(PlaceOwned):
    """Who approves: of the trust's versions (for one policy, or for all without their own), or of a school's changes.

    A run copies its route when it opens, so that changing a route never touches a run.
    """

    __tablename__ = "approval_route"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        Index(
            "uq_approval_route",
            "trust_id",
            "kind",
            text("COALESCE(school_id, trust_id)"),
            text("COALESCE(policy_id, trust_id)"),
            unique=True,
        ),
        CheckConstraint("kind IN ('version', 'edition')", name="route_is_of_a_kind"),
        CheckConstraint("kind = 'edition' OR school_id IS NULL", name="versions_belong_to_the_trust"),
    )

    #: version: the trust's text; edition: a school's own changes.
    kind: Mapped[str] = mapped_column(String(10))
    policy_id: Mapped[UUID | None]
    #: The stages in order; see `policies.domain.routes`.
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    row_version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]


class Ratification(TrustRow):
    """What the body decided afterwards about its chair's action. Only added."""

    __tablename__ = "ratification"
    __rules__ = (
        points_at("approval_run", "run_id"),
        points_at("person", "person_id"),
        UniqueConstraint("trust_id", "run_id", name="uq_ratification_run"),
        CheckConstraint("minute_reference <> ''", name="ratification_has_its_minute"),
        CheckConstraint("outcome IN ('ratified', 'not_ratified')", name="ratification_outcomes"),
    )

    run_id: Mapped[UUID]
    #: Who recorded it, as they were called then.
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(String(200))
    met_on: Mapped[date]
    minute_reference: Mapped[str] = mapped_column(String(120))
    outcome: Mapped[str] = mapped_column(String(20))
    comment: Mapped[str] = mapped_column(default="")
    recorded_at: Mapped[datetime]


class Consultation(TrustRow):
    """A draft that is open for comment, to people with some roles, until the end of a day."""

    __tablename__ = "consultation"
    __rules__ = (
        points_at("template_version", "version_id"),
        Index(
            "uq_consultation_open",
            "trust_id",
            "version_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    version_id: Mapped[UUID]
    #: Who is asked: roles, at the trust or at any school.
    roles: Mapped[list[str]] = mapped_column(JSONB)
    question: Mapped[str] = mapped_column(default="")
    until: Mapped[date]
    opened_by: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class DraftComment(TrustRow):
    """What somebody says about a clause of a draft ("" for the whole), and what its author answers."""

    __tablename__ = "draft_comment"
    __rules__ = (
        points_at("consultation", "consultation_id"),
        points_at("person", "person_id"),
        Index("ix_draft_comment_consultation", "trust_id", "consultation_id", "clause_key"),
        CheckConstraint("words <> ''", name="comment_says_something"),
        CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answer_has_its_author"),
    )

    consultation_id: Mapped[UUID]
    clause_key: Mapped[str] = mapped_column(String(80), default="")
    #: The clause's words when the comment was made, by hash of heading and text: so that it can say "changed since".
    clause_mark: Mapped[str] = mapped_column(String(16), default="")
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    role_label: Mapped[str] = mapped_column(String(200))
    words: Mapped[str]
    made_at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(default="")
    resolved: Mapped[bool] = mapped_column(default=False)
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]


class ReviewReminder(PlaceOwned):
    """That somebody was reminded of a review in a slot. Unique, so that a slot reminds once, whatever runs twice."""

    __tablename__ = "review_reminder"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        Index(
            "uq_review_reminder",
            "trust_id",
            "policy_id",
            text("COALESCE(school_id, trust_id)"),
            "review_on",
            "slot_on",
            unique=True,
        ),
    )

    policy_id: Mapped[UUID]
    review_on: Mapped[date]
    #: The day from which the slot counts: two months before, one month, one week, then each week after.
    slot_on: Mapped[date]
    reminded_at: Mapped[datetime]
