"""Who has not signed, for those who may see names: a page of them at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, select

from trustportal.acceptance.models import Assignment, Campaign, OutsideEdition, Question
from trustportal.acceptance.queries.facts import Place, at_places, holds
from trustportal.acceptance.queries.mine import TITLE
from trustportal.acceptance.queries.progress import OWED, day_counted
from trustportal.access import Role
from trustportal.db import db
from trustportal.policies.models import Policy
from trustportal.tenants.models import Membership, Person, School

PAGE = 50


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Somebody who has not signed everything at one place."""

    person_id: UUID
    name: str
    school_id: UUID | None
    school_name: str | None
    roles: Sequence[Role]
    policies: Sequence[str]
    due_on: date
    reminded_on: date | None
    has_email: bool
    #: Whether they asked about something, or refused, and wait for an answer.
    asked_about: bool


@dataclass(frozen=True, slots=True)
class UnsignedPage:
    """A page of them, and how many there are in all."""

    people: Sequence[Unsigned]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def list_unsigned(
    campaign: Campaign,
    places: Collection[Place],
    today: date,
    *,
    role: Role | None = None,
    page: int = 1,
    total: int | None = None,
    skip: int | None = None,
) -> UnsignedPage:
    """Who has not signed at some places, by school and name; `role`: only those who hold it there.

    `total` and `skip` where it is known how many there are, and how many of the page's start lie at places before
    these: then only the places that the page shows need be looked at.
    """
    roles = func.array_agg(Membership.role.distinct())
    waiting = (
        select(Question.assignment_id)
        .where(Question.trust_id == Assignment.trust_id, Question.state == "open")
        .correlate(Assignment)
    )
    statement = (
        select(
            Person.id,
            Person.name,
            Person.email.is_not(None),
            Assignment.school_id,
            School.name,
            roles,
            func.array_agg(TITLE.distinct()),
            func.min(Assignment.due_on),
            func.max(Assignment.reminded_on),
            func.bool_or(Assignment.id.in_(waiting)),
            func.count().over(),
        )
        .select_from(Assignment)
        .join(Person, Person.id == Assignment.person_id)
        .outerjoin(Policy, Policy.id == Assignment.policy_id)
        .outerjoin(OutsideEdition, OutsideEdition.id == Assignment.outside_edition_id)
        .join(
            Membership,
            and_(
                Membership.person_id == Assignment.person_id,
                Membership.school_id.is_not_distinct_from(Assignment.school_id),
                Membership.role.in_(campaign.roles),
                holds(day_counted(campaign, today)),
            ),
        )
        .outerjoin(School, School.id == Assignment.school_id)
        .where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), OWED)
        .group_by(Person.id, Person.name, Person.email, Assignment.school_id, School.name)
        # In the order of their letters' codes, as the tallies by place are sorted: pages follow each other exactly.
        .order_by(School.name.collate("C").nulls_first(), Person.name, Person.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE if skip is None else skip)
    )
    if role is not None:
        statement = statement.having(func.bool_or(Membership.role == str(role)))
    rows = db.session.execute(statement).all()
    return UnsignedPage(
        people=[
            Unsigned(
                person_id=person_id,
                name=name,
                school_id=school_id,
                school_name=school_name,
                roles=[one for one in Role if one in held],
                policies=sorted(titles),
                due_on=due_on,
                reminded_on=reminded_on,
                has_email=has_email,
                asked_about=asked_about,
            )
            for (
                person_id,
                name,
                has_email,
                school_id,
                school_name,
                held,
                titles,
                due_on,
                reminded_on,
                asked_about,
                _,
            ) in rows
        ],
        total=total if total is not None else (rows[0][-1] if rows else 0),
        page=page,
    )
