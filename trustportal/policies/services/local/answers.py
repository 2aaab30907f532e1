"""A school's answers to the trust's clauses: what each mode allows, with a reason, never overwriting each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.errors import Conflict, RuleBroken
from trustportal.policies import queries, reading
from trustportal.policies.domain.answers import (
    Added,
    Answer,
    Override,
    check_added,
    check_override,
)
from trustportal.policies.domain.clauses import Weight, by_key, fresh_key
from trustportal.policies.models import AddedClause, Standing, TemplateVersion
from trustportal.policies.models import Override as OverrideRow
from trustportal.policies.services.drafts import tidy
from trustportal.tenants import queries as tenants
from trustportal.times import day_of


def answer_clause(
    actor: Actor,
    *,
    policy_id: UUID,
    school_id: UUID,
    key: str,
    answer: Answer,
    heading: str | None,
    text: str | None,
    reason: str,
    weight: Weight,
    row_version: int,
    now: datetime,
) -> None:
    """Record a school's answer about one clause. The clause's mode decides, whatever the page offered.

    `row_version` is 0 where there was no answer yet. Raises `Conflict` when somebody else answered meanwhile.
    """
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        _, version = open_standing(policy_id, school_id, day_of(now), by=actor)
        tree = reading.tree_of_version(version)
        row = queries.find_override(policy_id, school_id, key)
        if (row.row_version if row else 0) != row_version:
            raise Conflict(
                "Somebody else at your school changed this answer while you were writing. Both texts are below.",
                theirs={"heading": row.heading, "text": row.text, "reason": row.reason} if row else None,
                ours={"heading": heading, "text": text, "reason": reason},
            )
        if answer is Answer.INHERIT:
            if row is not None:
                db.session.delete(row)
        else:
            clause = by_key(tree).get(key)
            if clause is None:
                raise RuleBroken("The trust's policy has no such clause.", "key")
            leaves_out = answer is Answer.LEAVE_OUT
            override = Override(
                clause_key=key,
                answer=answer,
                heading=None if leaves_out or heading is None else heading.strip(),
                text=None if leaves_out or text is None else tidy(text),
                reason=reason.strip(),
                base_heading=clause.heading,
                base_text=clause.text,
                weight=weight,
            )
            check_override(tree, override)
            _put_override(actor, policy_id, school_id, override, now, row)
        audit.record(
            actor,
            Action.OVERRIDE_CHANGED,
            policy_id=policy_id,
            school_id=school_id,
            clause_key=key,
            answer=answer,
        )


def add_clause(
    actor: Actor,
    *,
    policy_id: UUID,
    school_id: UUID,
    after: str,
    heading: str,
    text: str,
    reason: str,
    weight: Weight,
    now: datetime,
) -> str:
    """Add a clause of the school's own after another. Returns its key, which never changes."""
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        _, version = open_standing(policy_id, school_id, day_of(now), by=actor)
        tree = reading.tree_of_version(version)
        own = queries.list_added(policy_id, school_id)
        taken = {clause.key for clause in tree} | {row.key for row in own}
        key = fresh_key(taken, "here-" + (heading or " ".join(text.split()[:5])))
        added = Added(key, after, heading.strip(), tidy(text), reason.strip(), weight)
        check_added(tree, added, reading.answers_of([], own)[1])
        db.session.add(
            AddedClause(
                policy_id=policy_id,
                school_id=school_id,
                key=key,
                after_key=after,
                position=len(own),
                heading=added.heading,
                text=added.text,
                reason=added.reason,
                weight=weight.value,
                changed_by=actor.person_id,
                changed_at=now,
            )
        )
        audit.record(
            actor,
            Action.OVERRIDE_CHANGED,
            policy_id=policy_id,
            school_id=school_id,
            clause_key=key,
            what="added",
        )
    return key


def change_added(
    actor: Actor,
    *,
    policy_id: UUID,
    school_id: UUID,
    key: str,
    heading: str,
    text: str,
    reason: str,
    weight: Weight,
    row_version: int,
    now: datetime,
) -> None:
    """Change a clause that the school added."""
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        _, version = open_standing(policy_id, school_id, day_of(now), by=actor)
        row = queries.find_added(policy_id, school_id, key)
        if row is None:
            raise RuleBroken("This clause was removed meanwhile. Add it again if you need it.", "key")
        if row.row_version != row_version:
            raise Conflict(
                "Somebody else at your school changed this clause while you were writing. Both texts are below.",
                theirs={"heading": row.heading, "text": row.text, "reason": row.reason},
                ours={"heading": heading, "text": text, "reason": reason},
            )
        added = Added(key, row.after_key, heading.strip(), tidy(text), reason.strip(), weight)
        others = [one for one in queries.list_added(policy_id, school_id) if one.key != key]
        check_added(reading.tree_of_version(version), added, reading.answers_of([], others)[1])
        row.heading, row.text, row.reason, row.weight = added.heading, added.text, added.reason, weight.value
        row.row_version += 1
        row.changed_by, row.changed_at = actor.person_id, now
        audit.record(
            actor,
            Action.OVERRIDE_CHANGED,
            policy_id=policy_id,
            school_id=school_id,
            clause_key=key,
            what="changed",
        )


def remove_added(actor: Actor, *, policy_id: UUID, school_id: UUID, key: str, now: datetime) -> None:
    """Take back a clause that the school added. What editions said with it stays."""
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        open_standing(policy_id, school_id, day_of(now), by=actor)
        row = queries.find_added(policy_id, school_id, key)
        if row is not None:
            for other in queries.list_added(policy_id, school_id):
                if other.after_key == key:
                    other.after_key = row.after_key
            db.session.delete(row)
        audit.record(
            actor,
            Action.OVERRIDE_CHANGED,
            policy_id=policy_id,
            school_id=school_id,
            clause_key=key,
            what="removed",
        )


def open_standing(
    policy_id: UUID, school_id: UUID, on: date, *, by: Actor | None = None
) -> tuple[Standing, TemplateVersion]:
    """The standing, locked, and the version that answers are made against. Refused while something else must end.

    `by`: who changes the answers, and so does not vote on them.
    """
    closes_on = tenants.get_school(school_id).closes_on
    if closes_on is not None and closes_on <= on:
        raise RuleBroken("This school has left the trust, so its policies can be read but no longer changed.")
    if queries.get_policy_by_id(policy_id).withdrawn_on is not None:
        raise RuleBroken("This policy has been withdrawn: it can be read, but no longer changed.")
    standing = queries.get_standing(policy_id, school_id, lock=True)
    if queries.find_ending(policy_id, school_id, on) is not None:
        raise RuleBroken(
            "This policy no longer applies at your school: it can be read, but no longer changed."
        )
    if queries.find_open_reconcile(policy_id, school_id) is not None:
        raise RuleBroken(
            "Decide the clauses that the trust's new version asks about first; then change others."
        )
    if queries.find_submitted_edition(policy_id, school_id) is not None:
        raise RuleBroken("Your last changes wait for approval. Take them back, or wait for the decision.")
    if by is not None:
        note_authors(standing, [by.person_id])
    return standing, queries.get_version(standing.version_id)


def note_authors(standing: Standing, people: Iterable[UUID | None]) -> None:
    """Remember who changed a school's working answers, until they are approved."""
    fresh = {str(one) for one in people if one is not None} - set(standing.author_ids)
    if fresh:
        standing.author_ids = [*standing.author_ids, *sorted(fresh)]


def _put_override(
    actor: Actor,
    policy_id: UUID,
    school_id: UUID,
    override: Override,
    now: datetime,
    row: OverrideRow | None = None,
) -> None:
    if row is None:
        row = OverrideRow(
            policy_id=policy_id, school_id=school_id, clause_key=override.clause_key, row_version=0
        )
        db.session.add(row)
    row.answer, row.heading, row.text = override.answer.value, override.heading, override.text
    row.reason, row.weight = override.reason, override.weight.value
    row.base_heading, row.base_text = override.base_heading, override.base_text
    row.row_version += 1
    row.changed_by, row.changed_at = actor.person_id, now


def write_answers(
    actor: Actor,
    policy_id: UUID,
    school_id: UUID,
    overrides: Mapping[str, Override],
    added: Sequence[Added],
    now: datetime,
) -> None:
    """Make a school's working rows say these answers."""
    db.session.execute(
        delete(OverrideRow).where(OverrideRow.policy_id == policy_id, OverrideRow.school_id == school_id)
    )
    db.session.execute(
        delete(AddedClause).where(AddedClause.policy_id == policy_id, AddedClause.school_id == school_id)
    )
    db.session.expire_all()
    for override in overrides.values():
        _put_override(actor, policy_id, school_id, override, now)
    for position, one in enumerate(added):
        db.session.add(
            AddedClause(
                policy_id=policy_id,
                school_id=school_id,
                key=one.key,
                after_key=one.after,
                position=position,
                heading=one.heading,
                text=one.text,
                reason=one.reason,
                weight=one.weight.value,
                changed_by=actor.person_id,
                changed_at=now,
            )
        )
    db.session.flush()


def discard_changes(actor: Actor, *, policy_id: UUID, school_id: UUID, now: datetime) -> None:
    """Go back to the answers of the newest approved edition; nothing that was approved is touched."""
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        standing, _ = open_standing(policy_id, school_id, day_of(now))
        standing.author_ids = []
        latest = queries.find_latest_edition(policy_id, school_id)
        overrides, added = reading.answers_in(latest)
        write_answers(actor, policy_id, school_id, overrides, added, now)
        audit.record(
            actor, Action.OVERRIDE_CHANGED, policy_id=policy_id, school_id=school_id, what="discarded"
        )
