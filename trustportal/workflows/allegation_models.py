"""What allegations keep besides a case: who receives them, what was recorded, receipts, and consents to dispose."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import TrustRow, points_at


class AllegationRouting(TrustRow):
    """Who receives an allegation about whom, as the trust decided: proposed by one person, approved by a trustee.

    The newest approved one counts; before there is any, what comes with the portal does.
    """

    __tablename__ = "allegation_routing"
    __rules__ = (
        points_at("person", "proposed_by"),
        points_at("person", "decided_by"),
        UniqueConstraint("trust_id", "number", name="uq_allegation_routing_number"),
        CheckConstraint("decided_by <> proposed_by", name="nobody_approves_their_own_table"),
        CheckConstraint("(state = 'approved') = (number IS NOT NULL)", name="approved_table_has_a_number"),
        Index(
            "uq_allegation_routing_proposed",
            "trust_id",
            unique=True,
            postgresql_where="state = 'proposed'",
        ),
    )

    #: proposed, approved, declined, withdrawn
    state: Mapped[str] = mapped_column(String(20))
    number: Mapped[int | None]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(String(400))
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(String(400))


class CaseReceipt(TrustRow):
    """The hash of a word that only whoever reported knows: with it they can add something, and nobody finds them."""

    __tablename__ = "case_receipt"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        UniqueConstraint("trust_id", "code_hash", name="uq_case_receipt_code"),
    )

    case_id: Mapped[UUID]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)


class CaseRecord(TrustRow):
    """Something that the case manager recorded (`workflows.domain.case_records`): sealed, and only ever added to."""

    __tablename__ = "case_record"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        points_at("person", "recorded_by"),
        Index("ix_case_record_case", "trust_id", "case_id"),
    )

    case_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(20))
    recorded_by: Mapped[UUID | None]
    recorded_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class DisposalAsk(TrustRow):
    """That somebody is asked to agree to a case being disposed of: two have to. Names nobody, and says no word of it.

    Once it is disposed of, this is what is left: reference, category, day, who agreed.
    """

    __tablename__ = "disposal_ask"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        points_at("person", "person_id"),
        Index(
            "uq_disposal_ask_open",
            "trust_id",
            "case_id",
            "seat",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
    )

    case_id: Mapped[UUID]
    person_id: Mapped[UUID]
    #: dpo, chair
    seat: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str] = mapped_column(String(20))
    #: Why it is due: `workflows.domain.keeping.Basis`
    basis: Mapped[str] = mapped_column(String(20))
    due_on: Mapped[date]
    asked_at: Mapped[datetime]
    #: agreed, refused; "" while it waits
    answer: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(400))
    answered_at: Mapped[datetime | None]
    #: Somebody else is asked instead, or the case was disposed of.
    ended_at: Mapped[datetime | None]
    disposed_at: Mapped[datetime | None]


class StandIn(TrustRow):
    """Who gives the data protection officer's consent to disposals where that post may not, as the chair of the trust
    board named them: beforehand, so that a name says nothing about any record.
    """

    __tablename__ = "stand_in"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("person", "named_by"),
        CheckConstraint("person_id <> named_by", name="nobody_names_themself"),
        Index("uq_stand_in_one", "trust_id", "person_id", unique=True, postgresql_where="ended_at IS NULL"),
    )

    person_id: Mapped[UUID]
    named_by: Mapped[UUID]
    named_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(400))
    ended_at: Mapped[datetime | None]
