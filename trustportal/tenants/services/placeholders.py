"""Placeholders: the trust names them, every place fills them once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.tenants import domain, queries
from trustportal.tenants.models import Placeholder, PlaceholderValue


def define_placeholders(actor: Actor, *, definitions: Iterable[Mapping[str, str]]) -> list[Placeholder]:
    """Define slots: {"name", "label", "hint", "example"} each. One that exists keeps its words; built-in ones are
    passed over, since they fill themselves. Returns those that are new.
    """
    actor.require(Permission.PLACEHOLDER_EDIT)
    made: list[Placeholder] = []
    with unit_of_work():
        known = {placeholder.name for placeholder in queries.list_placeholders()}
        for definition in definitions:
            name = definition["name"].strip()
            if name in known or domain.is_built_in(name):
                continue
            domain.check_placeholder_name(name)
            placeholder = Placeholder(
                id=uuid4(),
                name=name,
                label=(definition.get("label") or name)[:200],
                hint=(definition.get("hint") or "")[:400],
                example=(definition.get("example") or "")[:200],
            )
            known.add(name)
            made.append(placeholder)
            db.session.add(placeholder)
            audit.record(actor, Action.PLACEHOLDER_CHANGED, name=name)
    return made


def add_placeholder(actor: Actor, *, name: str, label: str, hint: str = "", example: str = "") -> Placeholder:
    """Define one slot of the trust's own. A name that exists already is refused."""
    domain.check_placeholder_name(name.strip())
    made = define_placeholders(
        actor, definitions=[{"name": name, "label": label, "hint": hint, "example": example}]
    )
    if not made:
        raise RuleBroken("There is a placeholder with this name already.", "name")
    return made[0]


def fill_placeholders(
    actor: Actor, *, school_id: UUID | None, values: Mapping[str, str], now: datetime
) -> frozenset[str]:
    """Fill slots at a school, or (None) at the trust, for every school that has no word of its own.

    An empty value empties the slot; a name that is not among `values` stays as it is. Returns the names that changed;
    drafts of the policies that use them follow (`Event.PLACEHOLDER_CHANGED`, with `school_id` "" for the trust).
    """
    actor.require(Permission.PLACEHOLDER_EDIT, school_id)
    with unit_of_work() as uow:
        defined = {placeholder.name for placeholder in queries.list_placeholders()}
        place = (
            PlaceholderValue.school_id.is_(None)
            if school_id is None
            else PlaceholderValue.school_id == school_id
        )
        rows = {
            row.name: row
            for row in db.session.scalars(select(PlaceholderValue).where(place).with_for_update())
        }
        changed: set[str] = set()
        for name, raw in values.items():
            if name not in defined:
                raise RuleBroken("This placeholder is not on the trust’s list.", name)
            value = " ".join(raw.split())
            if len(value) > 400:
                raise RuleBroken("A placeholder can have up to 400 characters.", name)
            domain.check_plain(value, name)
            row = rows.get(name)
            if (row.value if row else "") == value:
                continue
            changed.add(name)
            if row is None:
                db.session.add(
                    PlaceholderValue(id=uuid4(), school_id=school_id, name=name, value=value, changed_at=now)
                )
            else:
                row.value, row.changed_at = value, now
            audit.record(actor, Action.PLACEHOLDER_CHANGED, now=now, school_id=school_id, name=name)
        if changed:
            uow.announce(Event.PLACEHOLDER_CHANGED, school_id=school_id or "")
    return frozenset(changed)
