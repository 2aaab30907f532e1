"""What planning needs to know, with a fixed number of queries for any number of places and people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute

from trustportal.acceptance.domain.absence import Away, away_on, back_by
from trustportal.acceptance.domain.campaign import Draft, reaches
from trustportal.acceptance.domain.planning import Asked, CampaignFacts, EditionStep, Held, PlaceFacts, Signed
from trustportal.acceptance.models import (
    Absence,
    Assignment,
    Campaign,
    CampaignDocument,
    CampaignPolicy,
    Signature,
)
from trustportal.acceptance.queries.outside import Place as Place
from trustportal.acceptance.queries.outside import outside_facts
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.models import Edition
from trustportal.policies.queries import still_applies, still_stands
from trustportal.tenants import queries as tenants
from trustportal.tenants.models import Membership


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign with the places that it reaches."""

    facts: CampaignFacts
    places: frozenset[str]
    #: Those of its texts that are outside documents.
    documents: frozenset[UUID] = frozenset()

    @classmethod
    def of_draft(cls, campaign_id: UUID, draft: Draft) -> Running:
        """A campaign that is still being written, for its preview."""
        facts = CampaignFacts(
            campaign_id,
            draft.academic_year,
            draft.roles,
            draft.policy_ids | draft.document_ids,
            draft.opens_on,
            draft.due_on,
            draft.joiner_days,
        )
        return cls(facts, draft.places, draft.document_ids)


def get_campaign(campaign_id: UUID, *, lock: bool = False) -> Campaign:
    """A campaign; `lock` keeps others from closing it until the transaction ends."""
    statement = select(Campaign).where(Campaign.id == campaign_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_campaigns() -> Sequence[Campaign]:
    """All campaigns of the trust, the newest first."""
    return db.session.scalars(
        select(Campaign).order_by(Campaign.academic_year.desc(), Campaign.opens_on.desc(), Campaign.title)
    ).all()


def find_campaign_named(academic_year: int, title: str) -> Campaign | None:
    """A campaign of a year by its name."""
    return db.session.scalars(
        select(Campaign).where(Campaign.academic_year == academic_year, Campaign.title == title)
    ).one_or_none()


def find_campaign_before(academic_year: int) -> Campaign | None:
    """The newest campaign of the year before, or of the newest year before that: what is repeated."""
    return db.session.scalars(
        select(Campaign)
        .where(Campaign.academic_year < academic_year)
        .order_by(Campaign.academic_year.desc(), Campaign.opens_on, Campaign.id)
        .limit(1)
    ).one_or_none()


def has_campaign(academic_year: int) -> bool:
    """Whether an academic year has a campaign."""
    found = select(Campaign.id).where(Campaign.academic_year == academic_year).limit(1)
    return db.session.scalars(found).first() is not None


def places_asked(campaign_id: UUID) -> set[Place]:
    """Where a campaign has open assignments."""
    return set(
        db.session.scalars(
            select(Assignment.school_id)
            .where(Assignment.campaign_id == campaign_id, Assignment.state == "open")
            .distinct()
        )
    )


def policy_ids_of(campaign_id: UUID) -> frozenset[UUID]:
    """The policies that a campaign asks people to sign."""
    return frozenset(
        db.session.scalars(select(CampaignPolicy.policy_id).where(CampaignPolicy.campaign_id == campaign_id))
    )


def document_ids_of(campaign_id: UUID) -> frozenset[UUID]:
    """The outside documents that a campaign asks people to confirm."""
    return frozenset(
        db.session.scalars(
            select(CampaignDocument.document_id).where(CampaignDocument.campaign_id == campaign_id)
        )
    )


def running_campaigns(on: date, *, lock: bool = False) -> list[Running]:
    """The campaigns that ask people on a day. `lock`: none of them can be closed until the transaction ends."""
    statement = (
        select(Campaign).where(Campaign.state == "open", Campaign.opens_on <= on).order_by(Campaign.id)
    )
    if lock:
        statement = statement.with_for_update(read=True)
    campaigns = db.session.scalars(statement.execution_options(populate_existing=True)).all()
    policies: dict[UUID, set[UUID]] = defaultdict(set)
    rows = db.session.execute(
        select(CampaignPolicy.campaign_id, CampaignPolicy.policy_id).where(
            CampaignPolicy.campaign_id.in_([one.id for one in campaigns])
        )
    )
    for campaign_id, policy_id in rows:
        policies[campaign_id].add(policy_id)
    documents: dict[UUID, set[UUID]] = defaultdict(set)
    rows = db.session.execute(
        select(CampaignDocument.campaign_id, CampaignDocument.document_id).where(
            CampaignDocument.campaign_id.in_([one.id for one in campaigns])
        )
    )
    for campaign_id, document_id in rows:
        documents[campaign_id].add(document_id)
    return [
        Running(
            CampaignFacts(
                one.id,
                one.academic_year,
                frozenset(Role(role) for role in one.roles),
                frozenset(policies[one.id] | documents[one.id]),
                one.opens_on,
                one.due_on,
                one.joiner_days,
            ),
            frozenset(one.places),
            frozenset(documents[one.id]),
        )
        for one in campaigns
    ]


def all_places(on: date) -> list[Place]:
    """The trust itself, and its schools on a day."""
    return [None, *(school.id for school in tenants.list_schools(open_on=on))]


def places_of_person(person_id: UUID) -> set[Place]:
    """Where somebody ever served, will serve, or is asked."""
    served = select(Membership.school_id).where(Membership.person_id == person_id)
    asked = select(Assignment.school_id).where(Assignment.person_id == person_id, Assignment.state == "open")
    return {*db.session.scalars(served), *db.session.scalars(asked)}


def places_served(person_id: UUID, on: date) -> set[Place]:
    """Where somebody serves on a day."""
    return set(
        db.session.scalars(select(Membership.school_id).where(Membership.person_id == person_id, holds(on)))
    )


def place_facts(
    today: date,
    running: Sequence[Running],
    places: Collection[Place],
    *,
    people: Collection[UUID] | None = None,
) -> dict[Place, PlaceFacts]:
    """The facts of each place, for everybody or for some people.

    Open assignments are read before signatures: one that is signed meanwhile is seen as one or the other.
    """
    documents = frozenset[UUID]().union(*(one.documents for one in running))
    policies = frozenset[UUID]().union(*(one.facts.policy_ids for one in running)) - documents
    standing = (
        {school.id for school in tenants.list_schools(open_on=today) if school.started_at is not None}
        if places
        else set()
    )
    asked = _asked(places, people)
    signed = _signed(places, policies, people)
    held = _held(today, places, people)
    steps = _editions(today, places, policies)
    absences = absences_at(places, people)
    outside = outside_facts(today, documents, {one.person_id for here in held.values() for one in here})
    return {
        place: PlaceFacts(
            today=today,
            campaigns=[one.facts for one in running if reaches(one.places, place)],
            editions=[*steps[place], *outside.editions],
            # Nobody is asked at a school that is being set up, or has left the trust.
            held=held[place] if place is None or place in standing else (),
            asked=asked[place],
            signed=[*signed[place], *outside.signed],
            away=away_on(today, absences[place]),
            back=back_by(today, absences[place]),
            elsewhere=outside.asked_elsewhere(place, {one.person_id for one in held[place]}),
        )
        for place in places
    }


class _Everywhere(tuple[Place, ...]):
    """Stands for all places of the trust."""

    __slots__ = ()


#: All places of the trust: nothing has to be compared with a list of them.
EVERYWHERE = _Everywhere()


def at_places(column: InstrumentedAttribute[Any], places: Collection[Place]) -> ColumnElement[bool]:
    """Rows of some places, the trust among them where None is."""
    if places is EVERYWHERE:
        return true()
    # One array, not a list of values: the statement is the same for any number of places, and stays prepared.
    schools = [one for one in places if one is not None]
    here: ColumnElement[bool] = column == any_(literal(schools, ARRAY(Uuid)))
    return or_(here, column.is_(None)) if None in places else here


def holds(on: date) -> ColumnElement[bool]:
    """Memberships that hold on a day."""
    return and_(Membership.from_on <= on, or_(Membership.to_on.is_(None), Membership.to_on >= on))


def _held(today: date, places: Collection[Place], people: Collection[UUID] | None) -> dict[Place, list[Held]]:
    statement = select(Membership.school_id, Membership.person_id, Membership.role, Membership.from_on).where(
        at_places(Membership.school_id, places), holds(today)
    )
    if people is not None:
        statement = statement.where(Membership.person_id.in_(people))
    found: dict[Place, list[Held]] = defaultdict(list)
    for school_id, person_id, role, from_on in db.session.execute(statement):
        found[school_id].append(Held(person_id, Role(role), from_on))
    return found


def _asked(places: Collection[Place], people: Collection[UUID] | None) -> dict[Place, list[Asked]]:
    statement = (
        select(
            Assignment.school_id,
            Assignment.id,
            Assignment.campaign_id,
            Campaign.academic_year,
            func.coalesce(Assignment.policy_id, Assignment.outside_id),
            Assignment.person_id,
            func.coalesce(Assignment.edition_id, Assignment.outside_edition_id),
            Assignment.due_on,
            Assignment.paused_on.is_not(None),
        )
        .join(Campaign, Campaign.id == Assignment.campaign_id)
        .where(at_places(Assignment.school_id, places), Assignment.state == "open")
    )
    if people is not None:
        statement = statement.where(Assignment.person_id.in_(people))
    found: dict[Place, list[Asked]] = defaultdict(list)
    for row in db.session.execute(statement):
        found[row[0]].append(Asked(row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8]))
    return found


def absences_at(places: Collection[Place], people: Collection[UUID] | None = None) -> dict[Place, list[Away]]:
    """Who is, was and will be away from some places."""
    statement = select(Absence.school_id, Absence.person_id, Absence.from_on, Absence.to_on).where(
        at_places(Absence.school_id, places)
    )
    if people is not None:
        statement = statement.where(Absence.person_id.in_(people))
    found: dict[Place, list[Away]] = defaultdict(list)
    for school_id, person_id, from_on, to_on in db.session.execute(statement):
        found[school_id].append(Away(person_id, from_on, to_on))
    return found


def _signed(
    places: Collection[Place], policies: Collection[UUID], people: Collection[UUID] | None
) -> dict[Place, list[Signed]]:
    statement = (
        select(
            Signature.school_id,
            Signature.person_id,
            Signature.policy_id,
            Signature.edition_id,
            Signature.academic_year,
        )
        .ext(distinct_on(Signature.school_id, Signature.person_id, Signature.policy_id))
        .where(at_places(Signature.school_id, places), Signature.policy_id.in_(policies))
        .order_by(
            Signature.school_id,
            Signature.person_id,
            Signature.policy_id,
            Signature.signed_at.desc(),
            Signature.id,
        )
    )
    if people is not None:
        statement = statement.where(Signature.person_id.in_(people))
    found: dict[Place, list[Signed]] = defaultdict(list)
    for school_id, person_id, policy_id, edition_id, year in db.session.execute(statement):
        if policy_id is not None and edition_id is not None:
            found[school_id].append(Signed(person_id, policy_id, edition_id, year))
    return found


def _editions(
    today: date, places: Collection[Place], policies: Collection[UUID]
) -> dict[Place, list[EditionStep]]:
    rows = db.session.execute(
        select(
            Edition.school_id,
            Edition.id,
            Edition.policy_id,
            Edition.major,
            Edition.minor,
            Edition.material,
            Edition.pdf_hash.is_not(None),
        )
        .where(
            at_places(Edition.school_id, places),
            Edition.policy_id.in_(policies),
            Edition.state == "approved",
            Edition.effective_on <= today,
            still_stands(today),
            still_applies(),
        )
        .order_by(Edition.effective_on.desc(), Edition.major.desc(), Edition.minor.desc())
    )
    found: dict[Place, list[EditionStep]] = defaultdict(list)
    newest: set[tuple[Place, UUID]] = set()
    for school_id, edition_id, policy_id, major, minor, material, ready in rows:
        in_force = (school_id, policy_id) not in newest
        newest.add((school_id, policy_id))
        found[school_id].append(
            EditionStep(edition_id, policy_id, (major, minor or 0), material, in_force, ready)
        )
    return found
