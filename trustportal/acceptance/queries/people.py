"""One person as those see them who look after signing at a place: what they owe, have signed, asked, and when away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from trustportal.acceptance.models import (
    Absence,
    Assignment,
    LineManagement,
    Question,
    Signature,
    SigningCode,
)
from trustportal.acceptance.queries import mine
from trustportal.acceptance.queries.facts import Place, at_places, holds
from trustportal.acceptance.queries.mine import MyAssignment
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.tenants import queries as tenants
from trustportal.tenants.models import Membership, Person


@dataclass(frozen=True, slots=True)
class PersonShown:
    """Somebody's signing at the places where the reader may see names."""

    person_id: UUID
    name: str
    email: str | None
    #: Where they serve today: (place, its name, their posts there).
    posts: Sequence[tuple[Place, str, Sequence[str]]]
    asked: Sequence[MyAssignment]
    signed: Sequence[Signature]
    absences: Sequence[Absence]
    #: Their line manager's id and name by place.
    managers: Mapping[Place, tuple[UUID, str]]
    questions: Sequence[Question]


def get_shown(person_id: UUID, places: Collection[Place], today: date) -> PersonShown:
    """Raises `NotFound` for somebody who neither serves nor is asked at any of the places."""
    person = tenants.get_person(person_id)
    trust_name = tenants.get_trust().name
    posts: dict[Place, tuple[str, list[str]]] = {}
    for one in tenants.list_serving(on=today, person_id=person_id):
        if one.school_id in places:
            posts.setdefault(one.school_id, (one.school_name or trust_name, []))[1].append(one.role_label)
    asked = [one for one in mine.list_open(person_id) if one.school_id in places]
    signed = [one for one in mine.list_signatures(person_id) if one.school_id in places]
    if not posts and not asked and not signed:
        raise NotFound()
    return PersonShown(
        person_id=person.id,
        name=person.name,
        email=person.email,
        posts=[(place, name, labels) for place, (name, labels) in posts.items()],
        asked=asked,
        signed=signed,
        absences=list_absences(person_id, places),
        managers=_managers_of(person_id),
        questions=db.session.scalars(
            select(Question)
            .where(Question.person_id == person_id, at_places(Question.school_id, places))
            .order_by(Question.asked_at.desc())
        ).all(),
    )


def _managers_of(person_id: UUID) -> dict[Place, tuple[UUID, str]]:
    rows = db.session.execute(
        select(LineManagement.school_id, Person.id, Person.name)
        .join(Person, Person.id == LineManagement.manager_id)
        .where(LineManagement.person_id == person_id)
    )
    return {place: (manager, name) for place, manager, name in rows}


def find_line_management(person_id: UUID, school_id: Place, *, lock: bool = False) -> LineManagement | None:
    """Who is noted as somebody's line manager at a place."""
    statement = select(LineManagement).where(
        LineManagement.person_id == person_id, LineManagement.school_id.is_not_distinct_from(school_id)
    )
    return db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def line_managers(people: Collection[UUID], on: date) -> dict[tuple[UUID, Place], UUID]:
    """The line managers of people by (person, place): those who still serve in the trust."""
    serving = select(Membership.person_id).where(holds(on))
    rows = db.session.execute(
        select(LineManagement.person_id, LineManagement.school_id, LineManagement.manager_id).where(
            LineManagement.person_id.in_(people), LineManagement.manager_id.in_(serving)
        )
    )
    return {(person, place): manager for person, place, manager in rows}


def list_colleagues(school_id: Place, on: date) -> list[tuple[UUID, str]]:
    """Everybody who serves at a place on a day, by name: who may be somebody's line manager there."""
    place = Membership.school_id.is_(None) if school_id is None else Membership.school_id == school_id
    rows = db.session.execute(
        select(Person.id, Person.name)
        .where(Person.id.in_(select(Membership.person_id).where(place, holds(on))))
        .order_by(Person.name, Person.id)
    )
    return [(person_id, name) for person_id, name in rows]


def require_serving(person_id: UUID, school_id: Place, on: date) -> None:
    """Raise `NotFound` for somebody who does not serve at a place on a day, or is not asked there."""
    place = Membership.school_id.is_(None) if school_id is None else Membership.school_id == school_id
    serves = db.session.scalars(
        select(Membership.id).where(Membership.person_id == person_id, place, holds(on)).limit(1)
    ).first()
    if serves is None:
        raise NotFound()


def list_absences(person_id: UUID, places: Collection[Place], *, lock: bool = False) -> Sequence[Absence]:
    """When somebody was, is and will be away from some places, the newest first."""
    statement = (
        select(Absence)
        .where(Absence.person_id == person_id, at_places(Absence.school_id, places))
        .order_by(Absence.from_on.desc(), Absence.id)
    )
    return db.session.scalars(statement.with_for_update() if lock else statement).all()


def get_absence(absence_id: UUID, *, lock: bool = False) -> Absence:
    """An absence at a place that the scope sees."""
    statement = select(Absence).where(Absence.id == absence_id)
    found = db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class WithoutEmail:
    """Somebody who owes a signature at a place and has no e-mail address."""

    person_id: UUID
    name: str
    owed: int
    #: The newest code that can still be used.
    code_until: date | None
    #: Whether an answer to a question of theirs waits to be read with the next code.
    answered: bool = False


def list_without_email(school_id: Place, *, now_on: date) -> list[WithoutEmail]:
    """Who at a place has something to sign and no e-mail, by name."""
    place = Assignment.school_id.is_(None) if school_id is None else Assignment.school_id == school_id
    rows = db.session.execute(
        select(Person.id, Person.name, Assignment.id)
        .join(Assignment, Assignment.person_id == Person.id)
        .where(place, Assignment.state == "open", Assignment.paused_on.is_(None), Person.email.is_(None))
        .order_by(Person.name, Person.id)
    ).all()
    answered = set(
        db.session.scalars(
            select(Question.person_id).where(
                Question.assignment_id.in_([row[2] for row in rows]), Question.state == "answered"
            )
        )
    )
    codes = {
        code.person_id: code.expires_at
        for code in db.session.scalars(
            select(SigningCode)
            .where(
                SigningCode.person_id.in_([row[0] for row in rows]),
                SigningCode.used_at.is_(None),
                SigningCode.ended_at.is_(None),
            )
            .order_by(SigningCode.made_at)
        )
    }
    found: dict[UUID, WithoutEmail] = {}
    for person_id, name, _ in rows:
        before = found.get(person_id)
        until = codes.get(person_id)
        ends = until.date() if until is not None and until.date() >= now_on else None
        found[person_id] = WithoutEmail(
            person_id, name, (before.owed if before else 0) + 1, ends, person_id in answered
        )
    return list(found.values())
