"""People, the roles that they hold, and who they are when they act."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from trustportal.access import Actor, Permission, Role
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.tenants import domain
from trustportal.tenants.models import (
    Invitation,
    Membership,
    Person,
    School,
)
from trustportal.tenants.queries.trusts import get_settings


def count_people_by_school(*, on: date) -> dict[UUID, int]:
    """How many people hold a role at each school on a day."""
    rows = db.session.execute(
        select(Membership.school_id, func.count(Membership.person_id.distinct()))
        .where(Membership.school_id.is_not(None), *_holds(on))
        .group_by(Membership.school_id)
    )
    return {school_id: count for school_id, count in rows if school_id is not None}


def _holds(on: date) -> tuple[ColumnElement[bool], ...]:
    return (Membership.from_on <= on, or_(Membership.to_on.is_(None), Membership.to_on >= on))


def get_person(person_id: UUID) -> Person:
    """A person by their id."""
    found = db.session.scalars(select(Person).where(Person.id == person_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_person_by_email(email: str) -> Person | None:
    """The person of the trust with this address."""
    return db.session.scalars(select(Person).where(Person.email == email.strip().lower())).one_or_none()


def names_of(person_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of people by their ids; those that the scope cannot see are missing."""
    if not person_ids:
        return {}
    rows = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(person_ids)))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True, slots=True)
class Serving:
    """One role that somebody holds: who, as what, where, with the post's name there."""

    membership_id: UUID
    person_id: UUID
    name: str
    email: str | None
    account_id: UUID | None
    role: Role
    role_label: str
    school_id: UUID | None
    school_name: str | None
    from_on: date
    to_on: date | None
    acting: bool


def list_serving(
    *,
    on: date | None,
    school_id: UUID | None = None,
    at_trust: bool = False,
    roles: Collection[Role] | None = None,
    person_id: UUID | None = None,
    name: str = "",
) -> list[Serving]:
    """Who holds which role, by name of the person and rank of the role.

    `on` None: at any time. `school_id`: at this school only; `at_trust`: at the trust only; neither: everywhere.
    `roles`: these roles only; `name`: people whose name contains it.
    """
    statement = (
        select(Membership, Person, School)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(School, School.id == Membership.school_id)
        .order_by(Person.name, Membership.from_on, Membership.role)
    )
    if on is not None:
        statement = statement.where(*_holds(on))
    if school_id is not None:
        statement = statement.where(Membership.school_id == school_id)
    elif at_trust:
        statement = statement.where(Membership.school_id.is_(None))
    if roles is not None:
        statement = statement.where(Membership.role.in_([str(role) for role in roles]))
    if person_id is not None:
        statement = statement.where(Membership.person_id == person_id)
    if name:
        statement = statement.where(Person.name.icontains(name, autoescape=True))
    labels, order = get_settings().role_labels, list(Role)
    found = [
        Serving(
            membership.id,
            person.id,
            person.name,
            person.email,
            person.account_id,
            Role(membership.role),
            domain.role_label(Role(membership.role), school.role_labels if school else {}, labels),
            membership.school_id,
            school.name if school else None,
            membership.from_on,
            membership.to_on,
            membership.acting,
        )
        for membership, person, school in db.session.execute(statement)
    ]
    return sorted(found, key=lambda one: (one.name, str(one.person_id), order.index(one.role), one.from_on))


def people_with_role(role: Role, *, on: date, school_id: UUID | None = None) -> list[UUID]:
    """The ids of those who hold a role at a school, or (None) at the trust, on a day; by name."""
    found = list_serving(on=on, school_id=school_id, at_trust=school_id is None, roles=[role])
    return list(dict.fromkeys(one.person_id for one in found))


def list_people_without_role(*, on: date) -> list[Person]:
    """People who hold no role on a day: not begun, or left."""
    holding = select(Membership.person_id).where(*_holds(on))
    return list(db.session.scalars(select(Person).where(Person.id.not_in(holding)).order_by(Person.name)))


def list_people_with_account_changing(day: date) -> list[Person]:
    """People who can sign in and of whose roles one begins on a day or ended the day before."""
    changing = select(Membership.person_id).where(
        or_(Membership.from_on == day, Membership.to_on == day - timedelta(days=1))
    )
    return list(
        db.session.scalars(select(Person).where(Person.account_id.is_not(None), Person.id.in_(changing)))
    )


def list_memberships(person_id: UUID) -> list[Membership]:
    """All that a person ever held and will hold, newest first."""
    return list(
        db.session.scalars(
            select(Membership)
            .where(Membership.person_id == person_id)
            .order_by(Membership.from_on.desc(), Membership.id)
        )
    )


def get_membership(membership_id: UUID) -> Membership:
    """A membership by its id."""
    found = db.session.scalars(select(Membership).where(Membership.id == membership_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_memberships_with_role(role: Role, *, school_id: UUID | None) -> list[Membership]:
    """Everybody's memberships with a role at a school or (None) at the trust."""
    place = Membership.school_id.is_(None) if school_id is None else Membership.school_id == school_id
    return list(db.session.scalars(select(Membership).where(Membership.role == str(role), place)))


def held(membership: Membership) -> domain.Held:
    """A membership as facts."""
    return domain.Held(Role(membership.role), membership.school_id, membership.from_on, membership.to_on)


def get_actor(person_id: UUID, *, on: date, method: str = "", at: str = "") -> Actor:
    """A person as the one who acts, with the roles that hold on a day: for the demonstration, tests and commands."""
    person = get_person(person_id)
    at_trust: set[Role] = set()
    at_schools: dict[UUID, frozenset[Role]] = {}
    for one in domain.holding(map(held, list_memberships(person_id)), on):
        if one.school_id is None:
            at_trust.add(one.role)
        else:
            at_schools[one.school_id] = at_schools.get(one.school_id, frozenset()) | {one.role}
    return Actor(
        trust_id=person.trust_id,
        person_id=person.id,
        account_id=person.account_id,
        name=person.name,
        trust_roles=frozenset(at_trust),
        school_roles=at_schools,
        signed_in_by=method,
        signed_in_at=at,
    )


def find_open_invitation(person_id: UUID) -> Invitation | None:
    """The invitation of a person that waits to be used."""
    return db.session.scalars(
        select(Invitation)
        .where(Invitation.person_id == person_id, Invitation.used_at.is_(None))
        .order_by(Invitation.created_at.desc())
        .limit(1)
    ).one_or_none()


def list_readable(actor: Actor, serving: list[Serving]) -> list[Serving]:
    """Those roles that somebody may read: at schools where they may read people, and at the trust if they may there."""
    return [one for one in serving if actor.can(Permission.PEOPLE_READ, one.school_id)]


def get_readable_person(actor: Actor, person_id: UUID) -> tuple[Person, list[Serving]]:
    """A person and those of their roles, of any time, that somebody may read. Raises `NotFound` where there is none."""
    person = get_person(person_id)
    serving = list_readable(actor, list_serving(on=None, person_id=person_id))
    if not serving and not actor.can(Permission.PEOPLE_MANAGE):
        raise NotFound()
    return person, serving


def get_serving(person_id: UUID, membership_id: UUID) -> Serving:
    """One role of a person, of any time."""
    for one in list_serving(on=None, person_id=person_id):
        if one.membership_id == membership_id:
            return one
    raise NotFound()
