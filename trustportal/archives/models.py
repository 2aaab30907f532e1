"""Archives that were asked for, who has to agree where they hold cases, and their bytes until they expire.

Names, sizes and bytes are shown to whoever collects the archive alone: PostgreSQL sees to it (`Reach.OWN`), and to it
that an archive with cases is made only after two people agreed, each with a row of their own.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import TrustRow, points_at


class Archive(TrustRow):
    """A request for an archive, and how far it is. What was asked for never changes: the agreements are bound to it."""

    __tablename__ = "archive"
    __rules__ = (
        points_at("school", "school_id"),
        points_at("person", "asked_by"),
        points_at("person", "collector_id"),
        CheckConstraint("reason <> ''", name="archive_has_a_reason"),
        CheckConstraint(
            "state NOT IN ('making', 'ready') OR collector_id IS NOT NULL", name="archive_has_a_collector"
        ),
        Index("ix_archive_state", "trust_id", "state"),
    )

    #: None: of the whole trust.
    school_id: Mapped[UUID | None]
    with_cases: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(400))
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    #: Until when the two may agree, and the archive may be begun.
    decide_until: Mapped[datetime]
    #: waiting (for the two), making, ready; and how it ended: refused, withdrawn, lapsed, failed, removed
    state: Mapped[str] = mapped_column(String(20))
    #: How many of its chapters are written, of how many: the same numbers for every archive of its kind.
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    #: Who may take it: who asked, or with cases the data protection officer who agreed.
    collector_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ArchiveConsent(TrustRow):
    """That one of the two is asked about an archive with cases, and what they answered."""

    __tablename__ = "archive_consent"
    __rules__ = (
        points_at("archive", "archive_id"),
        points_at("person", "person_id"),
        UniqueConstraint("trust_id", "archive_id", "seat", name="uq_archive_consent_seat"),
        UniqueConstraint("trust_id", "archive_id", "person_id", name="uq_archive_consent_person"),
        CheckConstraint("seat IN ('dpo', 'chair')", name="consent_has_a_seat"),
        CheckConstraint("answer IN ('', 'agreed', 'refused')", name="consent_answers"),
        CheckConstraint("(answer = '') = (answered_at IS NULL)", name="answered_consent_has_its_time"),
    )

    archive_id: Mapped[UUID]
    person_id: Mapped[UUID]
    seat: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime]
    #: agreed, refused; "" while it waits
    answer: Mapped[str] = mapped_column(String(20))
    #: Why it was refused; read by who wrote it alone.
    reason: Mapped[str] = mapped_column(String(400))
    answered_at: Mapped[datetime | None]


class ArchiveFile(TrustRow):
    """One file inside an archive: what its directory and its manifest say of it."""

    __tablename__ = "archive_file"
    __rules__ = (
        points_at("archive", "archive_id"),
        points_at("person", "person_id"),
        UniqueConstraint("trust_id", "archive_id", "name", name="uq_archive_file_name"),
    )

    archive_id: Mapped[UUID]
    #: Who collects the archive.
    person_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    packed: Mapped[int] = mapped_column(BigInteger)
    crc: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[int]
    #: Where its header stands in the archive.
    starts_at: Mapped[int] = mapped_column(BigInteger)


class ArchivePiece(TrustRow):
    """Some bytes of an archive, in order, sealed: an archive never lies in clear."""

    __tablename__ = "archive_piece"
    __rules__ = (
        points_at("archive", "archive_id"),
        points_at("person", "person_id"),
        UniqueConstraint("trust_id", "archive_id", "number", name="uq_archive_piece_number"),
    )

    archive_id: Mapped[UUID]
    #: Who collects the archive.
    person_id: Mapped[UUID]
    number: Mapped[int]
    #: How many bytes it holds.
    size: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
