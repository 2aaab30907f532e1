"""Tables of the kernel: outbox, schedule, audit trail, stored files, mail; accounts and sessions, which are global."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import Identified, Model, PlaceOwned, TrustOwned, TrustRow, points_at


class Outbox(TrustRow):
    """Work that follows from something that happened, written in the same transaction; done exactly once."""

    __tablename__ = "outbox"
    __rules__ = (
        Index("ix_outbox_undone", "created_at", postgresql_where="done_at IS NULL AND failed_at IS NULL"),
    )

    event: Mapped[str] = mapped_column(String(80))
    job: Mapped[str] = mapped_column(String(120))
    queue: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, str]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    dispatched_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    #: The class of the last failure, never its words: an exception's text can carry a person's name.
    last_error: Mapped[str | None] = mapped_column(String(120))


class ScheduleRun(TrustOwned):
    """One run of recurring work for one trust; unique, so that two clocks do it once."""

    __tablename__ = "schedule_run"
    __table_args__ = (ForeignKeyConstraint(["trust_id"], ["trust.id"]),)
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    slot: Mapped[str] = mapped_column(String(40), primary_key=True)
    run_at: Mapped[datetime]


class Heartbeat(Model):
    """When each process of the portal last said that it lives. Global: it belongs to the installation."""

    __tablename__ = "heartbeat"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]


class AuditEvent(TrustOwned):
    """One link of a trust's audit chain. `entry` is canonical JSON; `hash` covers the previous hash and it."""

    __tablename__ = "audit_event"
    __table_args__ = (
        ForeignKeyConstraint(["trust_id"], ["trust.id"]),
        UniqueConstraint("trust_id", "id", name="uq_audit_event_trust"),
    )
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(80))
    school_id: Mapped[UUID | None]
    entry: Mapped[str]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditPayload(TrustOwned):
    """What an audit event says. The chain holds only its salted hash, so that it can be disposed of."""

    __tablename__ = "audit_payload"
    __table_args__ = (ForeignKeyConstraint(["trust_id"], ["trust.id"]),)
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    school_id: Mapped[UUID | None]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    payload: Mapped[str]


class AuditHead(TrustOwned):
    """Where a trust's chain ends: finds truncation."""

    __tablename__ = "audit_head"
    __table_args__ = (ForeignKeyConstraint(["trust_id"], ["trust.id"]),)
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class Blob(TrustOwned):
    """A stored file, addressed by the SHA-256 of its bytes. Never changed."""

    __tablename__ = "blob"
    __table_args__ = (ForeignKeyConstraint(["trust_id"], ["trust.id"]),)
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime]


class Notice(PlaceOwned):
    """One thing to tell one person; notices to a person are gathered into one mail."""

    __tablename__ = "notice"
    __rules__ = (points_at("person", "person_id"), points_at("mail", "mail_id"))

    person_id: Mapped[UUID]
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str]
    path: Mapped[str] = mapped_column(String(400))
    created_at: Mapped[datetime]
    mail_id: Mapped[UUID | None]


class Mail(TrustRow):
    """One outgoing mail, from *queued* over *sending* to *sent*; its Message-ID stays when it is sent again."""

    __tablename__ = "mail"
    __rules__ = (points_at("person", "person_id"),)

    person_id: Mapped[UUID | None]
    to_address: Mapped[str] = mapped_column(String(320))
    to_name: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    message_id: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class DemonstrationMail(TrustRow):
    """A mail as the demonstration's mailbox shows it to everybody. Never written outside demonstration mode: there the
    web sees of the mails those to the person who is signed in, and nobody else's.
    """

    __tablename__ = "demonstration_mail"
    __rules__ = (
        points_at("mail", "mail_id"),
        UniqueConstraint("trust_id", "mail_id", name="uq_demonstration_mail_once"),
    )

    mail_id: Mapped[UUID]
    to_address: Mapped[str] = mapped_column(String(320))
    to_name: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(300))
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class Account(Identified):
    """How somebody signs in; global, since one human may serve in two trusts."""

    __tablename__ = "account"

    email: Mapped[str] = mapped_column(String(320), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    confirmed_at: Mapped[datetime | None]
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    #: The counter of the last code that was accepted: a code is good once.
    totp_last_counter: Mapped[int | None]
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(JSONB)
    create_datetime: Mapped[datetime]
    update_datetime: Mapped[datetime]


class WebSession(Identified):
    """A signed-in (or half signed-in) browser. The cookie carries a token; only its hash is kept here."""

    __tablename__ = "web_session"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    #: What Flask keeps in its session: CSRF token, flashes, Flask-Login's keys.
    content: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    authenticated_at: Mapped[datetime | None]
    method: Mapped[str] = mapped_column(String(40), default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="")
