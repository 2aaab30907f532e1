"""Opening an approval run: the route's stages with the people who hold the posts today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal.access import Actor, Role
from trustportal.db import db
from trustportal.policies import queries, reading
from trustportal.policies.domain import approval
from trustportal.policies.domain.answers import agreements_needed
from trustportal.policies.domain.approval import ApprovalRule, Stage
from trustportal.policies.models import ApprovalMember, ApprovalRun, Edition, Policy, TemplateVersion
from trustportal.tenants import queries as tenants
from trustportal.times import day_of

#: A school's own changes go to its chair of governors; where there is none, to the trust's chief executive.
CHAIR: dict[str, Any] = {
    "body": "Chair of governors",
    "roles": ["chair_of_governors"],
    "rule": "n_of",
    "needed": 1,
}
INSTEAD_OF_A_CHAIR: dict[str, Any] = {
    "body": "Chief executive",
    "roles": ["ceo"],
    "rule": "n_of",
    "needed": 1,
}
#: Asked first about clauses for which the trust wants to agree to a change.
AGREEMENT: dict[str, Any] = {
    "body": "The trust's agreement",
    "roles": ["network_manager"],
    "rule": "n_of",
    "needed": 1,
}


def stages_for(
    route: Sequence[dict[str, Any]], *, on: date, school_id: UUID | None, barred: frozenset[str]
) -> tuple[Stage, ...]:
    """The stages of a route, each with its members of today; roles of a school are looked up at that school.

    Raises `RuleBroken` when a stage could never be met, so that a submission cannot wait for nobody.
    """
    stages = []
    for step in route:
        members: list[str] = [str(person) for person in step.get("people", ())]
        for name in step.get("roles", ()):
            role = Role(name)
            at = school_id if role in {Role.CHAIR_OF_GOVERNORS, Role.GOVERNOR, Role.HEADTEACHER} else None
            members += [str(person) for person in tenants.people_with_role(role, on=on, school_id=at)]
        stages.append(
            Stage(
                body=step["body"],
                rule=ApprovalRule(step["rule"]),
                members=tuple(one for one in dict.fromkeys(members) if one not in barred),
                needed=int(step.get("needed", 1)),
                quorum=int(step.get("quorum", 0)),
            )
        )
    approval.check_route(stages, barred)
    return tuple(stages)


def open_version_run(
    actor: Actor, *, policy: Policy, version: TemplateVersion, reason: str, now: datetime
) -> ApprovalRun:
    """Ask the policy's approving bodies about a version of the trust's text."""
    barred = approval.barred_from(version.author_ids, str(actor.person_id))
    stages = stages_for(policy.route, on=day_of(now), school_id=None, barred=barred)
    run = _run(actor, policy, reason, version.content_hash or "", stages, now)
    run.version_id = version.id
    return _save(run, stages, None)


def open_edition_run(
    actor: Actor, *, policy: Policy, edition: Edition, reason: str, now: datetime
) -> ApprovalRun:
    """Ask a school's approver about its own changes; first the trust, where a clause asks for its agreement."""
    on, school_id = day_of(now), edition.school_id
    barred = approval.barred_from((), str(actor.person_id))
    chairs = [
        person
        for person in tenants.people_with_role(Role.CHAIR_OF_GOVERNORS, on=on, school_id=school_id)
        if str(person) not in barred
    ]
    route = [CHAIR if chairs else INSTEAD_OF_A_CHAIR]
    tree = reading.tree_of_version(queries.get_version(edition.template_version_id))
    if agreements_needed(tree, *reading.answers_in(edition)):
        route.insert(0, AGREEMENT)
    stages = stages_for(route, on=on, school_id=school_id, barred=barred)
    run = _run(actor, policy, reason, edition.content_hash, stages, now)
    run.edition_id, run.school_id = edition.id, school_id
    return _save(run, stages, school_id)


def _run(
    actor: Actor, policy: Policy, reason: str, content_hash: str, stages: Sequence[Stage], now: datetime
) -> ApprovalRun:
    return ApprovalRun(
        id=uuid4(),
        policy_id=policy.id,
        content_hash=content_hash,
        state="pending",
        stage=0,
        stages=approval.stages_to_json(stages),
        reason=reason,
        submitted_by=actor.person_id,
        submitted_at=now,
    )


def _save(run: ApprovalRun, stages: Sequence[Stage], school_id: UUID | None) -> ApprovalRun:
    db.session.add(run)
    db.session.flush()
    for at, stage in enumerate(stages):
        db.session.add_all(
            ApprovalMember(school_id=school_id, run_id=run.id, stage=at, person_id=UUID(person))
            for person in stage.members
        )
    db.session.flush()
    return run
