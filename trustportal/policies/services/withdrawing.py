"""Withdrawing a policy: a recorded decision with a public notice. Nothing is deleted."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries
from trustportal.policies.models import Policy
from trustportal.policies.services import local


def withdraw_policy(
    actor: Actor, *, policy_id: UUID, withdrawn_on: date, because: str, now: datetime, today: date
) -> Policy:
    """Take a policy out of force everywhere from a day on. Its versions, editions and signatures stay on record.

    What is being approved or decided about it ends; campaigns hear of it by an event.
    """
    with unit_of_work() as uow:
        policy = queries.get_policy_by_id(policy_id, lock=True)
        actor.require(Permission.TEMPLATE_PUBLISH)
        if policy.withdrawn_on is not None:
            raise RuleBroken("This policy has been withdrawn already.")
        if queries.find_latest_version(policy.id) is None:
            raise RuleBroken("This policy was never published, so there is nothing to withdraw.")
        if withdrawn_on < today:
            raise RuleBroken(
                "A policy is withdrawn today or later, not on a day that has passed.", "withdrawn_on"
            )
        if not because.strip():
            raise RuleBroken("Say why it is withdrawn: the public reads it.", "because")
        policy.withdrawn_on, policy.withdrawn_because = withdrawn_on, because.strip()
        policy.withdrawn_by, policy.withdrawn_at = actor.person_id, now
        for run in queries.pending_runs_of(policy.id):
            if run.edition_id is not None:
                local.end_submission(actor, queries.get_edition(run.edition_id, lock=True), now)
            else:
                run.state, run.ended_at = "withdrawn", now
                assert run.version_id is not None
                queries.get_version(run.version_id, lock=True).state = "draft"
        for reconcile in queries.open_reconciles(policy.id):
            reconcile.state, reconcile.closed_at = "replaced", now
        audit.record(actor, Action.POLICY_WITHDRAWN, policy_id=policy.id, withdrawn_on=withdrawn_on)
        uow.announce(Event.POLICY_WITHDRAWN, policy_id=policy.id)
    return policy
