"""Policies, template versions and their drafts, a school's answers, editions, approval runs, reconciles."""

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


class Reconcile(SchoolOwned):
    """A school's decisions about a new version of the trust's text, where any are needed."""

    __tablename__ = "reconcile"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        points_at("template_version", "from_version_id"),
        points_at("template_version", "to_version_id"),
        Index(
            "uq_reconcile_open",
            "trust_id",
            "school_id",
            "policy_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    policy_id: Mapped[UUID]
    from_version_id: Mapped[UUID]
    to_version_id: Mapped[UUID]
    #: open, decided, replaced, forced
    state: Mapped[str] = mapped_column(String(20))
    follows: Mapped[int] = mapped_column(default=0)
    due_on: Mapped[date | None]
    #: The day of the last reminder.
    reminded_on: Mapped[date | None]
    #: Why the trust forced its text.
    forced_reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ReconcileClause(SchoolOwned):
    """One clause of a reconcile that waits for the head, with its three texts, and the decision."""

    __tablename__ = "reconcile_clause"
    __rules__ = (
        points_at("reconcile", "reconcile_id"),
        UniqueConstraint("trust_id", "reconcile_id", "clause_key", name="uq_reconcile_clause_key"),
        CheckConstraint("(choice IS NULL) = (decided_at IS NULL)", name="decided_clause_has_a_choice"),
    )

    reconcile_id: Mapped[UUID]
    clause_key: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    #: conflict, merged, relocked, deleted, …: `policies.domain.rebase` names them
    situation: Mapped[str] = mapped_column(String(40))
    #: {"base": {heading, text}, "theirs": {…}, "ours": {…}, "merged": {…}|null, "answer": "replace"|…, "reason": …}
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    choice: Mapped[str | None] = mapped_column(String(20))
    written_heading: Mapped[str] = mapped_column(default="")
    written_text: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    row_version: Mapped[int] = mapped_column(default=1)


class ApprovalRun(PlaceOwned):
    """One submission on its way through the stages of its route. Votes are bound to `content_hash`."""

    __tablename__ = "approval_run"
    __rules__ = (
        points_at("template_version", "version_id"),
        points_at("edition", "edition_id"),
        points_at("policy", "policy_id"),
        CheckConstraint("(version_id IS NULL) <> (edition_id IS NULL)", name="run_judges_one_thing"),
        Index("ix_approval_run_open", "trust_id", "state"),
    )

    policy_id: Mapped[UUID]
    version_id: Mapped[UUID | None]
    edition_id: Mapped[UUID | None]
    content_hash: Mapped[str] = mapped_column(String(64))
    #: pending, approved, returned, withdrawn
    state: Mapped[str] = mapped_column(String(20))
    stage: Mapped[int] = mapped_column(default=0)
    #: The stages with their members as they were when it was submitted.
    stages: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: Who wrote what is judged, besides the submitter.
    author_ids: Mapped[list[str]] = mapped_column(JSONB, default=list)
    reason: Mapped[str]
    submitted_by: Mapped[UUID]
    submitted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApprovalMember(PlaceOwned):
    """Who is asked in a stage of a run; for «my tasks», and to find the runs of a person."""

    __tablename__ = "approval_member"
    __rules__ = (
        points_at("approval_run", "run_id"),
        points_at("person", "person_id"),
        UniqueConstraint("trust_id", "run_id", "stage", "person_id", name="uq_approval_member"),
        Index("ix_approval_member_person", "trust_id", "person_id"),
    )
    run_id: Mapped[UUID]
    stage: Mapped[int]
    person_id: Mapped[UUID]


class ApprovalDecision(PlaceOwned):
    """One member's decision, or one minuted decision of the body. Only added, never changed."""

    __tablename__ = "approval_decision"
    __rules__ = (
        points_at("approval_run", "run_id"),
        points_at("person", "person_id"),
        Index(
            "uq_approval_decision_vote",
            "trust_id",
            "run_id",
            "stage",
            "person_id",
            unique=True,
            postgresql_where=text("choice <> 'minuted'"),
        ),
        CheckConstraint("choice <> 'changes' OR comment <> ''", name="asking_for_changes_says_which"),
        CheckConstraint(
            "choice <> 'minuted' OR (minute_reference <> '' AND met_on IS NOT NULL)",
            name="minuted_decision_has_its_minute",
        ),
    )

    run_id: Mapped[UUID]
    stage: Mapped[int]
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    role_label: Mapped[str] = mapped_column(String(120))
    #: approve, changes, recuse, minuted
    choice: Mapped[str] = mapped_column(String(20))
    comment: Mapped[str] = mapped_column(default="")
    content_hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(String(200), default="")
    minute_reference: Mapped[str] = mapped_column(String(120), default="")
    met_on: Mapped[date | None]
    quorum_met: Mapped[bool | None]
    #: approved or returned, for a minuted decision
    outcome: Mapped[str] = mapped_column(String(20), default="")
    decided_at: Mapped[datetime]


class Publication(TrustRow):
    """Bringing one version to all its places, with progress: a page polls it."""

    __tablename__ = "publication"
    __rules__ = (
        points_at("template_version", "version_id"),
        UniqueConstraint("trust_id", "version_id", name="uq_publication_version"),
    )
    version_id: Mapped[UUID]
    started_at: Mapped[datetime]


class PublicationPlace(PlaceOwned):
    """What became of one place: follows, merged, to decide; written by that place's job."""

    __tablename__ = "publication_place"
    __rules__ = (
        points_at("publication", "publication_id"),
        Index(
            "uq_publication_place",
            "trust_id",
            "publication_id",
            text("COALESCE(school_id, trust_id)"),
            unique=True,
        ),
    )
    publication_id: Mapped[UUID]
    #: waiting, adopted, follows, unchanged, to_decide, values_missing
    outcome: Mapped[str] = mapped_column(String(20))
    #: Which clauses, and how heavy: as `policies.domain.outlook.Detail` writes it.
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    done_at: Mapped[datetime | None]


# At the end, since they point at the tables above.
from trustportal.policies import ending_models as ending_models  # noqa: E402
from trustportal.policies import import_models as import_models  # noqa: E402
from trustportal.policies import lint_models as lint_models  # noqa: E402
from trustportal.policies.outlook_models import Outlook, OutlookPlace, RedlinePdf  # noqa: E402

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
