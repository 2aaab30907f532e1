"""Policies, template versions and their drafts, a school's answers, editions; whoever imports this has every table of
policies.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import PlaceOwned, SchoolOwned, TrustOwned, TrustRow, points_at
from trustportal.policies import governance_models as governance_models


class Policy(PlaceOwned):
    """A policy of the trust (a template that schools inherit), or of one school. Its header lives in its versions.

    `school_id`: the school that wrote it for itself; None for the trust's.
    """

    __tablename__ = "policy"
    __rules__ = (
        UniqueConstraint("trust_id", "slug", name="uq_policy_slug"),
        points_at("school", "school_id"),
        CheckConstraint(
            "(withdrawn_on IS NULL) = (withdrawn_because IS NULL)", name="withdrawn_policy_says_why"
        ),
    )

    slug: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(200))
    numbering: Mapped[str] = mapped_column(String(20))
    #: "all" schools, or "some": those of `policy_place`.
    places: Mapped[str] = mapped_column(String(10), default="all")
    public: Mapped[bool] = mapped_column(default=True)
    #: The stages of approval of a template version, and of a school's edition; see `policies.domain.approval`.
    route: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    #: From this day on it is in force nowhere; nothing of it is deleted. The reason is the public notice.
    withdrawn_on: Mapped[date | None]
    withdrawn_because: Mapped[str | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]


class PolicyPlace(PlaceOwned):
    """Where a policy applies when it does not apply to all schools."""

    __tablename__ = "policy_place"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        Index("uq_policy_place", "trust_id", "policy_id", text("COALESCE(school_id, trust_id)"), unique=True),
    )
    policy_id: Mapped[UUID]


class ImportReading(TrustRow):
    """What the importer read in a file, until a person has corrected it and made it a draft. Nothing else is saved."""

    __tablename__ = "import_reading"
    __rules__ = (points_at("person", "person_id"), points_at("policy", "policy_id"))

    person_id: Mapped[UUID]
    policy_id: Mapped[UUID | None]
    filename: Mapped[str] = mapped_column(String(200))
    source_hash: Mapped[str] = mapped_column(String(64))
    reading: Mapped[dict[str, Any]] = mapped_column(JSONB)
    row_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ClauseText(TrustOwned):
    """A clause's words, stored once per trust and shared by all versions and editions. `words`: {heading, text}."""

    __tablename__ = "clause_text"
    __table_args__ = (
        ForeignKeyConstraint(["trust_id"], ["trust.id"]),
        Index("ix_clause_text_searched", "searched", postgresql_using="gin"),
        Index(
            "ix_clause_text_inside",
            literal_column("((heading::text || ' '::text) || text::text)").label("said"),
            postgresql_using="gin",
            postgresql_ops={"said": "trigrams.gin_trgm_ops"},
        ),
    )
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    heading: Mapped[str]
    text: Mapped[str]
    #: The words as full-text search knows them, worked out by PostgreSQL once, when they are written.
    searched: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('english'::regconfig, ((heading)::text || ' '::text) || (text)::text)",
            persisted=True,
        ),
        nullable=True,
        deferred=True,
    )


class TemplateVersion(PlaceOwned):
    """The trust's text. While a draft its clauses are rows of `draft_clause`; when it is submitted it is frozen.

    `school_id`: as its policy's; what a school writes for itself has the reach of that school.
    """

    __tablename__ = "template_version"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        points_at("template_version", "based_on_id"),
        UniqueConstraint("trust_id", "policy_id", "number", name="uq_template_version_number"),
        Index(
            "uq_template_version_one_draft",
            "trust_id",
            "policy_id",
            unique=True,
            postgresql_where=text("state IN ('draft', 'submitted', 'approved')"),
        ),
        CheckConstraint("state <> 'published' OR number IS NOT NULL", name="published_version_has_a_number"),
    )

    policy_id: Mapped[UUID]
    based_on_id: Mapped[UUID | None]
    #: draft, submitted, approved, published, discarded
    state: Mapped[str] = mapped_column(String(20))
    number: Mapped[int | None]
    header: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: The frozen tree, with the hash of each clause's words: [{key, parent, kind, mode, needs_agreement, words}]
    tree: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    content_hash: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(default="")
    #: {clause key: {"weight": "editorial"|"material", "reason": "…"}}
    marks: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    author_ids: Mapped[list[str]] = mapped_column(JSONB, default=list)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    submitted_by: Mapped[UUID | None]
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None]
    published_at: Mapped[datetime | None]
    effective_on: Mapped[date | None]
    #: By when schools are asked to decide their conflicts; afterwards the trust may force its text.
    decide_by: Mapped[date | None]
    row_version: Mapped[int] = mapped_column(default=1)
    #: The draft on paper, with its watermark, and the `row_version` that it shows.
    draft_pdf_hash: Mapped[str | None] = mapped_column(String(64))
    draft_pdf_of: Mapped[int | None]


class DraftClause(PlaceOwned):
    """One clause of a draft. `row_version` keeps two editors from overwriting each other.

    `school_id`: as its version's.
    """

    __tablename__ = "draft_clause"
    __rules__ = (
        points_at("template_version", "version_id", ondelete="CASCADE"),
        points_at("school", "school_id"),
        UniqueConstraint("trust_id", "version_id", "key", name="uq_draft_clause_key"),
        UniqueConstraint(
            "trust_id",
            "version_id",
            "position",
            name="uq_draft_clause_position",
            deferrable=True,
            initially="DEFERRED",
        ),
    )

    version_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(String(80))
    parent_key: Mapped[str | None] = mapped_column(String(80))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    heading: Mapped[str]
    text: Mapped[str]
    mode: Mapped[str] = mapped_column(String(20))
    needs_agreement: Mapped[bool] = mapped_column(default=False)
    row_version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]


class Standing(PlaceOwned):
    """Where a place stands with a policy: the version that its answers are made against. Its row is the lock."""

    __tablename__ = "standing"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        points_at("template_version", "version_id"),
        Index(
            "uq_standing_place", "trust_id", "policy_id", text("COALESCE(school_id, trust_id)"), unique=True
        ),
    )

    policy_id: Mapped[UUID]
    version_id: Mapped[UUID]
    #: A value changed, or was missing: an edition waits to be released by the head.
    release_due: Mapped[bool] = mapped_column(default=False)
    #: Names of placeholders without a value that keep this place from its edition.
    missing: Mapped[list[str]] = mapped_column(JSONB, default=list)
    #: Who changed the working answers since the newest edition was approved: none of them votes on it.
    author_ids: Mapped[list[str]] = mapped_column(JSONB, default=list)


class Override(SchoolOwned):
    """A school's working answer about one clause; what an edition said is frozen in the edition."""

    __tablename__ = "override"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        UniqueConstraint("trust_id", "school_id", "policy_id", "clause_key", name="uq_override_clause"),
        CheckConstraint("reason <> ''", name="override_has_a_reason"),
        CheckConstraint("answer IN ('replace', 'leave_out')", name="override_answers"),
    )

    policy_id: Mapped[UUID]
    clause_key: Mapped[str] = mapped_column(String(80))
    answer: Mapped[str] = mapped_column(String(20))
    #: None: as the trust's.
    heading: Mapped[str | None]
    text: Mapped[str | None]
    reason: Mapped[str]
    weight: Mapped[str] = mapped_column(String(20), default="material")
    #: The trust's words that this answer was made against.
    base_heading: Mapped[str] = mapped_column(default="")
    base_text: Mapped[str] = mapped_column(default="")
    row_version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]


class AddedClause(SchoolOwned):
    """A clause that a school adds after one of the trust's (or after another of its own)."""

    __tablename__ = "added_clause"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        UniqueConstraint("trust_id", "school_id", "policy_id", "key", name="uq_added_clause_key"),
        CheckConstraint("reason <> ''", name="added_clause_has_a_reason"),
    )

    policy_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(String(80))
    after_key: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(default=0)
    heading: Mapped[str] = mapped_column(default="")
    text: Mapped[str]
    reason: Mapped[str]
    weight: Mapped[str] = mapped_column(String(20), default="material")
    row_version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]


class Edition(PlaceOwned):
    """What one place's policy says. Frozen from the start: only its state moves on."""

    __tablename__ = "edition"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        points_at("template_version", "template_version_id"),
        points_at("edition", "previous_id"),
        Index(
            "uq_edition_number",
            "trust_id",
            "policy_id",
            text("COALESCE(school_id, trust_id)"),
            "major",
            "minor",
            unique=True,
            postgresql_where=text("state = 'approved'"),
        ),
        Index("ix_edition_place", "trust_id", "school_id", "policy_id", "state", "effective_on"),
        Index("ix_edition_content", "content_hash"),
        Index("ix_edition_announced", "trust_id", "in_force_announced_at"),
        # Which editions say some words: a thousand editions share them by hash.
        Index("ix_edition_words", text("words_said(tree)"), postgresql_using="gin"),
        CheckConstraint(
            "state <> 'approved' OR (effective_on IS NOT NULL AND approved_at IS NOT NULL AND minor IS NOT NULL)",
            name="approved_edition_has_its_dates",
        ),
    )

    policy_id: Mapped[UUID]
    template_version_id: Mapped[UUID]
    previous_id: Mapped[UUID | None]
    #: submitted, approved, returned, withdrawn
    state: Mapped[str] = mapped_column(String(20))
    major: Mapped[int]
    minor: Mapped[int | None]
    header: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: How the place was called when the edition was made: it is part of the content hash.
    place_name: Mapped[str] = mapped_column(String(200))
    #: The resolved, numbered tree: [{key, parent, kind, number, label, origin, mode, words, template_words, reason…}]
    tree: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: The school's answers as they were: {"overrides": […], "added": […]}
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    values: Mapped[dict[str, str]] = mapped_column(JSONB)
    content_hash: Mapped[str] = mapped_column(String(64))
    #: Rows of the change log against the previous edition.
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    material: Mapped[bool]
    reason: Mapped[str]
    submitted_by: Mapped[UUID | None]
    submitted_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    #: Who approved it, as it is printed: [{"body", "by", "on", "minute", "method"}]
    approvals: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    effective_on: Mapped[date | None]
    in_force_announced_at: Mapped[datetime | None]
    pdf_hash: Mapped[str | None] = mapped_column(String(64))


class VersionPdf(TrustRow):
    """The stored PDF of a template version; made once."""

    __tablename__ = "version_pdf"
    __rules__ = (
        points_at("template_version", "version_id"),
        UniqueConstraint("trust_id", "version_id", name="uq_version_pdf_version"),
    )
    version_id: Mapped[UUID]
    blob_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]


# At the end, since they point at the tables above.
from trustportal.policies import ending_models as ending_models  # noqa: E402
from trustportal.policies import import_models as import_models  # noqa: E402
from trustportal.policies import lint_models as lint_models  # noqa: E402
from trustportal.policies.approval_models import (  # noqa: E402
    ApprovalDecision,
    ApprovalMember,
    ApprovalRun,
)
from trustportal.policies.outlook_models import Outlook, OutlookPlace, RedlinePdf  # noqa: E402
from trustportal.policies.publishing_models import (  # noqa: E402
    Publication,
    PublicationPlace,
    Reconcile,
    ReconcileClause,
)

__all__ = [
    "AddedClause",
    "ApprovalDecision",
    "ApprovalMember",
    "ApprovalRun",
    "ClauseText",
    "DraftClause",
    "Edition",
    "ImportReading",
    "Outlook",
    "OutlookPlace",
    "Override",
    "Policy",
    "PolicyPlace",
    "Publication",
    "PublicationPlace",
    "Reconcile",
    "ReconcileClause",
    "RedlinePdf",
    "Standing",
    "TemplateVersion",
    "VersionPdf",
]
