"""Opening an approval run: the route's stages with the people who hold the posts today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal.access import SCHOOL_ROLES, Actor, Role
from trustportal.db import db
from trustportal.policies import queries, reading
from trustportal.policies.domain import approval, routes
from trustportal.policies.domain.answers import agreements_needed
from trustportal.policies.domain.approval import Stage
from trustportal.policies.domain.routes import Step
from trustportal.policies.models import (
    ApprovalMember,
    ApprovalRun,
    Edition,
    Policy,
    Standing,
    TemplateVersion,
)
from trustportal.tenants import queries as tenants
from trustportal.times import day_of


def holders_of(roles: Iterable[str], *, on: date, school_id: UUID | None) -> dict[str, list[str]]:
    """Who holds each post on a day, as ids in words; posts of a school are looked up at that school."""
    return {
        name: [
            str(person)
            for person in tenants.people_with_role(
                Role(name), on=on, school_id=school_id if Role(name) in SCHOOL_ROLES else None
            )
        ]
        for name in dict.fromkeys(roles)
    }


def stages_for(
    steps: Sequence[Step], *, on: date, school_id: UUID | None, barred: frozenset[str]
) -> tuple[Stage, ...]:
    """The stages of a route, each with its members of today.

    Raises `RuleBroken` when a stage could never be met, so that a submission cannot wait for nobody.
    """
    stages = []
    for step in steps:
        held = holders_of(step.roles, on=on, school_id=school_id)
        named = [one for one in step.people if one in may_decide(on=on, school_id=school_id)]
        members = dict.fromkeys([*named, *(one for people in held.values() for one in people)])
        stages.append(
            Stage(
                body=step.body,
                rule=step.rule,
                members=tuple(one for one in members if one not in barred),
                needed=step.needed,
                quorum=step.quorum,
                roles=step.roles,
                named=step.people,
                chair_may_act=step.chair_may_act,
            )
        )
    approval.check_route(stages, barred)
    return tuple(stages)


def may_decide(*, on: date, school_id: UUID | None) -> frozenset[str]:
    """Everybody whose posts let them decide: the trust's, and at a school its chair of governors. A named person who
    holds none of these any more decides nothing.
    """
    roles = routes.EDITION_ROLES if school_id is not None else routes.VERSION_ROLES
    held = holders_of(roles, on=on, school_id=school_id)
    return frozenset(one for people in held.values() for one in people)


def still_members(run: ApprovalRun, *, on: date, voted: Iterable[tuple[int, str]]) -> tuple[Stage, ...]:
    """The stages of a run without those who have lost, before they voted, the post by which they were asked."""
    stages = approval.stages_from_json(run.stages)
    if run.state != "pending":
        return stages
    cast, found = set(voted), []
    held: dict[str, list[str]] = {}
    for at, stage in enumerate(stages):
        if at < run.stage or not (stage.roles or stage.named):
            found.append(stage)
            continue
        for name in stage.roles:
            if name not in held:
                held |= holders_of([name], on=on, school_id=run.school_id)
        keep = {one for name in stage.roles for one in held[name]} | {one for step, one in cast if step == at}
        if stage.named:
            keep |= set(stage.named) & may_decide(on=on, school_id=run.school_id)
        found.append(replace(stage, members=tuple(one for one in stage.members if one in keep)))
    return tuple(found)


def open_version_run(
    actor: Actor, *, policy: Policy, version: TemplateVersion, reason: str, now: datetime
) -> ApprovalRun:
    """Ask the policy's approving bodies about a version: the trust's route, or a school's as the trust delegated it."""
    barred = approval.barred_from(version.author_ids, str(actor.person_id))
    on, school_id = day_of(now), policy.school_id
    steps = (
        queries.route_of_versions(policy)
        if school_id is None
        else route_of_changes(school_id, on=on, barred=barred)
    )
    stages = stages_for(steps, on=on, school_id=school_id, barred=barred)
    run = _run(actor, policy, reason, version.content_hash or "", stages, version.author_ids, now)
    run.version_id, run.school_id = version.id, school_id
    return _save(run, stages, school_id)


def open_edition_run(
    actor: Actor, *, policy: Policy, edition: Edition, standing: Standing, reason: str, now: datetime
) -> ApprovalRun:
    """Ask a school's approver about its own changes; first the trust, where a clause asks for its agreement.

    Whoever changed any of the school's answers since its last approval is out of the vote, whoever pressed the button.
    """
    on, school_id = day_of(now), edition.school_id
    assert school_id is not None
    barred = approval.barred_from(standing.author_ids, str(actor.person_id))
    steps = list(route_of_changes(school_id, on=on, barred=barred))
    tree = reading.tree_of_version(queries.get_version(edition.template_version_id))
    if agreements_needed(tree, *reading.answers_in(edition)):
        steps.insert(0, routes.AGREEMENT)
    stages = stages_for(steps, on=on, school_id=school_id, barred=barred)
    run = _run(actor, policy, reason, edition.content_hash, stages, standing.author_ids, now)
    run.edition_id, run.school_id = edition.id, school_id
    return _save(run, stages, school_id)


def route_of_changes(school_id: UUID, *, on: date, barred: frozenset[str]) -> tuple[Step, ...]:
    """Who approves a school's own changes: as delegated, else its chair of governors.

    Where no chair may vote (the post is vacant, or the chair wrote it), the chief executive stands in.
    """
    steps = queries.route_of_changes(school_id) or (routes.CHAIR,)
    chairs = holders_of([Role.CHAIR_OF_GOVERNORS.value], on=on, school_id=school_id)
    vacant = not (set(chairs[Role.CHAIR_OF_GOVERNORS.value]) - barred)
    only_chair = (Role.CHAIR_OF_GOVERNORS.value,)
    return tuple(
        routes.INSTEAD_OF_A_CHAIR if vacant and step.roles == only_chair and not step.people else step
        for step in steps
    )


def _run(
    actor: Actor,
    policy: Policy,
    reason: str,
    content_hash: str,
    stages: Sequence[Stage],
    authors: Sequence[str],
    now: datetime,
) -> ApprovalRun:
    return ApprovalRun(
        id=uuid4(),
        policy_id=policy.id,
        content_hash=content_hash,
        state="pending",
        stage=0,
        stages=approval.stages_to_json(stages),
        author_ids=list(authors),
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
