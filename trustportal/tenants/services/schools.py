"""The schools of a trust, and how each calls its posts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.tenants import domain, queries, starting
from trustportal.tenants.models import School
from trustportal.times import day_of


def create_school(
    actor: Actor,
    *,
    name: str,
    joined_on: date,
    short_name: str = "",
    slug: str = "",
    phase: str = "",
) -> School:
    """Add a school to the trust, from a day on. Its name in addresses never changes: printed codes point at it.

    It is not live yet: `start_school` makes it so.
    """
    actor.require(Permission.SCHOOL_MANAGE)
    full, short = _names(name, short_name)
    with unit_of_work() as uow:
        taken = {school.slug for school in queries.list_schools()}
        chosen = domain.slug_of(slug or short)
        if chosen in taken:
            raise RuleBroken("Another school of the trust has this short name in addresses.", "short_name")
        school = School(
            id=uuid4(),
            slug=chosen,
            name=full,
            short_name=short,
            phase=phase.strip()[:40],
            joined_on=joined_on,
            role_labels={},
        )
        db.session.add(school)
        db.session.flush()
        audit.record(actor, Action.SCHOOL_CREATED, school_id=school.id)
        uow.announce(Event.SCHOOL_CREATED, school_id=school.id)
    return school


def start_school(actor: Actor, *, school_id: UUID, now: datetime) -> School:
    """Make a school live: from now on its public page shows its policies, and its people are asked to sign.

    Refused while anything is missing that a school has to have first, above all somebody other than the head who
    receives an allegation about the head.
    """
    actor.require(Permission.SCHOOL_MANAGE, school_id)
    with unit_of_work() as uow:
        school = queries.get_school(school_id, lock=True)
        if school.started_at is not None:
            return school
        missing = [one.title for one in starting.requirements_of(school, day_of(now)) if not one.met]
        if missing:
            raise RuleBroken(f"{school.short_name} cannot start yet. Missing: {'; '.join(missing)}.")
        school.started_at = now
        audit.record(actor, Action.SCHOOL_STARTED, now=now, school_id=school.id)
        uow.announce(Event.SCHOOL_STARTED, school_id=school.id)
    return school


def change_school(
    actor: Actor,
    *,
    school_id: UUID,
    name: str,
    short_name: str,
    phase: str = "",
    closes_on: date | None = None,
    went_to: str = "",
    went_to_url: str = "",
) -> School:
    """Change what a school is called and until when it is of the trust (`closes_on`: the first day it does not).

    `went_to`, `went_to_url`: what its public pages say from then on.
    """
    actor.require(Permission.SCHOOL_MANAGE, school_id)
    full, short = _names(name, short_name)
    with unit_of_work() as uow:
        school = queries.get_school(school_id)
        if closes_on is not None and closes_on <= school.joined_on:
            raise RuleBroken(
                f"The school joined on {domain.long_day(school.joined_on)}: it can only leave after that.",
                "closes_on",
            )
        new = {
            "name": full,
            "short_name": short,
            "phase": phase.strip()[:40],
            "closes_on": closes_on,
            "went_to": " ".join(went_to.split())[:200],
            "went_to_url": domain.checked_address(went_to_url, "went_to_url"),
        }
        fields = [field for field, value in new.items() if getattr(school, field) != value]
        if not fields:
            return school
        for field in fields:
            setattr(school, field, new[field])
        audit.record(actor, Action.SCHOOL_CHANGED, school_id=school.id, fields=fields)
        if {"name", "short_name"} & set(fields):
            uow.announce(Event.PLACEHOLDER_CHANGED, school_id=school.id)
    return school


def rename_roles(actor: Actor, *, school_id: UUID, labels: Mapping[str, str]) -> School:
    """Say how this school calls its posts: {"headteacher": "Head of School"}; an empty word takes the trust's again."""
    actor.require(Permission.PLACEHOLDER_EDIT, school_id)
    with unit_of_work() as uow:
        school = queries.get_school(school_id)
        checked = domain.checked_labels(labels, domain.NAMED_BY_SCHOOLS)
        if checked == school.role_labels:
            return school
        school.role_labels = checked
        audit.record(actor, Action.SCHOOL_CHANGED, school_id=school.id, fields=["role_labels"])
        uow.announce(Event.PLACEHOLDER_CHANGED, school_id=school.id)
    return school


def _names(name: str, short_name: str) -> tuple[str, str]:
    full = " ".join(name.split())
    short = " ".join(short_name.split()) or full
    if not full or len(full) > 200:
        raise RuleBroken("Enter the school’s name, in up to 200 characters.", "name")
    domain.check_plain(full, "name")
    domain.check_plain(short, "short_name")
    if len(short) > 80:
        raise RuleBroken(
            "Enter a short name of up to 80 characters, as people say it: Ashgrove.", "short_name"
        )
    return full, short
