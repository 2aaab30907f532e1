"""The register of accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import select

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.tenants.models import School
from trustportal.workflows.domain.register import Account, Flag, Part
from trustportal.workflows.models import RegisterEntry, RegisterFlag, RegisterPerson


@dataclass(slots=True)
class Entry:
    """An account with its people and what is to be seen to."""

    row: RegisterEntry
    administrators: list[UUID] = field(default_factory=list)
    moderators: list[UUID] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)

    def account(self) -> Account:
        """As facts."""
        return Account(
            frozenset(self.administrators),
            frozenset(self.moderators),
            self.row.custodian_id,
            self.row.review_on,
            self.row.closes_on,
        )

    def state_on(self, day: date) -> str:
        """approved, live, closed."""
        if self.row.closed_on is not None:
            return "closed"
        return "approved" if self.row.go_live_on > day else "live"

    def people(self) -> set[UUID]:
        """Everybody who is named in it."""
        found = {*self.administrators, *self.moderators}
        return found | {one for one in (self.row.owner_id, self.row.custodian_id) if one}


def _filled(rows: Iterable[RegisterEntry]) -> list[Entry]:
    entries = {row.id: Entry(row) for row in rows}
    if not entries:
        return []
    for one in db.session.scalars(
        select(RegisterPerson)
        .where(RegisterPerson.entry_id.in_(entries), RegisterPerson.to_on.is_(None))
        .order_by(RegisterPerson.from_on, RegisterPerson.id)
    ):
        entry = entries[one.entry_id]
        (entry.administrators if one.part == Part.ADMINISTRATOR else entry.moderators).append(one.person_id)
    for flag in db.session.scalars(
        select(RegisterFlag)
        .where(RegisterFlag.entry_id.in_(entries), RegisterFlag.cleared_at.is_(None))
        .order_by(RegisterFlag.kind)
    ):
        entries[flag.entry_id].flags.append(Flag(flag.kind))
    return list(entries.values())


def list_entries(*, school_ids: Collection[UUID] | None = None, closed: bool = False) -> list[Entry]:
    """The accounts of some schools (None: all that the scope sees), by name."""
    statement = select(RegisterEntry).order_by(RegisterEntry.name)
    statement = statement.where(
        RegisterEntry.closed_on.is_not(None) if closed else RegisterEntry.closed_on.is_(None)
    )
    if school_ids is not None:
        statement = statement.where(RegisterEntry.school_id.in_(school_ids))
    return _filled(db.session.scalars(statement))


def get_entry(entry_id: UUID, *, school_id: UUID | None = None, lock: bool = False) -> Entry:
    """One account; of a school, where one is given."""
    statement = select(RegisterEntry).where(RegisterEntry.id == entry_id)
    if school_id is not None:
        statement = statement.where(RegisterEntry.school_id == school_id)
    row = db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound()
    return _filled([row])[0]


def list_flagged(school_ids: Collection[UUID]) -> list[tuple[RegisterEntry, Flag, School]]:
    """What is to be seen to at some schools, with the account and the school."""
    rows = db.session.execute(
        select(RegisterEntry, RegisterFlag.kind, School)
        .join(RegisterFlag, RegisterFlag.entry_id == RegisterEntry.id)
        .join(School, School.id == RegisterEntry.school_id)
        .where(RegisterFlag.cleared_at.is_(None), RegisterEntry.school_id.in_(school_ids))
        .order_by(RegisterEntry.name, RegisterFlag.kind)
    )
    return [(entry, Flag(kind), school) for entry, kind, school in rows]


def open_entry_ids(*, person_id: UUID | None = None) -> list[UUID]:
    """Accounts that are not closed; of a person, where one is given."""
    statement = select(RegisterEntry.id).where(RegisterEntry.closed_on.is_(None)).order_by(RegisterEntry.id)
    if person_id is not None:
        named = select(RegisterPerson.entry_id).where(
            RegisterPerson.person_id == person_id, RegisterPerson.to_on.is_(None)
        )
        statement = statement.where(RegisterEntry.id.in_(named) | (RegisterEntry.custodian_id == person_id))
    return list(db.session.scalars(statement))


def history_of(entry_id: UUID) -> dict[Part, list[RegisterPerson]]:
    """Everybody who ever had a part in an account."""
    found: dict[Part, list[RegisterPerson]] = defaultdict(list)
    for one in db.session.scalars(
        select(RegisterPerson)
        .where(RegisterPerson.entry_id == entry_id)
        .order_by(RegisterPerson.from_on, RegisterPerson.id)
    ):
        found[Part(one.part)].append(one)
    return found
