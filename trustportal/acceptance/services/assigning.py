"""Asking people: the plan of a place is made and applied, one place in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Text, Uuid, case, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from trustportal import mail
from trustportal.acceptance import mail as wording
from trustportal.acceptance.domain.campaign import place_key, reaches
from trustportal.acceptance.domain.counting import BITS
from trustportal.acceptance.domain.planning import Because, Cause, Open, Plan, plan_assignments
from trustportal.acceptance.models import Assignment
from trustportal.acceptance.queries import facts, outside
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.services import chasing
from trustportal.db import current_scope, db, one_at_a_time, unit_of_work
from trustportal.jobs import Event
from trustportal.policies import queries as policies
from trustportal.tenants import queries as tenants


def ask_for_assigning(places: Iterable[Place]) -> None:
    """Announce, in the open unit of work, that the assignments of some places are to be planned: a job for each."""
    with unit_of_work() as uow:
        for place in places:
            uow.announce(Event.PLACE_TO_ASSIGN, place=place_key(place))


def plan_day(*, today: date) -> None:
    """Every day: people begin and leave, and campaigns open, so every place that one reaches is planned."""
    with unit_of_work():
        running = facts.running_campaigns(today)
        if running:
            ask_for_assigning(
                place
                for place in facts.all_places(today)
                if any(reaches(one.places, place) for one in running)
            )


def plan_campaign(*, campaign_id: UUID, today: date) -> None:
    """A campaign was opened or changed: plan the places that it reaches, if its first day has come."""
    with unit_of_work():
        campaign = facts.get_campaign(campaign_id)
        if campaign.state == "open" and campaign.opens_on <= today:
            reached = {place for place in facts.all_places(today) if reaches(campaign.places, place)}
            # A campaign that was changed may have left a place: what is open there is closed.
            everywhere = reached | facts.places_asked(campaign.id)
            ask_for_assigning(sorted(everywhere, key=place_key))


def assign_for_edition(*, edition_id: UUID, today: date, now: datetime) -> None:
    """An edition came into force, or its PDF was stored: when both are true, its place is planned.

    Whoever has an open assignment goes on to it; whoever signed an earlier one is asked again if it is material.
    """
    with unit_of_work():
        edition = policies.get_edition(edition_id)
        if edition.state != "approved" or edition.pdf_hash is None:
            return
        in_force = policies.find_edition_in_force(edition.policy_id, edition.school_id, today)
        if in_force is not None and in_force.id == edition.id:
            assign_place(edition.school_id, today=today, now=now)


def assign_for_document(*, document_id: UUID, today: date) -> None:
    """An edition of an outside document was recorded: the places whose people are asked for it are planned. One that
    holds from a later day is found by the daily plan.
    """
    with unit_of_work():
        running = [one for one in facts.running_campaigns(today) if document_id in one.documents]
        if running:
            ask_for_assigning(
                place
                for place in facts.all_places(today)
                if any(reaches(one.places, place) for one in running)
            )


def assign_person(*, person_id: UUID, today: date, now: datetime) -> None:
    """Somebody's roles changed: ask them where they begin, close what is open where they left."""
    with unit_of_work():
        served = facts.places_served(person_id, today)
        # Where they have left goes first: what is asked only once is then asked where they still are.
        for place in sorted(
            facts.places_of_person(person_id), key=lambda one: (one in served, place_key(one))
        ):
            assign_place(place, today=today, now=now, people=[person_id])


def assign_place(
    school_id: Place, *, today: date, now: datetime, people: Collection[UUID] | None = None
) -> Plan:
    """Plan one place and apply it. Doing it again changes nothing."""
    with unit_of_work():
        one_at_a_time(f"assign {place_key(school_id)}")
        running = facts.running_campaigns(today, lock=True)
        plan = plan_assignments(facts.place_facts(today, running, [school_id], people=people)[school_id])
        _hold(plan)
        for because in Because:
            ids = [one.assignment_id for one in plan.close if one.because is because]
            close_assignments(ids, because, now=now)
        _move(plan)
        _wait_or_go_on(plan, today=today)
        documents = frozenset[UUID]().union(*(one.documents for one in running))
        opened = _open(school_id, plan.open, documents, now=now)
        _count(school_id, people)
        if opened:
            _tell(school_id, opened, now=now)
    return plan


def _hold(plan: Plan) -> None:
    """Lock all that stands and will change, before the first change: who signs locks an assignment, then how its person
    stands in the campaign, and in any other order the two could wait for each other for ever.
    """
    ids = [
        *(one.assignment_id for one in plan.close),
        *(one.assignment_id for one in plan.move),
        *(one.assignment_id for one in plan.resume),
        *plan.pause,
    ]
    if ids:
        db.session.execute(
            select(Assignment.id).where(Assignment.id.in_(ids)).order_by(Assignment.id).with_for_update()
        )


def _count(school_id: Place, people: Collection[UUID] | None) -> None:
    """Write down in which roles people are asked at a place, from when to when, and what they owe."""
    db.session.execute(
        select(
            func.count_people(
                literal(school_id, Uuid),
                literal(None if people is None else list(people), ARRAY(Uuid)),
                literal([str(role) for role in BITS], ARRAY(Text)),
            )
        ),
        execution_options={"unscoped_because": "the function reads the trust of the transaction"},
    )


def close_assignments(ids: Collection[UUID], because: Because, *, now: datetime) -> None:
    """End open assignments without a signature; one that was signed meanwhile stays signed."""
    if ids:
        db.session.execute(
            update(Assignment)
            .where(Assignment.id.in_(ids), Assignment.state == "open")
            .values(state="closed", closed_at=now, closed_because=str(because))
            .execution_options(synchronize_session=False)
        )


def _move(plan: Plan) -> None:
    by_edition: dict[UUID, list[UUID]] = defaultdict(list)
    for move in plan.move:
        by_edition[move.edition_id].append(move.assignment_id)
    for edition_id, ids in by_edition.items():
        db.session.execute(
            update(Assignment)
            .where(Assignment.id.in_(ids), Assignment.state == "open")
            .values(
                edition_id=case((Assignment.outside_id.is_(None), edition_id)),
                outside_edition_id=case((Assignment.outside_id.is_not(None), edition_id)),
            )
            .execution_options(synchronize_session=False)
        )


def _wait_or_go_on(plan: Plan, *, today: date) -> None:
    """Whoever went away is waited for; whoever is back has days enough, and the reminders begin anew."""
    if plan.pause:
        db.session.execute(
            update(Assignment)
            .where(Assignment.id.in_(plan.pause), Assignment.state == "open")
            .values(paused_on=today)
            .execution_options(synchronize_session=False)
        )
    by_day: dict[date, list[UUID]] = defaultdict(list)
    for one in plan.resume:
        by_day[one.due_on].append(one.assignment_id)
    for due_on, ids in by_day.items():
        db.session.execute(
            update(Assignment)
            .where(Assignment.id.in_(ids), Assignment.state == "open")
            .values(paused_on=None, due_on=due_on, reminded_on=None, escalated=0)
            .execution_options(synchronize_session=False)
        )


def _open(
    school_id: Place, wanted: Collection[Open], documents: Collection[UUID], *, now: datetime
) -> list[Open]:
    """Insert new assignments; those that stand already are left out. Returns the ones that are new.

    `documents`: which of the texts are outside documents.
    """
    if not wanted:
        return []
    scope = current_scope()
    assert scope is not None
    by_pair = {(one.person_id, one.policy_id): one for one in wanted}
    # The rows are parameters, not part of the statement: a place with many people and texts has more values
    # than one statement may carry (65,535), and only so are they sent in several.
    rows = db.session.execute(
        insert(Assignment)
        .on_conflict_do_nothing()
        .returning(Assignment.person_id, func.coalesce(Assignment.policy_id, Assignment.outside_id)),
        [
            {
                "id": uuid4(),
                "trust_id": scope.trust_id,
                "school_id": school_id,
                "campaign_id": one.campaign_id,
                "policy_id": None if one.policy_id in documents else one.policy_id,
                "edition_id": None if one.policy_id in documents else one.edition_id,
                "outside_id": one.policy_id if one.policy_id in documents else None,
                "outside_edition_id": one.edition_id if one.policy_id in documents else None,
                "person_id": one.person_id,
                "state": "open",
                "cause": str(one.cause),
                "due_on": one.due_on,
                "created_at": now,
                "escalated": 0,
            }
            for one in by_pair.values()
        ],
    )
    return [by_pair[person_id, text_id] for person_id, text_id in rows]


def _tell(school_id: Place, opened: Collection[Open], *, now: datetime) -> None:
    at = chasing.civil_time(now)
    trust = tenants.get_trust()
    place = tenants.place_name(school_id)
    titles = {policy.id: policy.title for policy in policies.list_policies()} | outside.titles()
    by_person: dict[UUID, list[Open]] = defaultdict(list)
    for one in opened:
        by_person[one.person_id].append(one)
    for person_id, mine in by_person.items():
        message = wording.asked(
            trust_slug=trust.slug,
            place=place,
            titles=sorted(titles[one.policy_id] for one in mine),
            changed=sorted(titles[one.policy_id] for one in mine if one.cause is Cause.CHANGED),
            due_on=min(one.due_on for one in mine),
        )
        mail.notify(
            person_id,
            subject=message.subject,
            body=message.body,
            path=message.path,
            school_id=school_id,
            not_before=at,
        )
