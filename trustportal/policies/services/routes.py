"""The trust says who approves: its own versions, policy by policy, and each school's own changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from trustportal import audit
from trustportal.access import Actor, Permission, Role
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.errors import Conflict, RuleBroken
from trustportal.policies import queries
from trustportal.policies.domain import routes
from trustportal.policies.domain.approval import ApprovalRule
from trustportal.policies.domain.routes import Step
from trustportal.policies.governance_models import ApprovalRoute
from trustportal.policies.services import runs
from trustportal.tenants import queries as tenants


def set_route(
    actor: Actor,
    *,
    policy_id: UUID | None,
    steps: Sequence[Step],
    row_version: int,
    now: datetime,
    today: date,
) -> ApprovalRoute:
    """Say who approves the versions of a policy, or (None) of every policy without a route of its own.

    `row_version` is 0 where none was set yet. Runs that are open keep the route with which they began.
    """
    actor.require(Permission.TRUST_SETTINGS)
    names = [role.value for role in routes.VERSION_ROLES]
    routes.check_steps(
        steps,
        roles=routes.VERSION_ROLES,
        people=runs.may_decide(on=today, school_id=None),
        holders=runs.holders_of(names, on=today, school_id=None),
    )
    with unit_of_work():
        if policy_id is not None:
            queries.get_policy_by_id(policy_id)
        row = queries.find_route("version", policy_id=policy_id, lock=True)
        _refuse_clash(row, row_version, steps)
        row = _write(actor, row, ApprovalRoute(kind="version", policy_id=policy_id), steps, now)
        audit.record(actor, Action.ROUTE_CHANGED, policy_id=policy_id, kind="version", what="set")
    return row


def clear_route(actor: Actor, *, policy_id: UUID) -> None:
    """Let a policy's versions go the trust's usual way again."""
    actor.require(Permission.TRUST_SETTINGS)
    with unit_of_work():
        row = queries.find_route("version", policy_id=policy_id, lock=True)
        if row is not None:
            db.session.delete(row)
            audit.record(actor, Action.ROUTE_CHANGED, policy_id=policy_id, kind="version", what="cleared")


def _refuse_clash(row: ApprovalRoute | None, seen: int, steps: Sequence[Step]) -> None:
    if (row.row_version if row else 0) != seen:
        raise Conflict(
            "Somebody else changed this route while you were working on it. Theirs stands; yours was not saved.",
            theirs=_said(routes.steps_from_json(row.steps) if row else ()),
            ours=_said(steps),
        )


def _said(steps: Sequence[Step]) -> dict[str, str]:
    return {f"stage {at}": f"{step.body}: {routes.rule_words(step)}" for at, step in enumerate(steps, 1)}


def _write(
    actor: Actor, row: ApprovalRoute | None, fresh: ApprovalRoute, steps: Sequence[Step], now: datetime
) -> ApprovalRoute:
    found = row if row is not None else fresh
    if row is None:
        found.row_version = 0
        db.session.add(found)
    found.steps = routes.steps_to_json(steps)
    found.row_version += 1
    found.changed_by, found.changed_at = actor.person_id, now
    db.session.flush()
    return found


# -- a school's own changes --------------------------------------------------------------------------------------


class Delegation(StrEnum):
    """Who approves a school's own changes."""

    CHAIR = "chair"
    OFFICER = "officer"
    BOTH = "both"


def delegate(
    actor: Actor,
    *,
    school_id: UUID,
    to: Delegation,
    officer_id: UUID | None,
    now: datetime,
    today: date,
) -> None:
    """Say who approves a school's own changes: its chair of governors, a named officer of the trust, or both."""
    actor.require(Permission.TRUST_SETTINGS)
    with unit_of_work():
        school = tenants.get_school(school_id)
        steps: list[Step] = []
        if to in {Delegation.CHAIR, Delegation.BOTH}:
            steps.append(routes.CHAIR)
        if to in {Delegation.OFFICER, Delegation.BOTH}:
            if officer_id is None or str(officer_id) not in runs.may_decide(on=today, school_id=None):
                raise RuleBroken("Choose the officer of the trust who approves.", "officer")
            label = _post_of(officer_id, today)
            steps.append(Step(label, ApprovalRule.NAMED, people=(str(officer_id),)))
        row = queries.find_route("edition", school_id=school.id, lock=True)
        if row is not None and routes.steps_from_json(row.steps) == tuple(steps):
            return
        _write(actor, row, ApprovalRoute(kind="edition", school_id=school.id), steps, now)
        audit.record(actor, Action.ROUTE_CHANGED, school_id=school.id, kind="edition", what=to)


def _post_of(person_id: UUID, on: date) -> str:
    """What an officer is called: the highest of their posts at the trust that may decide."""
    held = [
        one
        for one in tenants.list_serving(on=on, at_trust=True, person_id=person_id)
        if one.role in routes.VERSION_ROLES
    ]
    return min(held, key=lambda one: list(Role).index(one.role)).role_label


def delegated_to(steps: Sequence[Step]) -> tuple[Delegation, UUID | None]:
    """The choice, and the officer, that a school's route says; nothing set means the chair."""
    officers = [UUID(person) for step in steps for person in step.people]
    chair = not steps or any(Role.CHAIR_OF_GOVERNORS.value in step.roles for step in steps)
    if not officers:
        return Delegation.CHAIR, None
    return (Delegation.BOTH if chair else Delegation.OFFICER), officers[0]
