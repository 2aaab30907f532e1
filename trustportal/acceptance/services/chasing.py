"""The trust's schedule, and telling the late to those who can do something about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update

from trustportal import mail
from trustportal.acceptance import mail as wording
from trustportal.acceptance.domain import chasing as domain
from trustportal.acceptance.domain.chasing import Level, Schedule
from trustportal.acceptance.models import Assignment
from trustportal.acceptance.models import Schedule as ScheduleRow
from trustportal.acceptance.queries import owing, people
from trustportal.acceptance.queries.owing import Owed
from trustportal.access import Actor, Permission, Role
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.tenants import queries as tenants


def set_schedule(actor: Actor, *, now: datetime, **choices: Any) -> Schedule:
    """Choose when people are reminded, whom the late are told to, and the quiet hours. Raises `RuleBroken`."""
    actor.require(Permission.ACCEPTANCE_MANAGE)
    chosen = domain.check_schedule(Schedule(**choices))
    with unit_of_work():
        row = owing.find_schedule(lock=True)
        before = Schedule.read(row.choices) if row is not None else Schedule()
        if row is None:
            row = ScheduleRow(id=uuid4())
            db.session.add(row)
        row.choices, row.changed_by, row.changed_at = chosen.to_json(), actor.person_id, now
        changed = [name for name, value in chosen.to_json().items() if before.to_json()[name] != value]
        if changed:
            record(actor, Action.SIGNING_SCHEDULE_CHANGED, now=now, fields=changed)
    return chosen


def civil_time(now: datetime) -> datetime | None:
    """From when this trust's people may get mail about signing: None for at once."""
    at = domain.civil_time(now, owing.get_schedule())
    return at if at > now else None


def escalate(*, today: date, now: datetime) -> int:
    """The daily job: tell line managers, heads and the trust who is late. Each is told of each once, in one message.

    Whoever is away, asked something, or owes only what was superseded, is told of to nobody. A level that is nobody
    (no line manager noted, no head in post) is passed over: the next one is told in its time.
    """
    with unit_of_work():
        schedule = owing.get_schedule()
        steps: dict[Level, list[Owed]] = defaultdict(list)
        for one in owing.list_owed(today, due_before=today, chased=True):
            level = domain.level_due(schedule, due_on=one.due_on, today=today, told=Level(one.escalated))
            if level > one.escalated:
                steps[level].append(one)
        told = 0
        for level, owed in steps.items():
            for (person_id, place), theirs in _told(level, owed, today).items():
                _tell(person_id, level, theirs, school_id=place, now=now)
                told += 1
            _note(level, owed)
            record(
                Actor.portal(tenants.get_trust().id),
                Action.ASSIGNMENT_ESCALATED,
                now=now,
                level=int(level),
                count=len({one.person_id for one in owed}),
            )
    return told


def _told(level: Level, owed: Sequence[Owed], today: date) -> dict[tuple[UUID, UUID | None], list[Owed]]:
    """Who is told of whom: one message for each person who is told, at each place. Nobody is told of themself."""
    found: dict[tuple[UUID, UUID | None], list[Owed]] = defaultdict(list)
    if level is Level.LINE_MANAGER:
        managers = people.line_managers({one.person_id for one in owed}, today)
        for one in owed:
            manager = managers.get((one.person_id, one.school_id))
            if manager is not None:
                found[manager, one.school_id].append(one)
        return found
    if level is Level.HEAD:
        heads: dict[UUID | None, list[UUID]] = defaultdict(list)
        for serving in tenants.list_serving(on=today, roles=[Role.HEADTEACHER, Role.CEO]):
            heads[serving.school_id].append(serving.person_id)
        for one in owed:
            for head in heads[one.school_id]:
                if head != one.person_id:
                    found[head, one.school_id].append(one)
        return found
    for person_id in tenants.people_with_role(Role.NETWORK_MANAGER, on=today):
        theirs = [one for one in owed if one.person_id != person_id]
        if theirs:
            found[person_id, None] = theirs
    return found


def _tell(
    person_id: UUID, level: Level, owed: Sequence[Owed], *, school_id: UUID | None, now: datetime
) -> None:
    names = tenants.names_of({one.person_id for one in owed})
    places = {school.id: school.short_name for school in tenants.list_schools()}
    message = wording.late(
        trust_slug=tenants.get_trust().slug,
        names=sorted(names.values()),
        by_place=_by_place(owed, places) if level is Level.TRUST else (),
        titles=sorted({one.title for one in owed}),
    )
    mail.notify(
        person_id,
        subject=message.subject,
        body=message.body,
        path=message.path,
        school_id=school_id,
        not_before=civil_time(now),
    )


def _by_place(owed: Iterable[Owed], places: dict[UUID, str]) -> list[tuple[str, int]]:
    found: dict[str, set[UUID]] = defaultdict(set)
    for one in owed:
        found[places.get(one.school_id, "") if one.school_id else "Central team"].add(one.person_id)
    return sorted((place, len(who)) for place, who in found.items())


def _note(level: Level, owed: Sequence[Owed]) -> None:
    db.session.execute(
        update(Assignment)
        .where(Assignment.id.in_([one.assignment_id for one in owed]))
        .values(escalated=int(level))
        .execution_options(synchronize_session=False)
    )
