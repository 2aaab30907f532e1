"""Where policies apply, and how each place stands with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, Uuid, and_, bindparam, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, defer

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.domain.places import Where
from trustportal.policies.ending_models import PlaceEnding
from trustportal.policies.models import (
    AddedClause,
    Edition,
    Override,
    Policy,
    PolicyPlace,
    Reconcile,
    Standing,
    TemplateVersion,
)
from trustportal.tenants.models import School


def at_place(column: InstrumentedAttribute[Any], school_id: UUID | None) -> ColumnElement[bool]:
    """The condition that a row belongs to a school, or (None) to the trust itself."""
    return column.is_(None) if school_id is None else column == school_id


def ended_here(*also: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition that a later version went on without an edition's place. `also`: what else is true of the end."""
    return (
        select(PlaceEnding.id)
        .where(
            PlaceEnding.trust_id == Edition.trust_id,
            PlaceEnding.policy_id == Edition.policy_id,
            or_(
                PlaceEnding.school_id == Edition.school_id,
                and_(PlaceEnding.school_id.is_(None), Edition.school_id.is_(None)),
            ),
            PlaceEnding.number > Edition.major,
            *also,
        )
        .exists()
    )


def still_stands(on: date | BindParameter[date]) -> ColumnElement[bool]:
    """The condition that an edition's policy has not been withdrawn by a day, or gone on without its place."""
    withdrawn = (
        select(Policy.id)
        .where(Policy.trust_id == Edition.trust_id, Policy.id == Edition.policy_id, Policy.withdrawn_on <= on)
        .exists()
    )
    return and_(~withdrawn, ~ended_here(PlaceEnding.ended_on <= on))


def still_applies() -> ColumnElement[bool]:
    """The condition that an edition's policy applies at its place today: a version may have taken the place out."""
    named = (
        select(PolicyPlace.id)
        .where(
            PolicyPlace.trust_id == Edition.trust_id,
            PolicyPlace.policy_id == Edition.policy_id,
            or_(
                PolicyPlace.school_id == Edition.school_id,
                and_(PolicyPlace.school_id.is_(None), Edition.school_id.is_(None)),
            ),
        )
        .exists()
    )
    everywhere = or_(
        Policy.school_id.is_not(None), and_(Policy.places == "all", Edition.school_id.is_not(None))
    )
    by_itself = (
        select(Policy.id)
        .where(Policy.trust_id == Edition.trust_id, Policy.id == Edition.policy_id, everywhere)
        .exists()
    )
    return or_(by_itself, named)


def where_now(policy: Policy) -> Where:
    """Where a policy applies today."""
    named = list(db.session.scalars(select(PolicyPlace.school_id).where(PolicyPlace.policy_id == policy.id)))
    schools = frozenset(str(one) for one in named if one is not None)
    return Where(None if policy.places == "all" else schools, None in named)


def applies_at(policy: Policy, school_id: UUID) -> bool:
    """Whether a policy applies at a school today."""
    if policy.school_id is not None:
        return policy.school_id == school_id
    return policy.places == "all" or str(school_id) in (where_now(policy).schools or ())


def places_of(policy: Policy, on: date) -> list[UUID | None]:
    """Where a policy applies on a day: ids of schools, and None where the trust itself is a place."""
    if policy.school_id is not None:
        return [policy.school_id]
    named = list(db.session.scalars(select(PolicyPlace.school_id).where(PolicyPlace.policy_id == policy.id)))
    running = select(School.id).where(or_(School.closes_on.is_(None), School.closes_on > on))
    if policy.places == "some":
        running = running.where(School.id.in_([one for one in named if one is not None]))
    places: list[UUID | None] = [None] if None in named else []
    return places + list(db.session.scalars(running.order_by(School.name)))


def policies_at(school_id: UUID | None) -> Sequence[Policy]:
    """The policies that apply at a place and have a published version."""
    named = select(PolicyPlace.policy_id).where(
        PolicyPlace.school_id.is_(None) if school_id is None else PolicyPlace.school_id == school_id
    )
    of_trust = Policy.school_id.is_(None)
    here = (
        and_(of_trust, Policy.id.in_(named))
        if school_id is None
        else or_(
            Policy.school_id == school_id, and_(of_trust, or_(Policy.places == "all", Policy.id.in_(named)))
        )
    )
    published = select(TemplateVersion.policy_id).where(TemplateVersion.state == "published")
    return db.session.scalars(
        select(Policy).where(here, Policy.id.in_(published)).order_by(Policy.title)
    ).all()


def withdrawn_at(school_id: UUID, on: date) -> Sequence[Policy]:
    """The policies that were in force at a school and had been withdrawn by a day."""
    had = (
        select(Edition.id)
        .where(
            Edition.trust_id == Policy.trust_id,
            Edition.policy_id == Policy.id,
            Edition.school_id == school_id,
            Edition.state == "approved",
            Edition.effective_on <= on,
        )
        .exists()
    )
    return db.session.scalars(
        select(Policy).where(Policy.withdrawn_on <= on, had).order_by(Policy.title)
    ).all()


def find_ending(policy_id: UUID, school_id: UUID | None, on: date) -> PlaceEnding | None:
    """How a policy ended at a place by a day, if it did there alone; None where a later edition of it came since."""
    found = db.session.scalars(
        select(PlaceEnding)
        .where(
            PlaceEnding.policy_id == policy_id,
            at_place(PlaceEnding.school_id, school_id),
            PlaceEnding.ended_on <= on,
        )
        .order_by(PlaceEnding.number.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    again = select(Edition.id).where(
        Edition.policy_id == policy_id,
        at_place(Edition.school_id, school_id),
        Edition.state == "approved",
        Edition.effective_on <= on,
        Edition.major >= found.number,
    )
    return None if db.session.scalars(again.limit(1)).one_or_none() else found


def ended_at(school_id: UUID, on: date) -> Sequence[tuple[Policy, date]]:
    """The policies that ended at a school alone, with the day; they do not apply there now."""
    rows = db.session.execute(
        select(Policy, func.max(PlaceEnding.ended_on))
        .join(PlaceEnding, and_(PlaceEnding.trust_id == Policy.trust_id, PlaceEnding.policy_id == Policy.id))
        .where(
            PlaceEnding.school_id == school_id,
            PlaceEnding.ended_on <= on,
            Policy.places == "some",
            Policy.id.not_in(select(PolicyPlace.policy_id).where(PolicyPlace.school_id == school_id)),
        )
        .group_by(Policy.id)
        .order_by(Policy.title)
    )
    return [(row[0], row[1]) for row in rows]


def list_schools(ids: Collection[UUID]) -> dict[UUID, School]:
    """Schools by id, among those that the scope sees."""
    return {school.id: school for school in db.session.scalars(select(School).where(School.id.in_(ids)))}


def find_standing(policy_id: UUID, school_id: UUID | None, *, lock: bool = False) -> Standing | None:
    """Where a place stands with a policy; `lock` serialises everything about the two."""
    statement = select(Standing).where(
        Standing.policy_id == policy_id, at_place(Standing.school_id, school_id)
    )
    if lock:
        statement = statement.with_for_update()
    return db.session.scalars(statement).one_or_none()


def find_standing_with_version(
    policy_id: UUID, school_id: UUID | None, *, lock: bool = False
) -> tuple[Standing, TemplateVersion] | None:
    """As `find_standing`, with the version that the place's answers stand on; its tree is not loaded yet."""
    statement = (
        select(Standing, TemplateVersion)
        .join(
            TemplateVersion,
            and_(TemplateVersion.trust_id == Standing.trust_id, TemplateVersion.id == Standing.version_id),
        )
        .options(defer(TemplateVersion.tree))
        .where(Standing.policy_id == policy_id, at_place(Standing.school_id, school_id))
    )
    if lock:
        statement = statement.with_for_update(of=Standing)
    row = db.session.execute(statement).one_or_none()
    return None if row is None else (row[0], row[1])


@dataclass(frozen=True, slots=True)
class AtWork:
    """What there is at a place besides its editions: answers, own clauses, an edition that waits, decisions owed."""

    overrides: bool = False
    added: bool = False
    submitted: bool = False
    deciding: bool = False


def what_is_at_work(standing: Standing) -> AtWork:
    """What of it there is, so that nobody asks for each; one query. It holds while the standing is locked."""

    row = db.session.execute(
        _at_work(standing.school_id is None),
        {"standing": standing.id, "policy": standing.policy_id, "school": standing.school_id},
    ).one()
    return AtWork(row[1], row[2], row[3], row[4])


@cache
def _at_work(of_the_trust: bool) -> Select[UUID, bool, bool, bool, bool]:
    policy_id = bindparam("policy", type_=Uuid())
    school_id = bindparam("school", type_=Uuid())

    def there(
        table: type[Override | AddedClause | Edition | Reconcile], *also: ColumnElement[bool]
    ) -> ColumnElement[bool]:
        here = table.school_id.is_(None) if of_the_trust else table.school_id == school_id
        return (
            select(table.id)
            .where(table.trust_id == Standing.trust_id, table.policy_id == policy_id, here, *also)
            .exists()
        )

    return select(
        Standing.id,
        there(Override),
        there(AddedClause),
        there(Edition, Edition.state == "submitted"),
        there(Reconcile, Reconcile.state == "open"),
    ).where(Standing.id == bindparam("standing", type_=Uuid()))


def get_standing(policy_id: UUID, school_id: UUID | None, *, lock: bool = False) -> Standing:
    """As `find_standing`; `NotFound` where the policy does not apply."""
    found = find_standing(policy_id, school_id, lock=lock)
    if found is None:
        raise NotFound()
    return found


def list_standings(policy_id: UUID) -> Sequence[Standing]:
    """Where every visible place stands with a policy."""
    return db.session.scalars(select(Standing).where(Standing.policy_id == policy_id)).all()


def standings_at(school_id: UUID | None) -> Sequence[Standing]:
    """How a place stands with all its policies."""
    return db.session.scalars(select(Standing).where(at_place(Standing.school_id, school_id))).all()
