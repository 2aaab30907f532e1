"""What a trust and its schools set: definitions in their versions, holidays, the key of its cases, ties."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import SchoolOwned, TrustRow, points_at


class WorkflowDefinition(TrustRow):
    """A workflow of a trust. What it says is in its versions."""

    __tablename__ = "workflow_definition"
    __rules__ = (UniqueConstraint("trust_id", "key", name="uq_workflow_definition_key"),)

    key: Mapped[str] = mapped_column(String(60))
    position: Mapped[int]
    #: Whether cases can be started.
    in_use: Mapped[bool]
    created_at: Mapped[datetime]


class WorkflowVersion(TrustRow):
    """What a workflow says: a draft, or published and then never changed. A case keeps the version it began with."""

    __tablename__ = "workflow_version"
    __rules__ = (
        points_at("workflow_definition", "definition_id"),
        UniqueConstraint("trust_id", "definition_id", "number", name="uq_workflow_version_number"),
        CheckConstraint("(state = 'draft') = (number IS NULL)", name="published_workflow_has_a_number"),
        Index(
            "uq_workflow_version_draft",
            "trust_id",
            "definition_id",
            unique=True,
            postgresql_where="state = 'draft'",
        ),
    )

    definition_id: Mapped[UUID]
    #: draft, published
    state: Mapped[str] = mapped_column(String(20))
    number: Mapped[int | None]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    content_hash: Mapped[str] = mapped_column(String(64))
    #: The hash of the definition that came with the portal, where this version is exactly that.
    shipped_hash: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(400), default="")
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    published_by: Mapped[UUID | None]
    published_at: Mapped[datetime | None]


class WorkflowOverride(SchoolOwned):
    """What one school set for itself in a workflow: `workflows.domain.editing.SchoolsOwn`."""

    __tablename__ = "workflow_override"
    __rules__ = (
        points_at("workflow_definition", "definition_id"),
        points_at("school", "school_id"),
        UniqueConstraint("trust_id", "definition_id", "school_id", name="uq_workflow_override_school"),
    )

    definition_id: Mapped[UUID]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]


class SchoolBreak(SchoolOwned):
    """A school holiday, both days included: it stops the deadlines whose definition says so."""

    __tablename__ = "school_break"
    __rules__ = (
        points_at("school", "school_id"),
        CheckConstraint("to_on >= from_on", name="break_ends_after_it_begins"),
    )

    name: Mapped[str] = mapped_column(String(80))
    from_on: Mapped[date]
    to_on: Mapped[date]


class TrustKey(TrustRow):
    """The key with which a trust's cases are sealed, itself sealed with the installation's."""

    __tablename__ = "trust_key"
    __rules__ = (UniqueConstraint("trust_id", name="uq_trust_key_one"),)

    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class Tie(TrustRow):
    """Two people who must not decide about each other, as `person_id` declared: seen by them, and by jobs."""

    __tablename__ = "tie"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("person", "other_id"),
        CheckConstraint("person_id <> other_id", name="tie_joins_two_people"),
    )

    person_id: Mapped[UUID]
    other_id: Mapped[UUID]
    #: related, leads (`person_id` leads `other_id`), led (the other way round)
    kind: Mapped[str] = mapped_column(String(20))
    declared_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
