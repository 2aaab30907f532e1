"""Between meetings: the chair approves alone where the route allows it, and the body ratifies that later."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from trustportal import audit
from trustportal.access import Actor, Permission, Role
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.errors import Forbidden, RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries
from trustportal.policies.domain import approval
from trustportal.policies.domain.approval import RunState
from trustportal.policies.governance_models import Ratification
from trustportal.policies.models import ApprovalDecision
from trustportal.policies.services import approvals
from trustportal.times import day_of


def act_as_chair(
    actor: Actor, *, run_id: UUID, reason: str, content_hash: str, now: datetime, today: date
) -> RunState:
    """The chair of the trust board approves alone, where the route allows it; the body ratifies it later."""
    actor.require(Permission.APPROVAL_DECIDE)
    if Role.CHAIR_OF_TRUST_BOARD not in actor.trust_roles:
        raise Forbidden()
    with unit_of_work():
        run = queries.get_run(run_id, lock=True)
        before, stage = approvals.open_stage(actor, run, today)
        person = str(actor.person_id)
        approval.check_chairs_action(
            stage,
            barred=approvals.barred_in(run),
            person=person,
            reason=reason,
            content_hash=run.content_hash,
            seen_hash=content_hash,
        )
        if any(vote.person == person for vote in approvals.votes_cast(run, before.stage)):
            raise RuleBroken("You have voted on this version already.")
        approvals.record_decision(
            actor,
            run,
            before.stage,
            ApprovalDecision(
                choice="chairs_action",
                comment=reason.strip(),
                content_hash=content_hash,
                body=stage.body,
                decided_at=now,
            ),
        )
        audit.record(
            actor,
            Action.APPROVAL_DECIDED,
            run_id=run.id,
            policy_id=run.policy_id,
            stage=before.stage,
            choice="chairs_action",
            content_hash=content_hash,
        )
        return approvals.move_on(actor, run, now, today)


def ratify(
    actor: Actor,
    *,
    run_id: UUID,
    body: str,
    met_on: date,
    minute_reference: str,
    ratified: bool,
    comment: str,
    now: datetime,
    today: date,
) -> Ratification:
    """The clerk records what the body decided about its chair's action. What was printed meanwhile stays as it is."""
    actor.require(Permission.APPROVAL_MINUTE)
    with unit_of_work() as uow:
        run = queries.get_run(run_id, lock=True)
        acted = [row for row in queries.decisions_of([run.id]) if row.choice == "chairs_action"]
        if run.state != "approved" or not acted:
            raise RuleBroken("There is no chair’s action to ratify here.")
        if queries.find_ratification(run.id) is not None:
            raise RuleBroken("What the body decided about this is recorded already.")
        if str(actor.person_id) in {*approvals.barred_in(run), *(str(row.person_id) for row in acted)}:
            raise RuleBroken("You took part in this, so somebody else records the decision about it.")
        approval.check_ratification(
            body=body,
            met_on=met_on,
            reference=minute_reference,
            acted_on=day_of(acted[-1].decided_at),
            ratified=ratified,
            comment=comment,
            today=today,
        )
        assert actor.person_id is not None
        found = Ratification(
            run_id=run.id,
            person_id=actor.person_id,
            person_name=actor.name,
            body=body.strip(),
            met_on=met_on,
            minute_reference=minute_reference.strip(),
            outcome="ratified" if ratified else "not_ratified",
            comment=comment.strip(),
            recorded_at=now,
        )
        db.session.add(found)
        db.session.flush()
        audit.record(
            actor,
            Action.APPROVAL_RATIFIED,
            run_id=run.id,
            policy_id=run.policy_id,
            body=found.body,
            met_on=met_on,
            minute_reference=found.minute_reference,
            outcome=found.outcome,
        )
        uow.announce(Event.APPROVAL_RATIFIED, run_id=run.id)
    return found
