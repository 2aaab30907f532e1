"""Reminding: every week from a week before the due day on, one mail a person, nothing for what was superseded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, update

from trustportal import mail
from trustportal.acceptance import mail as wording
from trustportal.acceptance.domain.chasing import reminder_is_due
from trustportal.acceptance.models import Assignment, SignatureTrace
from trustportal.acceptance.queries import facts, owing
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.queries.owing import Owed
from trustportal.acceptance.services import chasing
from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import Forbidden
from trustportal.tenants import queries as tenants

#: How long browser and time of a signature are kept beside the signed record.
KEEP_TRACES = timedelta(days=365)


def remind_due(*, today: date, now: datetime) -> int:
    """The daily job: remind whoever is due a reminder of all that they owe. Returns how many people were reminded.

    One message for each, on the trust's schedule and outside its quiet hours; none about what somebody asked about.
    """
    with unit_of_work():
        schedule = owing.get_schedule()
        by_person: dict[UUID, list[Owed]] = defaultdict(list)
        for one in owing.list_owed(today, due_by=today + timedelta(days=schedule.before), chased=True):
            by_person[one.person_id].append(one)
        reminded = [
            owed
            for owed in by_person.values()
            if any(
                reminder_is_due(
                    schedule,
                    due_on=one.due_on,
                    asked_on=one.asked_on,
                    reminded_on=one.reminded_on,
                    today=today,
                )
                for one in owed
            )
        ]
        _remind(reminded, today=today, now=now)
        if reminded:
            trust_id = tenants.get_trust().id
            record(Actor.portal(trust_id), Action.ASSIGNMENT_REMINDED, count=len(reminded))
    return len(reminded)


def remind_now(
    actor: Actor,
    *,
    campaign_id: UUID | None = None,
    places: Collection[Place],
    today: date,
    now: datetime,
    person_id: UUID | None = None,
) -> int:
    """Somebody who may see names reminds everybody who has not signed at some places, or one of them; nobody twice on
    one day. `campaign_id` None: of whatever campaign.
    """
    for place in places:
        actor.require(Permission.ACCEPTANCE_OVERSEE, place)
    if not places:
        raise Forbidden()
    with unit_of_work():
        if campaign_id is not None:
            facts.get_campaign(campaign_id)
        by_person: dict[UUID, list[Owed]] = defaultdict(list)
        for one in owing.list_owed(today, campaign_id=campaign_id, places=places, person_id=person_id):
            by_person[one.person_id].append(one)
        reminded = [owed for owed in by_person.values() if all(one.reminded_on != today for one in owed)]
        _remind(reminded, today=today, now=now)
        if reminded:
            record(
                actor,
                Action.ASSIGNMENT_REMINDED,
                now=now,
                campaign_id=campaign_id,
                person_id=person_id,
                count=len(reminded),
                school_id=next(iter(places)) if len(places) == 1 else None,
            )
    return len(reminded)


def _remind(people: Iterable[Sequence[Owed]], *, today: date, now: datetime) -> None:
    people = list(people)
    if not people:
        return
    slug, at = tenants.get_trust().slug, chasing.civil_time(now)
    for owed in people:
        message = wording.reminder(
            trust_slug=slug,
            titles=list(dict.fromkeys(one.title for one in owed)),
            due_on=min(one.due_on for one in owed),
            today=today,
        )
        mail.notify(
            owed[0].person_id, subject=message.subject, body=message.body, path=message.path, not_before=at
        )
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
