"""Who serves where, as routing sees it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import or_, select

from trustportal.acceptance.models import Absence, LineManagement
from trustportal.access import Role
from trustportal.db import db
from trustportal.tenants.models import Membership, Person
from trustportal.workflows.domain.routing import Post, Roster, Tie
from trustportal.workflows.models import Tie as TieRow


def roster(on: date) -> Roster:
    """Everybody who serves on a day, as far as the scope sees; ties as far as it may read them (jobs: all)."""
    posts = db.session.execute(
        select(
            Membership.person_id, Membership.role, Membership.school_id, Membership.acting, Membership.from_on
        ).where(Membership.from_on <= on, or_(Membership.to_on.is_(None), Membership.to_on >= on))
    )
    ties = db.session.execute(
        select(TieRow.person_id, TieRow.other_id, TieRow.kind).where(TieRow.ended_at.is_(None))
    )
    managed = db.session.execute(select(LineManagement.manager_id, LineManagement.person_id))
    away = db.session.scalars(
        select(Absence.person_id).where(
            Absence.from_on <= on, or_(Absence.to_on.is_(None), Absence.to_on >= on)
        )
    )
    return Roster(
        tuple(Post(row.person_id, Role(row.role), row.school_id, row.acting, row.from_on) for row in posts),
        (
            *(
                Tie(row.other_id, row.person_id, leads=True)
                if row.kind == "led"
                else Tie(row.person_id, row.other_id, row.kind == "leads")
                for row in ties
            ),
            *(Tie(row.manager_id, row.person_id, True) for row in managed),
        ),
        frozenset(away),
    )


def serving_at(school_id: UUID, on: date) -> dict[UUID, str]:
    """Who serves at a school on a day: names by id, in the order of names."""
    rows = db.session.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.school_id == school_id,
            Membership.from_on <= on,
            or_(Membership.to_on.is_(None), Membership.to_on >= on),
        )
        .distinct()
        .order_by(Person.name)
    )
    return {row.id: row.name for row in rows}


def serving_around(school_id: UUID, on: date) -> dict[UUID, str]:
    """Who serves at a school or at the trust on a day, as far as the scope sees: names by id, in the order of names."""
    rows = db.session.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            or_(Membership.school_id == school_id, Membership.school_id.is_(None)),
            Membership.from_on <= on,
            or_(Membership.to_on.is_(None), Membership.to_on >= on),
        )
        .distinct()
        .order_by(Person.name)
    )
    return {row.id: row.name for row in rows}
