"""Beside cases: why advice is sought in one, figures of a term as they were frozen, the register of interests."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import TrustRow, points_at


class CaseHold(TrustRow):
    """Why somebody asked for advice before a letter goes out. Seen by them, and by jobs: in the case itself stands
    nothing of it, so that everybody else sees the same words whatever the reason.
    """

    __tablename__ = "case_hold"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("workflow_case", "case_id"),
        Index("ix_case_hold_case", "trust_id", "case_id"),
    )

    person_id: Mapped[UUID]
    #: The case that waits; an id that opens nothing for whoever takes no part in it.
    case_id: Mapped[UUID]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: Whether an allegation was opened from it.
    referred: Mapped[bool]
    made_at: Mapped[datetime]


class CaseFigure(TrustRow):
    """How many cases of one workflow began and ended in a term, for one person who oversees: what is about that
    person is left out, small numbers are gone already. Written once, when the term is over, and never changed.
    """

    __tablename__ = "case_figure"
    __rules__ = (
        points_at("person", "person_id"),
        UniqueConstraint("trust_id", "person_id", "term", "workflow", name="uq_case_figure_one"),
    )

    person_id: Mapped[UUID]
    #: "2026-3": the third term that ends in 2026, as `domain.oversight.Term` names it
    term: Mapped[str] = mapped_column(String(20))
    #: A workflow's key; "" for all together.
    workflow: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    position: Mapped[int]
    #: None: hidden, so that nobody can be worked out.
    began: Mapped[int | None]
    ended: Mapped[int | None]
    #: nearly_all, most, half, few; None where too few steps were due to say.
    in_time: Mapped[str | None] = mapped_column(String(20))
    frozen_at: Mapped[datetime]


class InterestEntry(TrustRow):
    """A tie that somebody declared and wanted to stand in the trust's register of interests, in their own words."""

    __tablename__ = "interest_entry"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("person", "other_id"),
        UniqueConstraint("trust_id", "tie_id", name="uq_interest_entry_tie"),
    )

    person_id: Mapped[UUID]
    other_id: Mapped[UUID]
    #: The declaration that it comes from.
    tie_id: Mapped[UUID]
    words: Mapped[str] = mapped_column(String(400))
    declared_on: Mapped[date]
    ended_on: Mapped[date | None]
