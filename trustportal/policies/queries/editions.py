"""Editions: of a place, in force on a day, to announce."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased, load_only

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.models import (
    Edition,
)
from trustportal.policies.queries.places import at_place, still_stands

#: What lists need of an edition; its trees are loaded where they are read.
EDITION_FACTS = (
    Edition.id,
    Edition.trust_id,
    Edition.school_id,
    Edition.policy_id,
    Edition.template_version_id,
    Edition.previous_id,
    Edition.state,
    Edition.major,
    Edition.minor,
    Edition.content_hash,
    Edition.material,
    Edition.reason,
    Edition.submitted_by,
    Edition.submitted_at,
    Edition.approved_at,
    Edition.effective_on,
    Edition.in_force_announced_at,
    Edition.pdf_hash,
)


def get_edition(edition_id: UUID, *, lock: bool = False) -> Edition:
    """An edition of a place that the scope sees."""
    statement = select(Edition).where(Edition.id == edition_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_editions(policy_id: UUID, school_id: UUID | None) -> Sequence[Edition]:
    """The approved editions of a place, newest first, without their trees."""
    return db.session.scalars(
        select(Edition)
        .options(load_only(*EDITION_FACTS, Edition.approvals, Edition.header, Edition.changes))
        .where(
            Edition.policy_id == policy_id,
            at_place(Edition.school_id, school_id),
            Edition.state == "approved",
        )
        .order_by(Edition.major.desc(), Edition.minor.desc())
    ).all()


def edition_numbers(policy_id: UUID, school_id: UUID | None) -> list[tuple[int, int]]:
    """The numbers of the approved editions of a place: (3, 2) for "3.2"."""
    rows = db.session.execute(
        select(Edition.major, Edition.minor).where(
            Edition.policy_id == policy_id,
            at_place(Edition.school_id, school_id),
            Edition.state == "approved",
        )
    )
    return [(row.major, row.minor or 0) for row in rows]


def find_latest_edition(policy_id: UUID, school_id: UUID | None) -> Edition | None:
    """The newest approved edition of a place, in force or coming into force."""
    return db.session.scalars(
        select(Edition)
        .where(
            Edition.policy_id == policy_id,
            at_place(Edition.school_id, school_id),
            Edition.state == "approved",
        )
        .order_by(Edition.major.desc(), Edition.minor.desc())
        .limit(1)
    ).one_or_none()


def find_edition_in_force(
    policy_id: UUID, school_id: UUID | None, on: date, *, whole: bool = True
) -> Edition | None:
    """What a place's policy says on a day; `whole` loads its trees too."""
    return db.session.scalars(
        select(Edition)
        .options(*(() if whole else (load_only(*EDITION_FACTS),)))
        .where(
            Edition.policy_id == policy_id,
            at_place(Edition.school_id, school_id),
            Edition.state == "approved",
            Edition.effective_on <= on,
            still_stands(on),
        )
        .order_by(Edition.major.desc(), Edition.minor.desc())
        .limit(1)
    ).one_or_none()


def get_edition_numbered(policy_id: UUID, school_id: UUID | None, major: int, minor: int) -> Edition:
    """An approved edition of a place by its number."""
    found = db.session.scalars(
        select(Edition).where(
            Edition.policy_id == policy_id,
            at_place(Edition.school_id, school_id),
            Edition.state == "approved",
            Edition.major == major,
            Edition.minor == minor,
        )
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_submitted_edition(policy_id: UUID, school_id: UUID | None, *, lock: bool = False) -> Edition | None:
    """The edition of a place that waits for its approver."""
    statement = select(Edition).where(
        Edition.policy_id == policy_id,
        at_place(Edition.school_id, school_id),
        Edition.state == "submitted",
    )
    if lock:
        statement = statement.with_for_update()
    return db.session.scalars(statement.order_by(Edition.submitted_at.desc()).limit(1)).one_or_none()


def editions_in_force(
    on: date,
    policy_ids: Collection[UUID] | None = None,
    *,
    school_ids: Collection[UUID | None] | None = None,
    whole: bool = False,
) -> Sequence[Edition]:
    """The edition in force of every policy at every visible place, in one query; `whole` loads the trees too."""
    later = aliased(Edition)
    same_place = or_(
        later.school_id == Edition.school_id, and_(later.school_id.is_(None), Edition.school_id.is_(None))
    )
    newer = (
        select(later.id)
        .where(
            later.trust_id == Edition.trust_id,
            later.policy_id == Edition.policy_id,
            same_place,
            later.state == "approved",
            later.effective_on <= on,
            func.row(later.major, later.minor) > func.row(Edition.major, Edition.minor),
        )
        .exists()
    )
    statement = select(Edition).where(
        Edition.state == "approved", Edition.effective_on <= on, ~newer, still_stands(on)
    )
    if not whole:
        statement = statement.options(load_only(*EDITION_FACTS))
    if policy_ids is not None:
        statement = statement.where(Edition.policy_id.in_(policy_ids))
    if school_ids is not None:
        named = [one for one in school_ids if one is not None]
        here = Edition.school_id.in_(named)
        statement = statement.where(or_(here, Edition.school_id.is_(None)) if None in school_ids else here)
    return db.session.scalars(statement).all()


def editions_to_announce(on: date) -> Sequence[Edition]:
    """Approved editions whose day has come and that have not been announced as in force, locked.

    One whose PDF is being stored is waited for: passed over, it would wait for the next day.
    """
    return db.session.scalars(
        select(Edition)
        .options(load_only(*EDITION_FACTS))
        .where(
            Edition.state == "approved", Edition.effective_on <= on, Edition.in_force_announced_at.is_(None)
        )
        .order_by(Edition.id)
        .with_for_update()
    ).all()


def list_editions_between(
    policy_id: UUID, school_id: UUID | None, after: Edition, to: Edition
) -> Sequence[Edition]:
    """The approved editions after one and up to another, in order."""
    return db.session.scalars(
        select(Edition)
        .options(load_only(*EDITION_FACTS))
        .where(
            Edition.policy_id == policy_id,
            at_place(Edition.school_id, school_id),
            Edition.state == "approved",
            func.row(Edition.major, Edition.minor) > func.row(after.major, after.minor),
            func.row(Edition.major, Edition.minor) <= func.row(to.major, to.minor),
        )
        .order_by(Edition.major, Edition.minor)
    ).all()
