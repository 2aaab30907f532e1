"""Tables of bringing policies in: a joining school's own policy beside the trust's, and many files in one ZIP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import SchoolOwned, TrustRow, points_at


class Joining(SchoolOwned):
    """A school's own policy, laid beside one version of the trust's until its head has decided each proposal."""

    __tablename__ = "joining"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        points_at("template_version", "version_id"),
        Index(
            "uq_joining_open",
            "trust_id",
            "school_id",
            "policy_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    policy_id: Mapped[UUID]
    version_id: Mapped[UUID]
    filename: Mapped[str] = mapped_column(String(200))
    #: open, done, given_up
    state: Mapped[str] = mapped_column(String(20), default="open")
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class JoiningPair(SchoolOwned):
    """One clause of the school's beside one of the trust's, what is proposed, and what the head decided."""

    __tablename__ = "joining_pair"
    __rules__ = (
        points_at("joining", "joining_id"),
        UniqueConstraint("trust_id", "joining_id", "position", name="uq_joining_pair_position"),
        CheckConstraint("choice IS NULL OR choice IN ('accept', 'drop')", name="joining_choices"),
        CheckConstraint("choice <> 'accept' OR reason <> ''", name="accepted_pair_has_a_reason"),
        CheckConstraint("(choice IS NULL) = (decided_at IS NULL)", name="decided_pair_has_its_time"),
        CheckConstraint("prepared IS NULL OR prepared IN ('accept', 'drop')", name="prepared_choices"),
        CheckConstraint(
            "(prepared IS NULL) = (prepared_by IS NULL) AND (prepared IS NULL) = (prepared_at IS NULL)",
            name="prepared_pair_says_by_whom",
        ),
    )

    joining_id: Mapped[UUID]
    position: Mapped[int]
    #: same, similar, theirs, missing: `policies.domain.joining` names them
    kin: Mapped[str] = mapped_column(String(20))
    clause_key: Mapped[str | None] = mapped_column(String(80))
    #: nothing, replace, add; and after which of the trust's clauses it would be added
    proposal: Mapped[str] = mapped_column(String(20))
    anchor_key: Mapped[str] = mapped_column(String(80), default="")
    #: How alike, from 0 to 100.
    score: Mapped[int] = mapped_column(default=0)
    #: The school's words, as they were imported, and as its head takes them over.
    label: Mapped[str] = mapped_column(default="")
    own_heading: Mapped[str] = mapped_column(default="")
    own_text: Mapped[str] = mapped_column(default="")
    heading: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    choice: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    #: What the trust's office suggests to the head; it stays when the head has decided.
    prepared: Mapped[str | None] = mapped_column(String(20))
    prepared_by: Mapped[UUID | None]
    prepared_at: Mapped[datetime | None]
    row_version: Mapped[int] = mapped_column(default=1)


class ImportBatch(TrustRow):
    """A ZIP of policies that somebody brought; seen by whoever brought it."""

    __tablename__ = "import_batch"
    __rules__ = (points_at("person", "person_id"),)

    person_id: Mapped[UUID]
    filename: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class ImportEntry(TrustRow):
    """One file of a ZIP on its way through the correction queue."""

    __tablename__ = "import_entry"
    __rules__ = (
        points_at("import_batch", "batch_id"),
        points_at("import_reading", "reading_id"),
        UniqueConstraint("trust_id", "batch_id", "position", name="uq_import_entry_position"),
    )

    batch_id: Mapped[UUID]
    position: Mapped[int]
    filename: Mapped[str] = mapped_column(String(200))
    #: The file until it has been read; nothing of it is kept afterwards but the reading.
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    #: waiting, read, refused, dropped; that it was corrected or saved, its reading says
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    reason: Mapped[str] = mapped_column(default="")
    reading_id: Mapped[UUID | None]
    changed_at: Mapped[datetime]
