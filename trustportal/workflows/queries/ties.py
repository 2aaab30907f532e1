"""Ties: my own as I declared them, whom I can name, and what people wanted to stand in the register of interests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from trustportal.access import ROLE_LABELS, Role
from trustportal.db import current_scope, db
from trustportal.errors import NotFound
from trustportal.tenants.models import Membership, Person, School
from trustportal.workflows.meeting_models import InterestEntry
from trustportal.workflows.models import Tie

#: So many colleagues are shown at once.
MOST = 20


@dataclass(frozen=True, slots=True)
class Declared:
    """A tie of mine. `words`: as it stands in the register of interests; "" where it does not."""

    row: Tie
    name: str
    words: str


def list_mine() -> list[Declared]:
    """What I declared, those that hold first."""
    scope = current_scope()
    if scope is None or scope.person_id is None:
        return []
    rows = db.session.execute(
        select(Tie, Person.name, InterestEntry.words)
        .outerjoin(Person, Person.id == Tie.other_id)
        .outerjoin(InterestEntry, InterestEntry.tie_id == Tie.id)
        .where(Tie.person_id == scope.person_id)
        .order_by(Tie.ended_at.is_not(None), Tie.declared_at.desc())
    )
    return [Declared(row, name or "Somebody who has left", words or "") for row, name, words in rows]


def get_mine(tie_id: UUID) -> Tie:
    """One of mine, to change it."""
    scope = current_scope()
    found = db.session.scalars(
        select(Tie)
        .where(Tie.id == tie_id, Tie.person_id == (scope.person_id if scope else None))
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_entry(tie_id: UUID) -> InterestEntry | None:
    """What stands in the register of interests from a tie."""
    return db.session.scalars(select(InterestEntry).where(InterestEntry.tie_id == tie_id)).one_or_none()


def nameable(on: date) -> dict[UUID, str]:
    """Everybody but me who serves anywhere that I can see: names by id, in the order of names."""
    scope = current_scope()
    rows = db.session.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Person.id != (scope.person_id if scope else None),
            Membership.from_on <= on,
            or_(Membership.to_on.is_(None), Membership.to_on >= on),
        )
        .distinct()
        .order_by(Person.name)
    )
    return {row.id: row.name for row in rows}


def found(on: date, words: str) -> dict[UUID, str]:
    """Those of them whose name holds some words: with what they do where, since two can have one name."""
    wanted = words.casefold().split()
    names = {
        one: name for one, name in nameable(on).items() if all(word in name.casefold() for word in wanted)
    }
    posts = db.session.execute(
        select(Membership.person_id, Membership.role, School.short_name)
        .outerjoin(School, School.id == Membership.school_id)
        .where(
            Membership.person_id.in_(list(names)[:MOST]),
            Membership.from_on <= on,
            or_(Membership.to_on.is_(None), Membership.to_on >= on),
        )
        .order_by(School.short_name.nulls_first(), Membership.role)
    )
    held: dict[UUID, list[str]] = {}
    for person, role, school in posts:
        label = ROLE_LABELS[Role(role)]
        held.setdefault(person, []).append(f"{label} at {school}" if school else label)
    return {one: f"{name} ({', '.join(held[one])})" for one, name in names.items() if one in held}


@dataclass(frozen=True, slots=True)
class Interest:
    """A line of the register of interests."""

    name: str
    other: str
    words: str
    declared_on: date
    ended_on: date | None


def list_interests() -> list[Interest]:
    """The register of interests, by name."""
    other = aliased(Person)
    rows = db.session.execute(
        select(InterestEntry, Person.name, other.name.label("other"))
        .join(Person, Person.id == InterestEntry.person_id)
        .join(other, other.id == InterestEntry.other_id)
        .order_by(InterestEntry.ended_on.is_not(None), Person.name, InterestEntry.declared_on)
    )
    return [Interest(name, other, row.words, row.declared_on, row.ended_on) for row, name, other in rows]
