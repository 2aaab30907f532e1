"""Trusts, schools, people, memberships, placeholders; accounts and sessions, which belong to no trust."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.access import Role
from trustportal.db import Identified, Model, PlaceOwned, TrustRow, points_at
from trustportal.kernel_models import Account as Account


class Trust(Identified):
    """A multi-academy trust: the hard boundary. Row-level security shows only the one of the scope."""

    __tablename__ = "trust"

    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    colour: Mapped[str] = mapped_column(String(7), default="#1f4b7a")
    logo_hash: Mapped[str | None] = mapped_column(String(64))
    #: Role labels of the trust, approval routes and other choices; see `tenants.domain.TrustSettings`.
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[datetime]


class School(TrustRow):
    """A school of a trust, from a day to a day."""

    __tablename__ = "school"
    __rules__ = (
        UniqueConstraint("trust_id", "slug", name="uq_school_slug"),
        CheckConstraint("closes_on IS NULL OR closes_on > joined_on", name="school_closes_after_it_joins"),
    )

    slug: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(200))
    short_name: Mapped[str] = mapped_column(String(80))
    phase: Mapped[str] = mapped_column(String(40), default="")
    joined_on: Mapped[date]
    closes_on: Mapped[date | None]
    #: Since when it is live; None while it is being set up: it publishes nothing, and asks nobody to sign.
    started_at: Mapped[datetime | None]
    #: Where it went when it left, for its public pages: words, and an address of its own ("" for none).
    went_to: Mapped[str] = mapped_column(String(200), default="")
    went_to_url: Mapped[str] = mapped_column(String(300), default="")
    #: How this school calls its posts: {"headteacher": "Head of School"}.
    role_labels: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)


class Person(TrustRow):
    """Somebody of one trust. May have no e-mail and no account."""

    __tablename__ = "person"
    __rules__ = (
        UniqueConstraint("trust_id", "account_id", name="uq_person_account"),
        UniqueConstraint("trust_id", "email", name="uq_person_email"),
        Index("ix_person_account", "account_id"),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(320))
    job_title: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]


class Membership(PlaceOwned):
    """A person's role at the trust (`school_id` None) or at a school, from a day to a day (both included)."""

    __tablename__ = "membership"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("school", "school_id"),
        CheckConstraint("to_on IS NULL OR to_on >= from_on", name="membership_ends_after_it_begins"),
        Index("ix_membership_person", "trust_id", "person_id"),
        Index("ix_membership_place", "trust_id", "school_id", "role"),
    )

    person_id: Mapped[UUID]
    role: Mapped[Role] = mapped_column(String(40))
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    acting: Mapped[bool] = mapped_column(default=False)


class Invitation(TrustRow):
    """A one-time link by which a person makes their account. Only the hash of its token is kept."""

    __tablename__ = "invitation"
    __rules__ = (points_at("person", "person_id"), UniqueConstraint("token_hash", name="uq_invitation_token"))

    person_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    invited_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Placeholder(TrustRow):
    """A named slot that the trust defines and every place fills once."""

    __tablename__ = "placeholder"
    __rules__ = (UniqueConstraint("trust_id", "name", name="uq_placeholder_name"),)

    name: Mapped[str] = mapped_column(String(80))
    label: Mapped[str] = mapped_column(String(200))
    hint: Mapped[str] = mapped_column(String(400), default="")
    example: Mapped[str] = mapped_column(String(200), default="")


class PlaceholderValue(PlaceOwned):
    """What a place put into a slot. Built-in slots (school.name, role.*) have no row: they come from the settings."""

    __tablename__ = "placeholder_value"
    __rules__ = (
        points_at("school", "school_id"),
        Index(
            "uq_placeholder_value_place",
            "trust_id",
            text("COALESCE(school_id, trust_id)"),
            "name",
            unique=True,
        ),
    )

    name: Mapped[str] = mapped_column(String(80))
    value: Mapped[str] = mapped_column(String(400))
    changed_at: Mapped[datetime]


class SignInFailure(Model):
    """A failed try, by account and by address; in PostgreSQL, so that the limit holds when the queue server is down."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index("ix_sign_in_failure_key_at", "key", "at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: SHA-256 of what is counted ("account:…", "address:…", "mail:…"): no address lies here in clear.
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
