"""What a school's policies ask of its head, for "My tasks", and the quiet facts below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from flask import g, url_for

from trustportal.access import Actor, Permission
from trustportal.policies import place_queries, queries, reading
from trustportal.policies.domain.plan import Situation
from trustportal.policies.models import Policy, Reconcile, ReconcileClause, Standing
from trustportal.policies.queries.imports import OpenJoining
from trustportal.tenants.tasks import Fact, Task
from trustportal.web import SchoolHere, trust
from trustportal.words import listed, plural, spelled

#: A review that is due within so many days is worth a word.
SOON = timedelta(days=60)


def tasks(who: Actor, on: date) -> Iterable[Task]:
    """Decide clauses, release values, fill in what is missing, send what was changed: for heads."""
    mine = [school for school in g.get("my_schools", ()) if who.can(Permission.OVERRIDE_EDIT, school.id)]
    if not mine:
        return
    policies = {policy.id: policy for policy in queries.list_policies()}
    reconciles = queries.list_open_reconciles([school.id for school in mine])
    clauses = place_queries.clauses_of_reconciles([one.id for one in reconciles])
    joinings = queries.list_open_joinings([school.id for school in mine])
    for school in mine:
        deciding = {one.policy_id: one for one in reconciles if one.school_id == school.id}
        for policy_id, reconcile in deciding.items():
            yield _decide(school, policies[policy_id], reconcile, clauses.get(reconcile.id, []))
        for one in joinings:
            if one.school_id == school.id and one.waiting:
                yield _join(school, policies[one.policy_id], one)
        yield from _standing_tasks(school, policies, deciding)


def _standing_tasks(
    school: SchoolHere, policies: dict[UUID, Policy], deciding: dict[UUID, Reconcile]
) -> Iterable[Task]:
    standings = queries.standings_at(school.id)
    waiting = {edition.policy_id for edition in place_queries.list_submitted([school.id])}
    unsent = place_queries.policies_with_unsent(school.id, standings)
    for standing in standings:
        policy = policies[standing.policy_id]
        if standing.missing:
            yield _missing(school, policy, standing)
        if standing.release_due:
            yield _task(
                school,
                policy,
                "release",
                title=f"Release a changed value into the {policy.title}",
                detail="Words that your school fills in have changed. They stand in the policy once you release it.",
                action_label="See the change",
            )
        if policy.id in unsent and policy.id not in deciding and policy.id not in waiting:
            yield _task(
                school,
                policy,
                "submit",
                title=f"Send your changes to the {policy.title}",
                detail="They are kept, and nobody sees them until you send them for approval.",
                action_label="Read and send",
                urgency=2,
            )


def _task(
    school: SchoolHere,
    policy: Policy,
    endpoint: str,
    *,
    title: str,
    detail: str,
    action_label: str,
    urgency: int = 1,
    due_on: date | None = None,
    tag: str = "",
    tag_kind: str = "",
) -> Task:
    return Task(
        title=title,
        url=url_for(
            f"school_policies.{endpoint}", trust=trust().slug, school=school.slug, policy=policy.slug
        ),
        detail=detail,
        due_on=due_on,
        action_label=action_label,
        place=school.short_name,
        urgency=urgency,
        tag=tag,
        tag_kind=tag_kind,
    )


def _decide(
    school: SchoolHere, policy: Policy, reconcile: Reconcile, clauses: Sequence[ReconcileClause]
) -> Task:
    left = [one for one in clauses if one.choice is None]
    conflicts = sum(one.situation == Situation.CONFLICT for one in left)
    if not left:
        return _task(
            school,
            policy,
            "reconcile",
            title=f"Finish your decisions about the {policy.title}",
            detail="Every clause is decided. Finish, and send the result for approval.",
            action_label="Finish",
            due_on=reconcile.due_on,
            urgency=0,
        )
    follows = (
        f"{spelled(reconcile.follows)} of its changes follow by themselves; " if reconcile.follows else ""
    )
    here = "one of yours touches" if len(left) == 1 else f"{spelled(len(left)).lower()} of yours touch"
    return _task(
        school,
        policy,
        "reconcile",
        title=f"Decide {_count(len(left))} of the {policy.title}",
        detail=f"The trust published a new version. {follows}{here} what changed.",
        action_label="Decide",
        due_on=reconcile.due_on,
        urgency=0,
        tag=plural(conflicts, "conflict") if conflicts else "",
        tag_kind="conflict",
    )


def _join(school: SchoolHere, policy: Policy, joining: OpenJoining) -> Task:
    prepared = (
        f" The trust’s office suggests an answer for {spelled(joining.prepared).lower()} of them."
        if joining.prepared
        else ""
    )
    return _task(
        school,
        policy,
        "joining",
        title=f"Decide {_count(joining.waiting)} of your own policy beside the {policy.title}",
        detail=f"Say which of your school’s words stay.{prepared}",
        action_label="Decide",
        urgency=1,
    )


def _count(number: int) -> str:
    return "one clause" if number == 1 else f"{spelled(number).lower()} clauses"


def _missing(school: SchoolHere, policy: Policy, standing: Standing) -> Task:
    return Task(
        title=f"Fill in {plural(len(standing.missing), 'value')} for the {policy.title}",
        url=url_for("tenants.school_placeholders", trust=trust().slug, school=school.slug),
        detail=f"The policy has a gap where {listed(standing.missing)} should stand, so it cannot come into force.",
        action_label="Fill in",
        place=school.short_name,
        urgency=0,
    )


def facts(who: Actor, on: date) -> Iterable[Fact]:
    """How many policies are in force where one serves, and which reviews are near."""
    for school in g.get("my_schools", ()):
        policies = queries.policies_at(school.id)
        editions = place_queries.list_heads_in_force(school.id, [policy.id for policy in policies], on)
        if not editions:
            continue
        url = url_for("school_policies.index", trust=trust().slug, school=school.slug)
        words = "policy in force" if len(editions) == 1 else "policies in force"
        yield Fact(number=str(len(editions)), words=words, url=url, place=school.short_name)
        reviews = [reading.header_of(edition).next_review_on for edition in editions.values()]
        near = sum(review is not None and review <= on + SOON for review in reviews)
        if near and who.can(Permission.OVERRIDE_EDIT, school.id):
            words = "review due soon" if near == 1 else "reviews due soon"
            yield Fact(number=str(near), words=words, url=url, place=school.short_name)
