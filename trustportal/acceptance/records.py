"""What happens around signing: questions, absences, one-time codes, certificates, evidence packs, the trust's schedule.

Part of the models' room; `models` imports it, so that a worker knows these tables before its first job.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import PlaceOwned, TrustRow, points_at


class Question(PlaceOwned):
    """What somebody asked instead of signing, or that they refuse to; with whom it is, and the answer."""

    __tablename__ = "signing_question"
    __rules__ = (
        points_at("assignment", "assignment_id"),
        points_at("person", "person_id"),
        points_at("school", "school_id"),
        CheckConstraint(
            "(state = 'answered') = (answered_at IS NOT NULL)", name="answered_question_has_its_time"
        ),
        Index("ix_signing_question_place", "trust_id", "school_id", "state"),
        Index("ix_signing_question_assignment", "trust_id", "assignment_id"),
    )

    assignment_id: Mapped[UUID]
    person_id: Mapped[UUID]
    #: question, refusal
    kind: Mapped[str] = mapped_column(String(20))
    words: Mapped[str]
    #: The ids of those who are asked to answer.
    routed_to: Mapped[list[str]] = mapped_column(JSONB)
    #: open, answered
    state: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]


class Absence(PlaceOwned):
    """Somebody is away from a place for long: signing waits for them. Why they are away is nobody's business here."""

    __tablename__ = "absence"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("school", "school_id"),
        CheckConstraint("to_on IS NULL OR to_on >= from_on", name="absence_ends_after_it_begins"),
        Index("ix_absence_place", "trust_id", "school_id", "person_id"),
    )

    person_id: Mapped[UUID]
    from_on: Mapped[date]
    #: The last day away; None: it is not known yet.
    to_on: Mapped[date | None]
    recorded_by: Mapped[UUID | None]
    recorded_at: Mapped[datetime]


class LineManagement(PlaceOwned):
    """Who manages somebody at a place: asked first, and told first when something is late."""

    __tablename__ = "line_management"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("person", "manager_id"),
        points_at("school", "school_id"),
        CheckConstraint("person_id <> manager_id", name="nobody_manages_themself"),
        Index(
            "uq_line_management_person",
            "trust_id",
            text("COALESCE(school_id, trust_id)"),
            "person_id",
            unique=True,
        ),
    )

    person_id: Mapped[UUID]
    manager_id: Mapped[UUID]


class SigningCode(PlaceOwned):
    """A printed code with which one person without e-mail signs once at a shared device. Only its hash is kept."""

    __tablename__ = "signing_code"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("school", "school_id"),
        UniqueConstraint("code_hash", name="uq_signing_code_hash"),
        Index("ix_signing_code_place", "trust_id", "school_id", "person_id"),
    )

    person_id: Mapped[UUID]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: When somebody sat down with it; it opens no second sitting.
    used_at: Mapped[datetime | None]
    #: When it was replaced by another, or taken back.
    ended_at: Mapped[datetime | None]


class Certificate(PlaceOwned):
    """The stored PDF of one signature. `paper` is all that stands on it, so that it can be made again exactly."""

    __tablename__ = "signing_certificate"
    __rules__ = (
        points_at("signature", "signature_id"),
        points_at("person", "person_id"),
        points_at("school", "school_id"),
        UniqueConstraint("trust_id", "signature_id", name="uq_signing_certificate_signature"),
    )

    signature_id: Mapped[UUID]
    person_id: Mapped[UUID]
    paper: Mapped[dict[str, Any]] = mapped_column(JSONB)
    pdf_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]


class EvidencePack(PlaceOwned):
    """All the evidence of one place and academic year in one file, made in steps; the page shows how far it is."""

    __tablename__ = "evidence_pack"
    __rules__ = (points_at("school", "school_id"),)

    academic_year: Mapped[int]
    #: making, ready, failed
    state: Mapped[str] = mapped_column(String(20))
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    #: What could not be done, in words.
    faults: Mapped[list[str]] = mapped_column(JSONB, default=list)
    blob_hash: Mapped[str | None] = mapped_column(String(64))
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Schedule(TrustRow):
    """When a trust reminds and whom it tells about the late; see `acceptance.domain.chasing.Schedule`. One a trust."""

    __tablename__ = "signing_schedule"
    __rules__ = (UniqueConstraint("trust_id", name="uq_signing_schedule_trust_id"),)

    choices: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]


__all__ = [
    "Absence",
    "Certificate",
    "EvidencePack",
    "LineManagement",
    "Question",
    "Schedule",
    "SigningCode",
]
