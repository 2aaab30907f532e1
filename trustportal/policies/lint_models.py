"""What people said about findings of lint, and reviews that a superseded law or guidance opened."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import PlaceOwned, TrustRow, points_at


class LintAnswer(PlaceOwned):
    """Somebody looked at a finding and let it stand: a warning acknowledged, or an error waived with a reason.

    Bound by `mark` to the words that the finding was made about: other words ask again. Only added, never changed.
    """

    __tablename__ = "lint_answer"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        points_at("person", "person_id"),
        Index(
            "uq_lint_answer_mark",
            "trust_id",
            "policy_id",
            text("COALESCE(school_id, trust_id)"),
            "mark",
            unique=True,
        ),
        CheckConstraint("severity <> 'error' OR reason <> ''", name="waived_error_has_a_reason"),
        CheckConstraint("severity IN ('error', 'warning')", name="only_what_asks_is_answered"),
    )

    policy_id: Mapped[UUID]
    #: SHA-256 over the rule, its message and the words: `domain.lint.model.fingerprint`.
    mark: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(10))
    severity: Mapped[str] = mapped_column(String(20))
    #: "" where it is about the policy as a whole.
    clause_key: Mapped[str] = mapped_column(String(80), default="")
    #: How the clause was called then ("3.2"), and what was said.
    clause_label: Mapped[str] = mapped_column(String(80), default="")
    message: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    answered_at: Mapped[datetime]


class GuidanceReview(TrustRow):
    """A record of the dictionary was superseded while policies in force name it: they are to be looked at.

    Which clauses those are is not kept: it is read from what is in force, so it is always true.
    """

    __tablename__ = "guidance_review"
    __rules__ = (
        UniqueConstraint("trust_id", "record", name="uq_guidance_review_record"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_review_says_when"),
    )

    #: The id of the record in the dictionary.
    record: Mapped[str] = mapped_column(String(80))
    superseded_on: Mapped[date]
    #: open, closed
    state: Mapped[str] = mapped_column(String(10), default="open")
    opened_at: Mapped[datetime]
    #: The posts that are responsible for the policies that named it then.
    roles: Mapped[list[str]] = mapped_column(JSONB)
    #: How many clauses at how many places named it then.
    clauses: Mapped[int]
    places: Mapped[int]
    closed_at: Mapped[datetime | None]
    #: None: nothing in force names it any more, so the portal closed it.
    closed_by: Mapped[UUID | None]
    closing_note: Mapped[str] = mapped_column(default="")
