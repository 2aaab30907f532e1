"""The head's decisions about a new version of the trust's text; the deadline for them, and forcing after it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import unit_of_work
from trustportal.errors import Conflict, RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries, reading
from trustportal.policies.domain.deadlines import check_deadline, check_force, reminder_due
from trustportal.policies.domain.plan import Pending
from trustportal.policies.domain.rebase import rebase
from trustportal.policies.domain.reconcile import Decision, apply_decisions, check_decision, forced
from trustportal.policies.models import Reconcile
from trustportal.policies.services import local
from trustportal.policies.services.foreseeing import look_at_place
from trustportal.policies.services.publishing import decision_of, take
from trustportal.times import day_of


def decide_clause(
    actor: Actor,
    *,
    policy_id: UUID,
    school_id: UUID,
    key: str,
    decision: Decision,
    row_version: int,
    now: datetime,
) -> None:
    """Keep a head's decision about one clause. It can be changed until all are finished; leave and come back."""
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        reconcile = get_open(policy_id, school_id)
        row = queries.get_reconcile_clause(reconcile.id, key, lock=True)
        if row.row_version != row_version:
            raise Conflict(
                "Somebody else at your school decided this clause meanwhile. Look at it again.",
                theirs={"heading": row.written_heading, "text": row.written_text},
                ours={"heading": decision.heading, "text": decision.text},
            )
        check_decision(Pending.from_json(row.texts), decision)
        row.choice = decision.choice.value
        row.written_heading, row.written_text = decision.heading.strip(), decision.text.strip()
        row.reason = decision.reason.strip()
        row.decided_by, row.decided_at = actor.person_id, now
        row.row_version += 1
        audit.record(
            actor,
            Action.RECONCILE_DECIDED,
            policy_id=policy_id,
            school_id=school_id,
            reconcile_id=reconcile.id,
            clause_key=key,
            choice=decision.choice,
        )


def get_open(policy_id: UUID, school_id: UUID) -> Reconcile:
    """The open reconcile, locked with its standing. Raises `RuleBroken` when a newer version replaced it."""
    queries.get_standing(policy_id, school_id, lock=True)
    reconcile = queries.find_open_reconcile(policy_id, school_id, lock=True)
    if reconcile is None:
        raise RuleBroken(
            "There is nothing left to decide here: it was finished, or a newer version replaced it."
        )
    return reconcile


def finish(actor: Actor, *, policy_id: UUID, school_id: UUID, now: datetime) -> bool:
    """All decided: the school's answers stand on the new version now.

    Returns whether they differ from the newest edition's answers, so that something is left to submit. What the
    school sends for approval is the next step, with its reason.
    """
    actor.require(Permission.OVERRIDE_EDIT, school_id)
    with unit_of_work():
        reconcile = get_open(policy_id, school_id)
        rows = queries.reconcile_clauses(reconcile.id)
        undecided = [row for row in rows if row.choice is None]
        if undecided:
            raise RuleBroken(
                f"{len(undecided)} of {len(rows)} clauses are still to be decided.", undecided[0].clause_key
            )
        to_version = queries.get_version(reconcile.to_version_id)
        old_tree = reading.tree_of_version(queries.get_version(reconcile.from_version_id))
        overrides, added = reading.working_answers(policy_id, school_id)
        plan = rebase(old_tree, reading.tree_of_version(to_version), overrides, added)
        made = apply_decisions(plan, {row.clause_key: decision_of(row) for row in rows})
        local.write_answers(actor, policy_id, school_id, made[0], made[1], now)
        standing = queries.get_standing(policy_id, school_id)
        standing.version_id = to_version.id
        local.note_authors(standing, [actor.person_id, *(row.decided_by for row in rows)])
        reconcile.state, reconcile.closed_at = "decided", now
    return True


# -- the deadline ------------------------------------------------------------------------------------------------


def set_deadline(actor: Actor, *, version_id: UUID, due_on: date, today: date) -> int:
    """Set or move the day by which schools decide about a version, where any still does. Returns at how many.

    Their heads are told. A day later than the old one takes back what forcing was unlocked.
    """
    actor.require(Permission.TEMPLATE_PUBLISH)
    check_deadline(due_on, today)
    with unit_of_work() as uow:
        still = [
            one
            for one in queries.reconciles_to(version_id).values()
            if one.state == "open" and one.due_on != due_on
        ]
        for reconcile in still:
            reconcile.due_on = due_on
            audit.record(
                actor,
                Action.RECONCILE_DUE_CHANGED,
                policy_id=reconcile.policy_id,
                school_id=reconcile.school_id,
                version_id=version_id,
                reconcile_id=reconcile.id,
                due_on=due_on,
            )
            uow.announce(Event.RECONCILE_DUE_CHANGED, reconcile_id=reconcile.id)
    return len(still)


def due_reminders(today: date) -> list[Reconcile]:
    """The open decisions of which the head is reminded today. Inside a job: they are noted as reminded."""
    with unit_of_work():
        due = [
            one
            for one in queries.all_open_reconciles()
            if reminder_due(
                opened_on=day_of(one.created_at),
                due_on=one.due_on,
                reminded_on=one.reminded_on,
                today=today,
            )
        ]
        for reconcile in due:
            reconcile.reminded_on = today
    return due


def force(actor: Actor, *, policy_id: UUID, school_id: UUID, reason: str, now: datetime, today: date) -> None:
    """After the deadline, take the trust's text at a school that has not brought the version to its edition.

    The edition is made of what the school had in force, with the trust's words wherever both had changed; what it
    added itself is kept. It stands in the change log with the reason, and the school is told. What the school works
    on and has not sent stays with it, but for the clauses that were forced.
    """
    actor.require(Permission.TEMPLATE_PUBLISH)
    with unit_of_work() as uow:
        standing = queries.get_standing(policy_id, school_id, lock=True)
        policy = queries.get_policy_by_id(policy_id)
        version = queries.find_latest_version(policy_id)
        asked = queries.find_reconcile_to(version.id, school_id) if version else None
        if version is None or asked is None:
            raise RuleBroken("This school has nothing to decide about this policy.")
        at = look_at_place(policy, version, school_id)
        previous = at.previous
        check_force(
            asked.due_on,
            today,
            has_it=previous is not None and previous.template_version_id == version.id,
            reason=reason,
        )
        waiting = queries.find_submitted_edition(policy_id, school_id, lock=True)
        if waiting is not None:
            local.end_submission(actor, waiting, now)
        plan = at.plan.approved
        answers = apply_decisions(plan, forced(plan)) if plan else ({}, ())
        due = asked.due_on
        assert due is not None
        said = f"The trust's text, after the deadline of {due.day} {due:%B %Y}: {reason.strip()}"
        made = take(
            actor,
            policy,
            version,
            queries.list_schools([school_id])[school_id],
            answers,
            previous,
            standing,
            now=now,
            today=today,
            earliest=today,
            reason=said,
            also=[
                {
                    "body": "The trust",
                    "by": actor.name,
                    "on": today.isoformat(),
                    "minute": "",
                    "method": "forced after the deadline",
                }
            ],
            by="force",
        )
        local.refuse_missing(made.missing)
        if at.plan.working is not None:
            kept = apply_decisions(at.plan.working, forced(at.plan.working))
            local.write_answers(actor, policy_id, school_id, kept[0], kept[1], now)
        standing.version_id = version.id
        asked.state, asked.closed_at, asked.forced_reason = "forced", now, reason.strip()
        audit.record(
            actor,
            Action.RECONCILE_FORCED,
            policy_id=policy_id,
            school_id=school_id,
            version_id=version.id,
            reconcile_id=asked.id,
            clauses=[one.key for one in plan.pending] if plan else [],
            reason=reason.strip(),
            due_on=due,
        )
        uow.announce(Event.RECONCILE_FORCED, reconcile_id=asked.id)
