"""Who has not signed, for those who may see names: a page of them at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, select

from trustportal.acceptance.domain.counting import as_bits, from_bits
from trustportal.acceptance.models import Assignment, Campaign, CampaignPerson, OutsideEdition, Question
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.queries.mine import TITLE
from trustportal.acceptance.queries.progress import OWED, counted
from trustportal.access import Role
from trustportal.db import db
from trustportal.policies.models import Policy
from trustportal.tenants.models import Person, School

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
    asked_roles = [role] if role is not None else campaign.roles
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
            CampaignPerson.roles.op("&")(as_bits(campaign.roles)),
            func.array_agg(TITLE.distinct()),
            func.min(Assignment.due_on),
            func.max(Assignment.reminded_on),
            func.bool_or(Assignment.id.in_(waiting)),
            func.count().over(),
        )
        .select_from(CampaignPerson)
        .join(
            Assignment,
            and_(
                Assignment.campaign_id == CampaignPerson.campaign_id,
                Assignment.person_id == CampaignPerson.person_id,
                Assignment.school_id.is_not_distinct_from(CampaignPerson.school_id),
            ),
        )
        .join(Person, Person.id == CampaignPerson.person_id)
        .outerjoin(Policy, Policy.id == Assignment.policy_id)
        .outerjoin(OutsideEdition, OutsideEdition.id == Assignment.outside_edition_id)
        .outerjoin(School, School.id == CampaignPerson.school_id)
        .where(
            counted(campaign, places, today),
            CampaignPerson.roles.op("&")(as_bits(asked_roles)) > 0,
            CampaignPerson.owed_by.is_not(None),
            OWED,
        )
        .group_by(
            Person.id, Person.name, Person.email, Assignment.school_id, School.name, CampaignPerson.roles
        )
        # In the order of their letters' codes, as the tallies by place are sorted: pages follow each other exactly.
        .order_by(School.name.collate("C").nulls_first(), Person.name, Person.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE if skip is None else skip)
    )
    rows = db.session.execute(statement).all()
    return UnsignedPage(
        people=[
            Unsigned(
                person_id=person_id,
                name=name,
                school_id=school_id,
                school_name=school_name,
                roles=from_bits(held),
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
