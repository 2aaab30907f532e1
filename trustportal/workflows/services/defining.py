"""Workflows of a trust: installed from those that come with the portal, changed in a draft, checked, published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select

from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import Conflict, NotFound, RuleBroken
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.workflows.domain import checking, editing, guarded, reading
from trustportal.workflows.domain.checking import Finding
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.domain.editing import SchoolsOwn
from trustportal.workflows.domain.recipients import ALLEGATION, as_routes
from trustportal.workflows.models import (
    SchoolBreak,
    WorkflowDefinition,
    WorkflowOverride,
    WorkflowVersion,
)
from trustportal.workflows.queries import definitions as queries
from trustportal.workflows.queries import people
from trustportal.workflows.queries.recipients import get_table
from trustportal.workflows.sealing import make_key


def install(*, now: datetime) -> int:
    """The job: give the trust its key and every workflow that comes with the portal; one that the trust never changed
    follows a newer release. Returns how many versions were made.
    """
    shipped = reading.shipped()
    with unit_of_work():
        make_key()
        there = {one.key: one for one in db.session.scalars(select(WorkflowDefinition).with_for_update())}
        missing = [
            WorkflowDefinition(id=uuid4(), key=key, position=position, in_use=True, created_at=now)
            for position, key in enumerate(shipped)
            if key not in there
        ]
        db.session.add_all(missing)
        db.session.flush()
        newest = _newest_versions()
        found = [
            _follow(row, newest.get(row.id), shipped[row.key], now)
            for row in (*there.values(), *missing)
            if row.key in shipped
        ]
        made = [version for version in found if version is not None]
        db.session.add_all(made)
    return len(made)


def _newest_versions() -> dict[UUID, tuple[int, str | None]]:
    """The number of each workflow's newest published version, and what it has of those that come with the portal."""
    rows = db.session.execute(
        select(WorkflowVersion.definition_id, WorkflowVersion.number, WorkflowVersion.shipped_hash)
        .where(WorkflowVersion.state == "published")
        .order_by(WorkflowVersion.number)
    )
    return {row.definition_id: (row.number, row.shipped_hash) for row in rows}


def _follow(
    row: WorkflowDefinition, newest: tuple[int, str | None] | None, definition: Definition, now: datetime
) -> WorkflowVersion | None:
    """The version with which a workflow follows what comes with the portal; None where it does already, or never."""
    digest = reading.fingerprint(definition)
    number, shipped_hash = newest or (0, "")
    if shipped_hash in {None, digest}:
        return None
    return WorkflowVersion(
        id=uuid4(),
        definition_id=row.id,
        state="published",
        number=number + 1,
        content=reading.to_data(definition),
        content_hash=digest,
        shipped_hash=digest,
        reason="Comes with TrustPortal.",
        created_at=now,
        published_at=now,
    )


# -- the draft of the next version ----------------------------------------------------------------------------------


def change(
    actor: Actor,
    *,
    key: str,
    what: str,
    edit: Callable[[Definition], Definition],
    now: datetime,
    seen: str = "",
) -> WorkflowVersion:
    """Change the draft of a workflow's next version; the first change begins one. `what`: a short word for the audit
    trail. `seen`: the hash of what the page showed; where somebody else changed it since, `Conflict`.
    """
    actor.require(Permission.WORKFLOW_MANAGE)
    with unit_of_work():
        current = queries.get_current(key)
        draft = queries.find_draft(current.id, lock=True)
        before = queries.definition_of(draft) if draft else current.definition
        shown = draft.content_hash if draft else current.content_hash
        if seen and seen != shown:
            raise Conflict("Somebody else has changed this workflow meanwhile. Please look at it again.")
        changed = edit(before)
        guarded.check(before, changed)
        content = reading.to_data(changed)
        reading.from_data(content)
        if draft is None:
            draft = WorkflowVersion(
                id=uuid4(),
                definition_id=current.id,
                state="draft",
                content=content,
                content_hash="",
                created_by=actor.person_id,
                created_at=now,
            )
            db.session.add(draft)
        draft.content, draft.content_hash = content, reading.fingerprint(changed)
        record(actor, Action.WORKFLOW_CHANGED, now=now, workflow=key, what=what)
    return draft


def discard(actor: Actor, *, key: str, now: datetime) -> None:
    """Throw the draft away; what is in use stays."""
    actor.require(Permission.WORKFLOW_MANAGE)
    with unit_of_work():
        current = queries.get_current(key)
        draft = queries.find_draft(current.id, lock=True)
        if draft is None:
            raise NotFound()
        db.session.delete(draft)
        record(actor, Action.WORKFLOW_CHANGED, now=now, workflow=key, what="discarded")


def findings(definition: Definition, *, today: date, definition_id: UUID | None = None) -> list[Finding]:
    """What is wrong with a definition, by itself and with the people of today at every school of the trust."""
    roster = people.roster(today)
    own = queries.list_overrides(definition_id) if definition_id else {}
    if definition.key == ALLEGATION:
        definition = replace(definition, routes=as_routes(get_table()))
    found = checking.check_shape(definition)
    for school in tenants.list_schools(open_on=today):
        here = editing.at_school(definition, own.get(school.id, SchoolsOwn({}, {}, {})))
        found += checking.check_people(here, roster, [(school.id, school.name)])
    return found


def publish(actor: Actor, *, key: str, reason: str, now: datetime) -> WorkflowVersion:
    """Bring the draft into use: cases that begin from now on follow it, those that run keep theirs. What a check finds
    wrong keeps it from being used.
    """
    actor.require(Permission.WORKFLOW_MANAGE)
    with unit_of_work():
        current = queries.get_current(key)
        draft = queries.find_draft(current.id, lock=True)
        if draft is None:
            raise RuleBroken("Nothing was changed: there is nothing to publish.")
        if not reason.strip():
            raise RuleBroken("Say why, in a sentence.", "reason")
        found = findings(queries.definition_of(draft), today=day_of(now), definition_id=current.id)
        if not checking.is_usable(found):
            first = next(one for one in found if one.weight is checking.Weight.ERROR)
            raise RuleBroken(f"It cannot be used yet. {first.words}")
        newest = db.session.scalars(
            select(func.max(WorkflowVersion.number)).where(WorkflowVersion.definition_id == current.id)
        ).one()
        draft.number, draft.state = (newest or 0) + 1, "published"
        draft.reason, draft.published_by, draft.published_at = reason.strip()[:400], actor.person_id, now
        record(
            actor,
            Action.WORKFLOW_PUBLISHED,
            now=now,
            workflow=key,
            number=draft.number,
            content_hash=draft.content_hash,
        )
    return draft


def set_in_use(actor: Actor, *, key: str, in_use: bool, now: datetime) -> None:
    """Offer a workflow, or no longer; cases that run go on."""
    actor.require(Permission.WORKFLOW_MANAGE)
    if key == ALLEGATION:
        raise RuleBroken("Concerns about adults can always be reported: this cannot be switched off.")
    with unit_of_work():
        current = queries.get_current(key)
        row = db.session.scalars(
            select(WorkflowDefinition).where(WorkflowDefinition.id == current.id).with_for_update()
        ).one()
        row.in_use = in_use
        record(
            actor, Action.WORKFLOW_CHANGED, now=now, workflow=key, what="in use" if in_use else "not in use"
        )


# -- what a school sets for itself --------------------------------------------------------------------------------


def set_own(
    actor: Actor,
    *,
    key: str,
    school_id: UUID,
    deadlines: Mapping[str, int | None],
    named: Mapping[str, UUID | None],
    letters: Mapping[str, str],
    now: datetime,
) -> None:
    """A school's own deadlines, people and words, where the trust lets it. What is empty is the trust's."""
    actor.require(Permission.WORKFLOW_OVERRIDE, school_id)
    with unit_of_work():
        current = queries.get_current(key)
        definition, may = current.definition, current.definition.school_may
        own = SchoolsOwn({}, {}, {})
        if may.deadlines:
            own = SchoolsOwn(
                {
                    state: editing.days(within, f"deadline-{state}")
                    for state, within in deadlines.items()
                    if within is not None
                },
                own.people,
                own.letters,
            )
        if may.people:
            serving = people.serving_at(school_id, day_of(now))
            chosen = {seat: (person,) for seat, person in named.items() if person is not None}
            for seat, (person,) in chosen.items():
                if person not in serving:
                    raise RuleBroken("Choose people who serve here today.", f"person-{seat}")
            own = SchoolsOwn(own.deadlines, chosen, own.letters)
        if may.letters:
            own = SchoolsOwn(
                own.deadlines,
                own.people,
                {one: body.strip() for one, body in letters.items() if body.strip()},
            )
        made = editing.at_school(definition, own)
        faulty = [one for one in checking.check_shape(made) if one.weight is checking.Weight.ERROR]
        if faulty:
            raise RuleBroken(faulty[0].words)
        row = queries.find_override(current.id, school_id)
        if row is None:
            row = WorkflowOverride(id=uuid4(), definition_id=current.id, school_id=school_id)
            db.session.add(row)
        row.content, row.changed_by, row.changed_at = own.stored(), actor.person_id, now
        record(
            actor,
            Action.WORKFLOW_OVERRIDDEN,
            now=now,
            school_id=school_id,
            workflow=key,
            what=", ".join(sorted(own.stored())),
        )


def add_break(
    actor: Actor, *, school_id: UUID, name: str, from_on: date | None, to_on: date | None, now: datetime
) -> None:
    """A school holiday: it stops the deadlines whose definition says so."""
    actor.require(Permission.WORKFLOW_OVERRIDE, school_id)
    words = " ".join(name.split())
    if not words:
        raise RuleBroken("Give it a name, such as “Half term”.", "name")
    if from_on is None:
        raise RuleBroken("Enter the first day.", "from_on")
    if to_on is None or to_on < from_on:
        raise RuleBroken("Enter a last day that is not before the first.", "to_on")
    with unit_of_work():
        db.session.add(
            SchoolBreak(id=uuid4(), school_id=school_id, name=words[:80], from_on=from_on, to_on=to_on)
        )
        record(
            actor,
            Action.WORKFLOW_OVERRIDDEN,
            now=now,
            school_id=school_id,
            workflow="holidays",
            what="added",
        )


def remove_break(actor: Actor, *, school_id: UUID, break_id: UUID, now: datetime) -> None:
    """Take a school holiday out; deadlines that were set stay as they are."""
    actor.require(Permission.WORKFLOW_OVERRIDE, school_id)
    with unit_of_work():
        row = next((one for one in queries.list_breaks(school_id) if one.id == break_id), None)
        if row is None:
            raise NotFound()
        db.session.delete(row)
        record(
            actor,
            Action.WORKFLOW_OVERRIDDEN,
            now=now,
            school_id=school_id,
            workflow="holidays",
            what="removed",
        )


def check_all(*, today: date) -> list[tuple[str, int, str, list[Finding]]]:
    """Every workflow in use of the trust in scope: key, version, title, findings."""
    return [
        (
            one.key,
            one.number,
            one.definition.title,
            findings(one.definition, today=today, definition_id=one.id),
        )
        for one in queries.list_current()
    ]


def stored_draft(key: str) -> tuple[queries.Current, Definition, str, bool]:
    """A workflow with what its editor works on: the draft, or what is in use; its hash, and whether it is a draft."""
    current = queries.get_current(key)
    draft = queries.find_draft(current.id)
    if draft is None:
        return current, current.definition, current.content_hash, False
    return current, queries.definition_of(draft), draft.content_hash, True
