"""Placeholders and what each place filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import or_, select

from trustportal.access import Role
from trustportal.db import db
from trustportal.tenants import domain
from trustportal.tenants.models import (
    Placeholder,
    PlaceholderValue,
    School,
    Trust,
)
from trustportal.tenants.queries.trusts import get_school_and_trust, get_trust


def list_placeholders() -> list[Placeholder]:
    """The slots that the trust has defined, by name."""
    return list(db.session.scalars(select(Placeholder).order_by(Placeholder.name)))


def list_filled(school_id: UUID | None) -> dict[str, str]:
    """What one place has filled in by hand."""
    place = (
        PlaceholderValue.school_id.is_(None) if school_id is None else PlaceholderValue.school_id == school_id
    )
    rows = db.session.execute(select(PlaceholderValue.name, PlaceholderValue.value).where(place))
    return {row.name: row.value for row in rows}


def words_of(trust: Trust, school: School | None) -> domain.PlaceWords:
    """A place as placeholders speak of it."""
    settings = domain.TrustSettings.read(trust.settings)
    labels = settings.role_labels
    if school is None:
        return domain.PlaceWords(trust.name, labels, school_labels=settings.central_labels)
    return domain.PlaceWords(trust.name, labels, school.name, school.short_name, school.role_labels)


def values_for_place(school_id: UUID | None) -> dict[str, str]:
    """Every placeholder's value at a school, or (None) at the trust: built-in ones, role names, and what was filled in.

    What has no value is not in it. A school that has not filled a slot has the trust's value of it, where there is one.
    """
    if school_id is None:
        return domain.all_values(words_of(get_trust(), None), of_trust=list_filled(None))
    rows = db.session.execute(
        select(PlaceholderValue.school_id, PlaceholderValue.name, PlaceholderValue.value).where(
            or_(PlaceholderValue.school_id.is_(None), PlaceholderValue.school_id == school_id)
        )
    ).all()
    school, trust = get_school_and_trust(school_id)
    return domain.all_values(
        words_of(trust, school),
        of_trust={row.name: row.value for row in rows if row.school_id is None},
        of_school={row.name: row.value for row in rows if row.school_id is not None},
    )


def values_for_places(school_ids: Sequence[UUID]) -> Mapping[UUID, dict[str, str]]:
    """`values_for_place` for several schools with a fixed number of queries."""
    trust, of_trust = get_trust(), list_filled(None)
    filled: dict[UUID, dict[str, str]] = {school_id: {} for school_id in school_ids}
    for row in db.session.scalars(select(PlaceholderValue).where(PlaceholderValue.school_id.in_(school_ids))):
        if row.school_id is not None:
            filled[row.school_id][row.name] = row.value
    return {
        school.id: domain.all_values(words_of(trust, school), of_trust=of_trust, of_school=filled[school.id])
        for school in db.session.scalars(select(School).where(School.id.in_(school_ids)))
    }


def known_placeholders() -> frozenset[str]:
    """The names that a clause may use: built-in ones and the trust's own."""
    built_in = {*domain.BUILT_IN, *(f"role.{role}" for role in Role)}
    return frozenset({*built_in, *(one.name for one in list_placeholders())})
