"""What workflows put on the home page: tasks in cases, accounts to see to, drafts, and for the clerk an alarm."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import url_for

from trustportal import web
from trustportal.access import Actor, Permission, Role
from trustportal.tenants.tasks import Task
from trustportal.words import listed
from trustportal.workflows.domain.keeping import SEATS
from trustportal.workflows.domain.register import FLAG_WORDS, RED, Flag
from trustportal.workflows.models import RegisterEntry
from trustportal.workflows.queries import alarms, allegations, case_lists, recipients, register, stand_ins

#: Who is told when nobody can receive something, and who agrees that a record goes: nobody else is looked up for.
ALARMED = {Role.CLERK, Role.DPO}
DISPOSING = {role for roles in SEATS.values() for role in roles} | set(stand_ins.ROLES)


def my_tasks(actor: Actor, today: date) -> Iterable[Task]:
    """What waits for somebody."""
    assert actor.person_id is not None
    slug = web.trust().slug
    for case in case_lists.list_waiting():
        up = case.escalated_to_me and not case.waits_for_me
        about = case.workflow if case.workflow != case.title else ""
        yield Task(
            title=f"{case.title}: {case.state[:1].lower()}{case.state[1:]}",
            url=url_for("cases.show", trust=slug, case_id=case.id),
            detail="It is late and went up to you: see that it is done, or take it over." if up else about,
            due_on=case.due_on,
            place=case.school_name,
            urgency=0,
            tag="Late" if up else "",
            tag_kind="late" if up else "",
        )
    yield from _accounts(actor, slug)
    yield from _confidential(actor, slug)
    if actor.trust_roles & ALARMED and alarms.find_mine() is not None:
        yield Task(
            title="Something waits that nobody can receive",
            url=url_for("tenants.people", trust=slug)
            if actor.can_anywhere(Permission.PEOPLE_READ)
            else url_for("pages.home", trust=slug),
            detail="Look at which posts are vacant. Nothing more can be said here.",
            urgency=0,
            tag="Alarm",
            tag_kind="conflict",
        )


def _confidential(actor: Actor, slug: str) -> Iterable[Task]:
    """For the two who agree to disposals, and for trustees: a table of recipients that waits."""
    if actor.trust_roles & DISPOSING and allegations.list_asks(actor, open_only=True):
        yield Task(
            title="Decide whether a confidential record goes",
            url=url_for("cases.kept", trust=slug),
            detail="The time to keep it has come. You see nothing of what is in it.",
            urgency=1,
        )
    if actor.can(Permission.ROUTING_DECIDE):
        proposed = recipients.find_proposed()
        if proposed is not None and proposed.proposed_by != actor.person_id:
            yield Task(
                title="Decide who receives allegations",
                url=url_for("workflows.recipients_shown", trust=slug),
                detail="Somebody proposes another table. It is used only after a trustee approved it.",
                urgency=1,
            )


def _accounts(actor: Actor, slug: str) -> Iterable[Task]:
    kept = [one for one in actor.school_ids if actor.can(Permission.REGISTER_KEEP, one)]
    if not kept:
        return
    found: dict[RegisterEntry, list[Flag]] = {}
    schools = {}
    for entry, flag, school in register.list_flagged(kept):
        found.setdefault(entry, []).append(flag)
        schools[entry.id] = school
    for entry, flags in found.items():
        school = schools[entry.id]
        red = any(flag in RED for flag in flags)
        yield Task(
            title=f"See to the account “{entry.name}”",
            url=url_for("register.entry", trust=slug, school=school.slug, entry_id=entry.id),
            detail=f"{listed([FLAG_WORDS[flag] for flag in flags])}.".capitalize(),
            due_on=entry.closes_on if Flag.CLOSING_PASSED in flags else None,
            place=school.short_name,
            urgency=0 if red else 1,
            tag="Not as it should be" if red else "",
            tag_kind="late" if red else "",
        )
