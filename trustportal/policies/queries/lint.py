"""Answers to findings, reviews of superseded guidance, and which clauses in force name a record of the dictionary."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.lint_models import GuidanceReview, LintAnswer
from trustportal.policies.models import ClauseText, Edition
from trustportal.policies.queries.editions import editions_in_force


def list_lint_answers(policy_id: UUID, school_id: UUID | None) -> dict[str, LintAnswer]:
    """What was said about findings in a policy at a place, by the finding's mark."""
    place = LintAnswer.school_id.is_(None) if school_id is None else LintAnswer.school_id == school_id
    rows = db.session.scalars(select(LintAnswer).where(LintAnswer.policy_id == policy_id, place))
    return {row.mark: row for row in rows}


def list_guidance_reviews() -> Sequence[GuidanceReview]:
    """All reviews, newest first."""
    return db.session.scalars(
        select(GuidanceReview).order_by(GuidanceReview.opened_at.desc(), GuidanceReview.record)
    ).all()


def list_open_guidance_reviews() -> Sequence[GuidanceReview]:
    """The reviews that nobody has closed."""
    return db.session.scalars(
        select(GuidanceReview).where(GuidanceReview.state == "open").order_by(GuidanceReview.record)
    ).all()


def find_guidance_review(record: str, *, lock: bool = False) -> GuidanceReview | None:
    """The review of a record."""
    statement = select(GuidanceReview).where(GuidanceReview.record == record)
    return db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def get_guidance_review(review_id: UUID) -> GuidanceReview:
    """A review by its id."""
    found = db.session.scalars(select(GuidanceReview).where(GuidanceReview.id == review_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class WordsFound:
    """A clause's words as stored, under their hash."""

    hash: str
    heading: str
    text: str


def texts_with(needles: Collection[str]) -> list[WordsFound]:
    """The stored words in which one of these literals (in small letters) stands."""
    if not needles:
        return []
    rows = db.session.execute(
        select(ClauseText.hash, ClauseText.heading, ClauseText.text).where(
            or_(
                *(
                    func.lower(column).contains(needle, autoescape=True)
                    for needle in needles
                    for column in (ClauseText.text, ClauseText.heading)
                )
            )
        )
    )
    return [WordsFound(row.hash, row.heading, row.text) for row in rows]


@dataclass(frozen=True, slots=True)
class ClauseInForce:
    """A clause of an edition in force whose words were asked for."""

    policy_id: UUID
    school_id: UUID | None
    edition_id: UUID
    key: str
    label: str
    origin: str
    words: str


def clauses_in_force_with(hashes: Collection[str], on: date) -> list[ClauseInForce]:
    """Where the words with these hashes are in force on a day, at every visible place."""
    if not hashes:
        return []
    ids = [edition.id for edition in editions_in_force(on)]
    clause = func.jsonb_array_elements(Edition.tree, type_=JSONB).column_valued(
        "clause", joins_implicitly=True
    )
    rows = db.session.execute(
        select(
            Edition.policy_id,
            Edition.school_id,
            Edition.id,
            clause["key"].astext,
            clause["label"].astext,
            clause["origin"].astext,
            clause["words"].astext,
        ).where(
            Edition.id.in_(ids),
            clause["words"].astext.in_(list(hashes)),
            clause["origin"].astext != "left_out",
        )
    )
    return [ClauseInForce(*row) for row in rows]
