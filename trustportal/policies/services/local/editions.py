"""A place's editions: made, numbered, submitted by the head, taken back, released when a value changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import current_unit, db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.policies import linting, queries, reading, texts
from trustportal.policies.domain import changes
from trustportal.policies.domain.answers import (
    Added,
    Override,
    answers_to_json,
)
from trustportal.policies.domain.clauses import Weight
from trustportal.policies.domain.lifecycle import next_edition
from trustportal.policies.models import Edition, Policy, TemplateVersion
from trustportal.policies.reading import Preview
from trustportal.policies.services import lint, runs
from trustportal.policies.services.local.answers import open_standing
from trustportal.times import day_of


@dataclass(frozen=True, slots=True)
class Composed:
    """What a place's next edition would say, before it is one: resolved, compared, weighed. Nothing is written."""

    shown: Preview
    kept: Sequence[texts.Frozen]
    missing: tuple[str, ...]
    rows: tuple[changes.ChangeRow, ...]
    material: bool


def compose(
    policy: Policy,
    version: TemplateVersion,
    school_id: UUID | None,
    answers: tuple[Mapping[str, Override], Sequence[Added]],
    previous: Edition | None,
    *,
    weight_of_values: Weight = Weight.EDITORIAL,
) -> Composed:
    """Resolve a place's policy. `previous`: its newest approved edition, which the change log is about."""
    shown = reading.preview(policy, version, school_id, answers)
    kept = texts.frozen(shown.resolved.clauses)
    rows = (
        changes.edition_rows(
            reading.clauses_of(previous, beside=kept),
            shown.resolved.clauses,
            trust_marks(previous, version),
            _changed_marks(answers, reading.answers_in(previous)),
            values=weight_of_values,
        )
        if previous
        else ()
    )
    return Composed(
        shown,
        kept,
        tuple(dict.fromkeys(one.name for one in shown.resolved.missing)),
        rows,
        material=previous is None or any(row.weight is Weight.MATERIAL for row in rows),
    )


def make_edition(
    actor: Actor,
    *,
    policy: Policy,
    version: TemplateVersion,
    school_id: UUID | None,
    answers: tuple[Mapping[str, Override], Sequence[Added]],
    previous: Edition | None,
    reason: str,
    now: datetime,
    weight_of_values: Weight = Weight.EDITORIAL,
) -> tuple[Edition, Sequence[str]]:
    """Resolve a place's policy into an edition that waits for its approval; it is not added to the session yet.

    `previous`: the newest approved edition of the place, which its change log is about.
    The second part names the placeholders without a value: with any, the edition must not be approved.
    """
    made = compose(policy, version, school_id, answers, previous, weight_of_values=weight_of_values)
    shown = made.shown
    edition = Edition(
        id=uuid4(),
        school_id=school_id,
        policy_id=policy.id,
        template_version_id=version.id,
        previous_id=previous.id if previous else None,
        state="submitted",
        major=version.number,
        minor=None,
        header=shown.header.content(),
        place_name=shown.place,
        tree=texts.keep_edition(made.kept, after=previous.tree if previous else ()),
        answers=answers_to_json(answers[0], answers[1]),
        values={
            name: shown.values.get(name, "")
            for name in sorted({name for clause in shown.resolved.clauses for name in clause.filled})
        },
        content_hash=shown.resolved.content_hash,
        changes=[row.to_json() for row in made.rows],
        material=made.material,
        reason=reason,
        submitted_by=actor.person_id,
        submitted_at=now,
        approvals=[],
    )
    return edition, made.missing


def _changed_marks(
    now: tuple[Mapping[str, Override], Sequence[Added]],
    before: tuple[Mapping[str, Override], Sequence[Added]],
) -> dict[str, changes.Mark]:
    """The marks of the school's answers that are new or differ from those of its last edition."""
    said = {key: (one.answer, one.heading, one.text) for key, one in before[0].items()}
    added = {one.key: (one.heading, one.text, one.after) for one in before[1]}
    overrides = {
        key: one for key, one in now[0].items() if said.get(key) != (one.answer, one.heading, one.text)
    }
    return changes.school_marks(
        overrides, [one for one in now[1] if added.get(one.key) != (one.heading, one.text, one.after)]
    )


def trust_marks(previous: Edition, version: TemplateVersion) -> dict[str, changes.Mark]:
    """How the trust marked each clause in the versions since the place's last edition; material once is material."""
    passed: list[TemplateVersion] = []
    step = version
    while step.id != previous.template_version_id:
        passed.append(step)
        if step.based_on_id is None or step.based_on_id == previous.template_version_id:
            break
        step = queries.get_version(step.based_on_id)
    marks: dict[str, changes.Mark] = {}
    for one in reversed(passed):
        for key, mark in changes.marks_from_json(one.marks).items():
            earlier = marks.get(key)
            heavy = earlier is not None and earlier.weight is Weight.MATERIAL
            marks[key] = changes.Mark(Weight.MATERIAL, mark.reason) if heavy else mark
    return marks


def approve_edition(
    actor: Actor,
    edition: Edition,
    *,
    approvals: list[dict[str, Any]],
    effective_on: date,
    now: datetime,
    by: str,
    policy: Policy | None = None,
    taken: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Give an edition its number and its day. Inside a unit of work; announces what follows.

    One that was just made is added here, so that it is written once. `policy`, `taken` (the numbers of the place's
    editions, as far as they matter): where they are known already, they are not read again.
    """
    if policy is None:
        policy = queries.get_policy_by_id(edition.policy_id)
    if taken is None:
        taken = queries.edition_numbers(edition.policy_id, edition.school_id)
    if policy.school_id is None:
        _, edition.minor = next_edition(taken, edition.major)
    else:
        # A policy of the school's own counts 1, 2, 3; its editions are made and approved in one go.
        edition.major, edition.minor = next_edition(taken, None)
    edition.state = "approved"
    edition.approved_at, edition.effective_on, edition.approvals = now, effective_on, approvals
    db.session.add(edition)
    db.session.flush()
    unit = current_unit()
    unit.announce(Event.EDITION_APPROVED, edition_id=edition.id)
    audit.record(
        actor,
        Action.EDITION_APPROVED,
        edition_id=edition.id,
        policy_id=edition.policy_id,
        school_id=edition.school_id,
        label=reading.edition_label(edition),
        content_hash=edition.content_hash,
        effective_on=effective_on,
        by=by,
    )


def submit_edition(
    actor: Actor,
    *,
    policy_id: UUID,
    school_id: UUID,
    reason: str,
    now: datetime,
    answers: Mapping[str, str] | None = None,
) -> Edition:
    """The head sends the school's changes to whoever approves them for this school.

    What lint finds in the school's own words refuses it (errors) or has to be acknowledged (warnings): `answers` are
    those given with it, mark of the finding -> reason.
    """
    actor.require(Permission.EDITION_SUBMIT, school_id)
    if not reason.strip():
        raise RuleBroken(
            "Say in a sentence why your school makes these changes: the approver reads it first.", "reason"
        )
    with unit_of_work() as uow:
        standing, version = open_standing(policy_id, school_id, day_of(now))
        policy = queries.get_policy_by_id(policy_id)
        working = reading.working_answers(policy_id, school_id)
        latest = queries.find_latest_edition(policy_id, school_id)
        edition, missing = make_edition(
            actor,
            policy=policy,
            version=version,
            school_id=school_id,
            answers=working,
            previous=latest,
            reason=reason.strip(),
            now=now,
        )
        refuse_missing(missing)
        lint.require_clean(
            actor,
            linting.report_of_place(version, reading.clauses_of(edition), school_id, day_of(now)),
            policy_id=policy_id,
            school_id=school_id,
            answers=answers or {},
            now=now,
        )
        same = latest is not None and latest.content_hash == edition.content_hash
        # Who keeps the school's words against a new version says the same as before, and is on the new version then.
        if same and latest is not None and latest.template_version_id == version.id:
            raise RuleBroken("Nothing differs from the edition that you have. Change a clause first.")
        db.session.add(edition)
        db.session.flush()
        run = runs.open_edition_run(
            actor, policy=policy, edition=edition, standing=standing, reason=reason.strip(), now=now
        )
        standing.release_due = False
        audit.record(
            actor,
            Action.EDITION_SUBMITTED,
            policy_id=policy_id,
            school_id=school_id,
            edition_id=edition.id,
            run_id=run.id,
            content_hash=edition.content_hash,
        )
        uow.announce(Event.APPROVAL_ASKED, run_id=run.id)
    return edition


def refuse_missing(missing: Sequence[str]) -> None:
    """Raise `RuleBroken` naming the slots that a place still has to fill."""
    if missing:
        slots = ", ".join(f"“{name}”" for name in missing)
        raise RuleBroken(
            f"Fill in {slots} on your school's page first: the policy has a gap there.", "placeholders"
        )


def withdraw_edition(actor: Actor, *, policy_id: UUID, school_id: UUID, now: datetime) -> None:
    """The head takes a submission back; the working answers stay."""
    actor.require(Permission.EDITION_SUBMIT, school_id)
    with unit_of_work():
        queries.get_standing(policy_id, school_id, lock=True)
        edition = queries.find_submitted_edition(policy_id, school_id, lock=True)
        if edition is None:
            raise RuleBroken("There is nothing to take back: it was decided meanwhile.")
        end_submission(actor, edition, now)


def end_submission(actor: Actor, edition: Edition, now: datetime) -> None:
    """Withdraw an edition that waits, and its run. Inside a unit of work."""
    edition.state = "withdrawn"
    run = queries.find_pending_run(edition_id=edition.id)
    if run is not None:
        run.state, run.ended_at = "withdrawn", now
    audit.record(
        actor,
        Action.EDITION_WITHDRAWN,
        edition_id=edition.id,
        policy_id=edition.policy_id,
        school_id=edition.school_id,
    )


def release_edition(
    actor: Actor, *, policy_id: UUID, school_id: UUID | None, weight: Weight, now: datetime, today: date
) -> Edition:
    """Bring a changed placeholder value into the policy: the head releases the edition, without a vote.

    Only values may differ from the newest edition; anything else goes to the approver.
    """
    actor.require(Permission.EDITION_SUBMIT if school_id else Permission.PLACEHOLDER_EDIT, school_id)
    with unit_of_work():
        standing = queries.get_standing(policy_id, school_id, lock=True)
        policy = queries.get_policy_by_id(policy_id)
        latest = queries.find_latest_edition(policy_id, school_id)
        if latest is None or latest.template_version_id != standing.version_id:
            raise RuleBroken("The trust's new version has to be settled first.")
        edition, missing = make_edition(
            actor,
            policy=policy,
            version=queries.get_version(standing.version_id),
            school_id=school_id,
            answers=reading.answers_in(latest),
            previous=latest,
            reason="A value changed.",
            now=now,
            weight_of_values=weight,
        )
        refuse_missing(missing)
        standing.release_due, standing.missing = False, []
        if edition.content_hash == latest.content_hash:
            return latest
        approve_edition(
            actor,
            edition,
            approvals=[
                {
                    "body": "Values of this school",
                    "by": actor.name,
                    "on": today.isoformat(),
                    "minute": "",
                    "method": "released without a vote",
                }
            ],
            effective_on=max(today, latest.effective_on or today),
            now=now,
            by="release",
        )
    return edition
