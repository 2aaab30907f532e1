"""The register of accounts: entries from approved forms, their people, their reviews, their end, and what is to be
seen to. A password is never asked for and never stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from trustportal.access import Actor, Permission, Role
from trustportal.audit import Action, record
from trustportal.db import current_unit, db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.workflows import mail as wording
from trustportal.workflows.domain import register as domain
from trustportal.workflows.domain.answers import as_day
from trustportal.workflows.domain.register import Flag, Part
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.models import RegisterEntry, RegisterFlag, RegisterPerson
from trustportal.workflows.queries import people
from trustportal.workflows.queries import register as queries

#: Who is told what is to be seen to, first those whose post it is.
KEEPERS = (Role.BUSINESS_MANAGER, Role.HEADTEACHER)


def enter(
    actor: Actor,
    *,
    case_id: UUID,
    school_id: UUID,
    owner_id: UUID | None,
    values: Mapping[str, Any],
    now: datetime,
) -> RegisterEntry:
    """An approved form becomes an entry. Inside the unit of work of the approval."""
    today = day_of(now)
    new = domain.entry_from(values, today=today)
    row = RegisterEntry(
        id=uuid4(),
        school_id=school_id,
        name=new.name,
        platform=new.platform,
        address=new.address,
        official_email=new.official_email,
        purpose=new.purpose,
        owner_id=owner_id,
        custodian_id=new.custodian,
        approved_on=today,
        go_live_on=new.go_live_on,
        review_on=new.review_on,
        closes_on=new.closes_on,
        case_id=case_id,
        created_at=now,
    )
    db.session.add(row)
    db.session.flush()
    _set_people(row, Part.ADMINISTRATOR, new.administrators, today)
    _set_people(row, Part.MODERATOR, new.moderators, today)
    record(actor, Action.REGISTER_ENTERED, now=now, entry_id=row.id, school_id=school_id)
    current_unit().announce(Event.REGISTER_CHECK, entry_id=row.id)
    return row


def change_by_case(actor: Actor, *, school_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """An approved change: more time, other people. Inside the unit of work of the approval."""
    entry_id = next(iter(people_in(values.get("entry"))), None)
    if entry_id is None:
        raise RuleBroken("The form names no account.")
    entry = queries.get_entry(entry_id, school_id=school_id, lock=True)
    if entry.row.closed_on is not None:
        raise RuleBroken("This account is closed: ask for a new one.")
    fields, today = [], day_of(now)
    if closes := as_day(values.get("new_closes_on")):
        entry.row.closes_on = closes
        fields.append("closes_on")
    for key, part in (("administrators", Part.ADMINISTRATOR), ("moderators", Part.MODERATOR)):
        named = people_in(values.get(key))
        if named:
            _set_people(entry.row, part, named, today)
            fields.append(key)
    record(actor, Action.REGISTER_CHANGED, now=now, entry_id=entry_id, school_id=school_id, fields=fields)
    current_unit().announce(Event.REGISTER_CHECK, entry_id=entry_id)


def _set_people(row: RegisterEntry, part: Part, wanted: Collection[UUID], today: date) -> None:
    there = {
        one.person_id: one
        for one in db.session.scalars(
            select(RegisterPerson).where(
                RegisterPerson.entry_id == row.id,
                RegisterPerson.part == str(part),
                RegisterPerson.to_on.is_(None),
            )
        )
    }
    for person_id, one in there.items():
        if person_id not in wanted:
            one.to_on = today
    db.session.flush()
    for person_id in sorted(set(wanted) - set(there), key=str):
        db.session.add(
            RegisterPerson(
                id=uuid4(),
                school_id=row.school_id,
                entry_id=row.id,
                person_id=person_id,
                part=str(part),
                from_on=today,
            )
        )


def change_people(
    actor: Actor,
    *,
    school_id: UUID,
    entry_id: UUID,
    administrators: Collection[UUID],
    moderators: Collection[UUID],
    custodian_id: UUID | None,
    now: datetime,
) -> None:
    """Who looks after an account. At least two of each, and somebody who keeps the sign-in details."""
    actor.require(Permission.REGISTER_KEEP, school_id)
    today = day_of(now)
    with unit_of_work() as uow:
        entry = _open(entry_id, school_id)
        serving = people.serving_at(school_id, today)
        admins = domain.check_people(administrators, serving=serving, field="administrators")
        mods = domain.check_people(moderators, serving=serving, field="moderators")
        if custodian_id not in serving:
            raise RuleBroken("Choose who keeps the sign-in details.", "custodian")
        _set_people(entry.row, Part.ADMINISTRATOR, admins, today)
        _set_people(entry.row, Part.MODERATOR, mods, today)
        entry.row.custodian_id = custodian_id
        record(
            actor,
            Action.REGISTER_CHANGED,
            now=now,
            entry_id=entry_id,
            school_id=school_id,
            fields=["administrators", "moderators", "custodian"],
        )
        uow.announce(Event.REGISTER_CHECK, entry_id=entry_id)


def review(
    actor: Actor, *, school_id: UUID, entry_id: UUID, address: str, review_on: date | None, now: datetime
) -> None:
    """Somebody looked at an account: it is as the register says, and is looked at again on a day."""
    actor.require(Permission.REGISTER_KEEP, school_id)
    today = day_of(now)
    with unit_of_work() as uow:
        entry = _open(entry_id, school_id)
        entry.row.review_on = domain.check_review(review_on, closes_on=entry.row.closes_on, today=today)
        entry.row.checked_on = today
        entry.row.address = " ".join(address.split())[:400]
        record(
            actor,
            Action.REGISTER_CHANGED,
            now=now,
            entry_id=entry_id,
            school_id=school_id,
            fields=["checked_on", "review_on", "address"],
        )
        uow.announce(Event.REGISTER_CHECK, entry_id=entry_id)


def close(
    actor: Actor,
    *,
    school_id: UUID,
    entry_id: UUID,
    archived: bool,
    access_removed: bool,
    note: str,
    now: datetime,
) -> None:
    """An account is at its end: what it held is kept or deleted on purpose, and nobody can get in. The entry stays."""
    actor.require(Permission.REGISTER_KEEP, school_id)
    with unit_of_work() as uow:
        entry = _open(entry_id, school_id)
        if not archived:
            raise RuleBroken("First decide what becomes of the content, and see to it.", "archived")
        if not access_removed:
            raise RuleBroken("First take away everybody's access, and the sign-in details.", "access_removed")
        if not note.strip():
            raise RuleBroken("Say what became of it, and how it went.", "note")
        entry.row.closed_on, entry.row.closing_note = day_of(now), note.strip()[:4000]
        record(actor, Action.REGISTER_CLOSED, now=now, entry_id=entry_id, school_id=school_id)
        uow.announce(Event.REGISTER_CHECK, entry_id=entry_id)


def _open(entry_id: UUID, school_id: UUID) -> queries.Entry:
    entry = queries.get_entry(entry_id, school_id=school_id, lock=True)
    if entry.row.closed_on is not None:
        raise RuleBroken("This account is closed.")
    return entry


# -- what jobs do ------------------------------------------------------------------------------------------------


def announce_checks(*, person_id: UUID | None = None) -> None:
    """A check of every account that is not closed, or of those in which somebody has a part."""
    with unit_of_work() as uow:
        for entry_id in queries.open_entry_ids(person_id=person_id):
            uow.announce(Event.REGISTER_CHECK, entry_id=entry_id)


def check_entry(*, entry_id: UUID, now: datetime) -> None:
    """Raise what is to be seen to at one account, clear what no longer is; each is told once, when it begins."""
    today = day_of(now)
    with unit_of_work():
        entry = queries.get_entry(entry_id, lock=True)
        serving = people.roster(today).people()
        wanted = (
            domain.flags(entry.account(), serving=serving, on=today)
            if entry.row.closed_on is None
            else frozenset()
        )
        there = {
            Flag(one.kind): one
            for one in db.session.scalars(
                select(RegisterFlag).where(
                    RegisterFlag.entry_id == entry_id, RegisterFlag.cleared_at.is_(None)
                )
            )
        }
        for kind, row in there.items():
            if kind not in wanted:
                row.cleared_at = now
        new = sorted(wanted - set(there))
        for kind in new:
            db.session.add(
                RegisterFlag(
                    id=uuid4(),
                    school_id=entry.row.school_id,
                    entry_id=entry_id,
                    kind=str(kind),
                    raised_at=now,
                )
            )
        if new:
            _tell(entry, new, today)


def _tell(entry: queries.Entry, new: list[Flag], today: date) -> None:
    assert entry.row.school_id is not None
    school, slug = tenants.get_school(entry.row.school_id), tenants.get_trust().slug
    told: list[UUID] = []
    for role in KEEPERS:
        told = tenants.people_with_role(role, on=today, school_id=school.id)
        if told:
            break
    message = wording.account_needs(
        trust_slug=slug,
        school_slug=school.slug,
        entry_id=entry.row.id,
        name=entry.row.name,
        what=[domain.FLAG_WORDS[one] for one in new],
    )
    for person_id in told:
        notify(person_id, subject=message.subject, body=message.body, path=message.path, school_id=school.id)
