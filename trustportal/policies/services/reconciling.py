"""The head's decisions about a new version of the trust's text, clause by clause."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import unit_of_work
from trustportal.errors import Conflict, RuleBroken
from trustportal.policies import queries, reading
from trustportal.policies.domain.plan import Pending
from trustportal.policies.domain.rebase import rebase
from trustportal.policies.domain.reconcile import Decision, apply_decisions, check_decision
from trustportal.policies.models import Reconcile
from trustportal.policies.services import local
from trustportal.policies.services.publishing import decision_of


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
