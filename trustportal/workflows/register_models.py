"""The register of accounts: accounts in a school's name, their people, and what somebody has to see to."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import PlaceOwned, points_at


class RegisterEntry(PlaceOwned):
    """An account or site in the school's name. Never a password: `custodian_id` is who keeps the sign-in details."""

    __tablename__ = "register_entry"
    __rules__ = (
        points_at("school", "school_id"),
        points_at("person", "owner_id"),
        points_at("person", "custodian_id"),
        Index("ix_register_entry_school", "trust_id", "school_id", "closed_on"),
    )

    name: Mapped[str] = mapped_column(String(200))
    platform: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(400), default="")
    official_email: Mapped[str] = mapped_column(String(320), default="")
    purpose: Mapped[str]
    owner_id: Mapped[UUID | None]
    custodian_id: Mapped[UUID | None]
    approved_on: Mapped[date | None]
    go_live_on: Mapped[date]
    review_on: Mapped[date]
    closes_on: Mapped[date]
    checked_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    #: What became of the content and the sign-in details, and how it went.
    closing_note: Mapped[str] = mapped_column(String, default="")
    #: The case that approved it; opened only by those who take part in it.
    case_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class RegisterPerson(PlaceOwned):
    """An administrator or moderator of an account, from a day to a day."""

    __tablename__ = "register_person"
    __rules__ = (
        points_at("school", "school_id"),
        points_at("register_entry", "entry_id"),
        points_at("person", "person_id"),
        Index(
            "uq_register_person_one",
            "trust_id",
            "entry_id",
            "part",
            "person_id",
            unique=True,
            postgresql_where="to_on IS NULL",
        ),
    )

    entry_id: Mapped[UUID]
    person_id: Mapped[UUID]
    #: administrator, moderator
    part: Mapped[str] = mapped_column(String(20))
    from_on: Mapped[date]
    to_on: Mapped[date | None]


class RegisterFlag(PlaceOwned):
    """Something about an account that somebody has to see to; a task until it holds no more."""

    __tablename__ = "register_flag"
    __rules__ = (
        points_at("school", "school_id"),
        points_at("register_entry", "entry_id"),
        Index(
            "uq_register_flag_open",
            "trust_id",
            "entry_id",
            "kind",
            unique=True,
            postgresql_where="cleared_at IS NULL",
        ),
    )

    entry_id: Mapped[UUID]
    #: `workflows.domain.register.Flag`
    kind: Mapped[str] = mapped_column(String(40))
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
