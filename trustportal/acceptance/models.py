"""Campaigns, assignments and signatures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.acceptance.anchors import AuditAnchor as AuditAnchor
from trustportal.acceptance.anchors import AuditStamp as AuditStamp
from trustportal.acceptance.outside import CampaignDocument as CampaignDocument
from trustportal.acceptance.outside import OutsideDocument as OutsideDocument
from trustportal.acceptance.outside import OutsideEdition as OutsideEdition
from trustportal.acceptance.records import Absence as Absence
from trustportal.acceptance.records import Certificate as Certificate
from trustportal.acceptance.records import EvidencePack as EvidencePack
from trustportal.acceptance.records import LineManagement as LineManagement
from trustportal.acceptance.records import Question as Question
from trustportal.acceptance.records import Schedule as Schedule
from trustportal.acceptance.records import SigningCode as SigningCode
from trustportal.db import PlaceOwned, TrustRow, points_at


class Campaign(TrustRow):
    """One academic year's round: which policies, whom it asks, by when, and the words that they sign."""

    __tablename__ = "campaign"
    __rules__ = (
        CheckConstraint("due_on >= opens_on", name="campaign_is_due_after_it_opens"),
        CheckConstraint("joiner_days BETWEEN 1 AND 90", name="joiners_have_some_days"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_campaign_has_its_time"),
        UniqueConstraint("trust_id", "academic_year", "title", name="uq_campaign_title"),
    )

    #: The year in which the academic year begins: 2026 for 2026–27.
    academic_year: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[str]] = mapped_column(JSONB)
    #: Ids of schools, and "trust" for the central team; empty: everywhere.
    places: Mapped[list[str]] = mapped_column(JSONB, default=list)
    #: May name {policy}, {edition} and {place}; see `acceptance.domain.statement`.
    statement: Mapped[str]
    opens_on: Mapped[date]
    due_on: Mapped[date]
    #: Days that a joiner has, counted from their first day; also whoever is asked after the due day.
    joiner_days: Mapped[int] = mapped_column(default=14)
    #: open, closed
    state: Mapped[str] = mapped_column(String(20))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class CampaignPolicy(TrustRow):
    """A policy that a campaign asks people to sign."""

    __tablename__ = "campaign_policy"
    __rules__ = (
        points_at("campaign", "campaign_id"),
        points_at("policy", "policy_id"),
        UniqueConstraint("trust_id", "campaign_id", "policy_id", name="uq_campaign_policy"),
    )
    campaign_id: Mapped[UUID]
    policy_id: Mapped[UUID]


#: What is asked for, or signed: a policy in its edition, or an outside document in one of its editions.
_ONE_TEXT = (
    "(policy_id IS NULL) = (edition_id IS NULL) AND (outside_id IS NULL) = (outside_edition_id IS NULL)"
    " AND (policy_id IS NULL) <> (outside_id IS NULL)"
)


class Assignment(PlaceOwned):
    """One person is asked to sign one policy at one place, or to confirm one outside document wherever they serve.
    An open one moves to the newest edition.
    """

    __tablename__ = "assignment"
    __rules__ = (
        points_at("campaign", "campaign_id"),
        points_at("policy", "policy_id"),
        points_at("person", "person_id"),
        points_at("edition", "edition_id"),
        points_at("outside_document", "outside_id"),
        points_at("outside_edition", "outside_edition_id"),
        points_at("school", "school_id"),
        CheckConstraint(_ONE_TEXT, name="assignment_asks_for_one_text"),
        CheckConstraint(
            "(state = 'closed') = (closed_because IS NOT NULL)", name="closed_assignment_says_why"
        ),
        # Nobody is asked twice at once for one policy at one place, whatever campaigns run.
        Index(
            "uq_assignment_open",
            "trust_id",
            "policy_id",
            text("COALESCE(school_id, trust_id)"),
            "person_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        # An outside document is the same everywhere: it is asked for once, wherever somebody serves.
        Index(
            "uq_assignment_outside_open",
            "trust_id",
            "outside_id",
            "person_id",
            unique=True,
            postgresql_where=text("state = 'open' AND outside_id IS NOT NULL"),
        ),
        Index("ix_assignment_person", "trust_id", "person_id", "state"),
        Index("ix_assignment_place", "trust_id", "campaign_id", "school_id", "state"),
    )

    campaign_id: Mapped[UUID]
    policy_id: Mapped[UUID | None]
    person_id: Mapped[UUID]
    edition_id: Mapped[UUID | None]
    outside_id: Mapped[UUID | None]
    outside_edition_id: Mapped[UUID | None]
    #: open, signed, closed
    state: Mapped[str] = mapped_column(String(20))
    #: annual, joiner, changed, returned
    cause: Mapped[str] = mapped_column(String(20))
    due_on: Mapped[date]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    #: left, ended, replaced, withdrawn: `acceptance.domain.planning.Because` says when
    closed_because: Mapped[str | None] = mapped_column(String(20))
    reminded_on: Mapped[date | None]
    #: Since when signing waits for somebody who is away; nobody is reminded of it, and it is not late.
    paused_on: Mapped[date | None]
    #: Who was told that it is late: 0 nobody, 1 the line manager, 2 the head, 3 the trust.
    escalated: Mapped[int] = mapped_column(default=0)


class CampaignPerson(PlaceOwned):
    """How one person stands in a campaign at one place, from a day to a day on which they hold the same roles there.

    Made from memberships and assignments, for counting many people at once; only functions of the database write it:
    `count_people` when a place or a person is planned, and a trigger with every assignment that changes.
    """

    __tablename__ = "campaign_person"
    __rules__ = (
        points_at("campaign", "campaign_id"),
        points_at("person", "person_id"),
        points_at("school", "school_id"),
        Index(
            "uq_campaign_person_span",
            "trust_id",
            text("COALESCE(school_id, trust_id)"),
            "person_id",
            "campaign_id",
            "from_on",
            unique=True,
        ),
        Index("ix_campaign_person_place", "trust_id", "campaign_id", "school_id"),
    )

    campaign_id: Mapped[UUID]
    person_id: Mapped[UUID]
    #: `acceptance.domain.counting`: all that they hold, whoever the campaign asks.
    roles: Mapped[int]
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    #: Whether anything is asked of them: of nobody who is away, and nothing that was closed before the campaign was.
    counts: Mapped[bool]
    #: The earliest day by which something is due that they have not signed; None when nothing is.
    owed_by: Mapped[date | None]


class Signature(PlaceOwned):
    """Evidence that a person agreed to an edition. Only added: nobody, the portal included, can change one.

    `acceptance.domain.evidence.record_to_sign` rebuilds from these columns alone what `record_hash` is the hash of.
    """

    __tablename__ = "signature"
    __rules__ = (
        points_at("assignment", "assignment_id"),
        points_at("edition", "edition_id"),
        points_at("outside_document", "outside_id"),
        points_at("outside_edition", "outside_edition_id"),
        points_at("person", "person_id"),
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        CheckConstraint(_ONE_TEXT, name="signature_is_of_one_text"),
        CheckConstraint("(policy_id IS NULL) = (pdf_hash IS NULL)", name="signed_policy_has_its_pdf"),
        UniqueConstraint("trust_id", "assignment_id", name="uq_signature_assignment"),
        Index(
            "ix_signature_outside",
            "trust_id",
            "outside_id",
            "person_id",
            postgresql_where=text("outside_id IS NOT NULL"),
        ),
        Index("ix_signature_person", "trust_id", "person_id", "policy_id"),
        Index("ix_signature_place", "trust_id", "school_id", "policy_id"),
    )

    assignment_id: Mapped[UUID]
    policy_id: Mapped[UUID | None]
    #: Of the policy, or of the outside document.
    policy_title: Mapped[str] = mapped_column(String(200))
    edition_id: Mapped[UUID | None]
    edition_label: Mapped[str] = mapped_column(String(40))
    #: Of the edition's words; of an outside document, its record's.
    content_hash: Mapped[str] = mapped_column(String(64))
    #: Of an outside document the portal has none.
    pdf_hash: Mapped[str | None] = mapped_column(String(64))
    outside_id: Mapped[UUID | None]
    outside_edition_id: Mapped[UUID | None]
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    #: The roles held at the place, with what the place called them: [{"role", "label"}]
    roles: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    place_name: Mapped[str] = mapped_column(String(200))
    academic_year: Mapped[int]
    statement: Mapped[str]
    #: SHA-256 of the statement: what the form showed.
    statement_version: Mapped[str] = mapped_column(String(64))
    signed_at: Mapped[datetime]
    #: How and when the person had signed in.
    method: Mapped[str] = mapped_column(String(40))
    authenticated_at: Mapped[datetime | None]
    #: For paper: {"recorder", "recorder_name", "signed_on", "kept", "scan_sha256"}.
    witness: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    #: Of the form of the record that was hashed; see `acceptance.domain.evidence`.
    record_version: Mapped[int] = mapped_column(default=2)
    record_hash: Mapped[str] = mapped_column(String(64))
    #: The id of the audit event that records this signature in the trust's chain.
    audit_event_id: Mapped[UUID]


class SignatureTrace(PlaceOwned):
    """The browser of a signature: kept apart from the signed record, and disposed of after twelve months."""

    __tablename__ = "signature_trace"
    __rules__ = (points_at("signature", "signature_id"), points_at("school", "school_id"))
    signature_id: Mapped[UUID]
    user_agent: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime]
