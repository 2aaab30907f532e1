"""Reminding: every week from a week before the due day on, one mail a person, nothing for what was superseded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from trustportal import mail
from trustportal.acceptance import mail as wording
from trustportal.acceptance.domain.years import REMIND_BEFORE, reminder_is_due
from trustportal.acceptance.models import Assignment, SignatureTrace
from trustportal.acceptance.queries import facts
from trustportal.acceptance.queries.facts import Place
from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import Forbidden
from trustportal.policies import queries as policies
from trustportal.policies.models import Policy
from trustportal.tenants import queries as tenants
from trustportal.times import day_of

#: How long browser and time of a signature are kept beside the signed record.
KEEP_TRACES = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that somebody has not signed."""

    assignment_id: UUID
    person_id: UUID
    title: str
    due_on: date
    asked_on: date
    reminded_on: date | None


def remind_due(*, today: date) -> int:
    """The daily job: remind whoever is due a reminder of all that they owe. Returns how many people were reminded."""
    with unit_of_work():
        by_person: dict[UUID, list[Owed]] = defaultdict(list)
        for one in _owed(today, due_by=today + REMIND_BEFORE):
            by_person[one.person_id].append(one)
        reminded = [
            owed
            for owed in by_person.values()
            if any(
                reminder_is_due(
                    due_on=one.due_on, asked_on=one.asked_on, reminded_on=one.reminded_on, today=today
                )
                for one in owed
            )
        ]
        _remind(reminded, today=today)
        if reminded:
            trust_id = tenants.get_trust().id
            record(Actor.portal(trust_id), Action.ASSIGNMENT_REMINDED, count=len(reminded))
    return len(reminded)


def remind_now(
    actor: Actor, *, campaign_id: UUID, places: Collection[Place], today: date, now: datetime
) -> int:
    """Somebody who may see names reminds everybody who has not signed at some places; nobody twice on one day."""
    for place in places:
        actor.require(Permission.ACCEPTANCE_OVERSEE, place)
    if not places:
        raise Forbidden()
    with unit_of_work():
        campaign = facts.get_campaign(campaign_id)
        by_person: dict[UUID, list[Owed]] = defaultdict(list)
        for one in _owed(today, campaign_id=campaign.id, places=places):
            by_person[one.person_id].append(one)
        reminded = [owed for owed in by_person.values() if all(one.reminded_on != today for one in owed)]
        _remind(reminded, today=today)
        if reminded:
            record(
                actor,
                Action.ASSIGNMENT_REMINDED,
                now=now,
                campaign_id=campaign.id,
                count=len(reminded),
                school_id=next(iter(places)) if len(places) == 1 else None,
            )
    return len(reminded)


def _owed(
    today: date,
    *,
    due_by: date | None = None,
    campaign_id: UUID | None = None,
    places: Collection[Place] | None = None,
) -> Sequence[Owed]:
    statement = (
        select(
            Assignment.id,
            Assignment.person_id,
            Policy.title,
            Assignment.due_on,
            Assignment.created_at,
            Assignment.reminded_on,
            Assignment.edition_id,
        )
        .join(Policy, Policy.id == Assignment.policy_id)
        .where(Assignment.state == "open")
        .order_by(Assignment.person_id, Assignment.due_on, Policy.title)
    )
    if due_by is not None:
        statement = statement.where(Assignment.due_on <= due_by)
    if campaign_id is not None:
        statement = statement.where(Assignment.campaign_id == campaign_id)
    if places is not None:
        statement = statement.where(facts.at_places(Assignment.school_id, places))
    rows = db.session.execute(statement).all()
    in_force = {edition.id for edition in policies.editions_in_force(today)} if rows else set()
    return [
        Owed(row.id, row.person_id, row.title, row.due_on, day_of(row.created_at), row.reminded_on)
        for row in rows
        if row.edition_id in in_force
    ]


def _remind(people: Iterable[Sequence[Owed]], *, today: date) -> None:
    people = list(people)
    if not people:
        return
    slug = tenants.get_trust().slug
    for owed in people:
        message = wording.reminder(
            trust_slug=slug,
            titles=list(dict.fromkeys(one.title for one in owed)),
            due_on=min(one.due_on for one in owed),
            today=today,
        )
        mail.notify(owed[0].person_id, subject=message.subject, body=message.body, path=message.path)
    db.session.execute(
        update(Assignment)
        .where(Assignment.id.in_([one.assignment_id for owed in people for one in owed]))
        .values(reminded_on=today)
        .execution_options(synchronize_session=False)
    )


def forget_traces(*, now: datetime) -> None:
    """Dispose of the browsers of signatures after twelve months; the signed records stay."""
    with unit_of_work():
        db.session.execute(
            delete(SignatureTrace)
            .where(SignatureTrace.created_at < now - KEEP_TRACES)
            .execution_options(synchronize_session=False)
        )
