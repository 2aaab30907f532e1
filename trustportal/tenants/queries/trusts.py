"""The trust of the scope and its schools."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, text

from trustportal.db import current_scope, db
from trustportal.errors import NotFound
from trustportal.tenants import domain
from trustportal.tenants.models import (
    School,
    Trust,
)


def get_trust() -> Trust:
    """The trust of the scope. (`trust` is no trust-owned table: the filter is written here, and in the database.)"""
    scope = current_scope()
    found = (
        db.session.scalars(select(Trust).where(Trust.id == scope.trust_id)).one_or_none() if scope else None
    )
    if found is None:
        raise NotFound()
    return found


def get_settings() -> domain.TrustSettings:
    """What the trust has chosen."""
    return domain.TrustSettings.read(get_trust().settings)


def find_trust_id(slug: str) -> UUID | None:
    """The id of the trust with this slug, before any scope."""
    return db.session.execute(
        text("SELECT find_trust(:slug)"),
        {"slug": slug},
        execution_options={"unscoped_because": "no trust is known yet; the function returns one id"},
    ).scalar()


def list_schools(*, open_on: date | None = None) -> list[School]:
    """The schools that the scope can see, by name; with `open_on` only those that are of the trust on that day."""
    statement = select(School).order_by(School.name)
    if open_on is not None:
        statement = statement.where(
            School.joined_on <= open_on, or_(School.closes_on.is_(None), School.closes_on > open_on)
        )
    return list(db.session.scalars(statement))


def list_schools_being_set_up() -> list[School]:
    """The schools that are not live yet and have not left, by name."""
    return list(
        db.session.scalars(
            select(School)
            .where(School.started_at.is_(None), School.closes_on.is_(None))
            .order_by(School.name)
        )
    )


class SchoolNames(NamedTuple):
    """What a list of schools shows of each."""

    id: UUID
    slug: str
    name: str
    short_name: str


def name_schools() -> list[SchoolNames]:
    """As `list_schools`, for pages that show two hundred names and nothing else of them."""
    rows = db.session.execute(
        select(School.id, School.slug, School.name, School.short_name).order_by(School.name)
    )
    return [SchoolNames(*row) for row in rows]


def get_school(school_id: UUID, *, lock: bool = False) -> School:
    """A school by its id; with `lock`, so that nobody else changes it meanwhile."""
    statement = select(School).where(School.id == school_id)
    found = db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def get_school_and_trust(school_id: UUID) -> tuple[School, Trust]:
    """A school by its id, with its trust; one query."""
    row = db.session.execute(
        select(School, Trust).join(Trust, Trust.id == School.trust_id).where(School.id == school_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row[0], row[1]


def get_school_by_slug(slug: str) -> School:
    """A school by its name in addresses."""
    found = db.session.scalars(select(School).where(School.slug == slug)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def place_name(school_id: UUID | None) -> str:
    """How a place is printed: the school's name, or (None) the trust's."""
    return get_school(school_id).name if school_id is not None else get_trust().name
