"""What approving asks of people: votes, minutes, ratifications, publishing; and whose votes a version waits for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from flask import url_for

from trustportal.access import Actor, Permission
from trustportal.policies import queries
from trustportal.policies.domain import approval
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.models import ApprovalRun
from trustportal.policies.services import approvals
from trustportal.tenants import queries as tenants
from trustportal.tenants.tasks import Fact, Task
from trustportal.times import day_of
from trustportal.web import trust
from trustportal.words import in_sentence, listed, plural


def tasks(who: Actor, on: date) -> Iterable[Task]:
    """Votes that wait for me; minutes that the clerk may record; what the network manager does next."""
    slug = trust().slug
    assert who.person_id is not None
    if who.can(Permission.APPROVAL_DECIDE) or who.can_anywhere(Permission.EDITION_DECIDE):
        schools = {}
        waiting = queries.runs_waiting_for(who.person_id)
        ids = {one.run.school_id for one in waiting if one.run.school_id}
        if ids:
            schools = queries.list_schools(ids)
        for one in waiting:
            if not _may_still_vote(who, one.run):
                continue
            school = schools.get(one.run.school_id) if one.run.school_id else None
            yield Task(
                title=f"Decide about {_a_title(one.policy.title)}",
                url=url_for("approvals.show", trust=slug, run_id=one.run.id),
                detail=f"{_what(school.name if school else '')} “{one.run.reason}”",
                action_label="Read and decide",
                place=school.short_name if school else "",
                urgency=0,
                tag=_waiting(on, day_of(one.run.submitted_at)),
            )
    if who.can(Permission.APPROVAL_MINUTE):
        for one in queries.pending_version_runs():
            if str(who.person_id) in approvals.barred_in(one.run):
                continue
            yield Task(
                title=f"Record the decision about {_a_title(one.policy.title)}",
                url=url_for("approvals.minute", trust=slug, run_id=one.run.id),
                detail="If the board decides in its meeting: body, date, minute reference, quorum.",
                action_label="Record",
                urgency=2,
            )
        for one in queries.runs_to_ratify():
            if str(who.person_id) in approvals.barred_in(one.run):
                continue
            yield Task(
                title=f"Record the ratification about {_a_title(one.policy.title)}",
                url=url_for("approvals.ratify", trust=slug, run_id=one.run.id),
                detail="The chair approved it alone. Put it on the agenda, and record what the body says.",
                action_label="Record",
                urgency=2,
            )
    if who.can(Permission.TEMPLATE_PUBLISH) or who.can_anywhere(Permission.OWN_POLICY_EDIT):
        for policy, version in queries.versions_to_publish():
            here = policy.school_id
            if not who.can(Permission.OWN_POLICY_EDIT if here else Permission.TEMPLATE_PUBLISH, here):
                continue
            yield Task(
                title=f"Publish the new version of {_a_title(policy.title)}",
                url=url_for("drafts.publish", trust=slug, policy=policy.slug),
                detail=f"It was approved. “{version.reason}”",
                action_label="Publish",
                urgency=0,
            )


def _may_still_vote(who: Actor, run: ApprovalRun) -> bool:
    """Whether somebody who was asked in the open stage still holds the post, and did not write it."""
    stage = approval.stages_from_json(run.stages)[run.stage]
    person = str(who.person_id)
    return stage.is_member(person, approvals.roles_in(who, run)) and person not in approvals.barred_in(run)


def facts(who: Actor, on: date) -> Iterable[Fact]:
    """Which versions wait for votes, and whose: for those who write and publish them."""
    if not who.can(Permission.TEMPLATE_EDIT):
        return
    pending = queries.pending_version_runs()
    stages = {one.run.id: approval.stages_from_json(one.run.stages)[one.run.stage] for one in pending}
    voted = queries.decisions_of([one.run.id for one in pending]) if pending else []
    said = {(row.run_id, row.stage, str(row.person_id)) for row in voted}
    names = tenants.names_of([UUID(one) for stage in stages.values() for one in stage.members])
    for one in pending:
        stage, run = stages[one.run.id], one.run
        waiting = [
            names.get(UUID(person), "somebody")
            for person in stage.members
            if (run.id, run.stage, person) not in said
        ]
        yes = sum(
            row.run_id == run.id and row.stage == run.stage and row.choice == VoteChoice.APPROVE
            for row in voted
        )
        yield Fact(
            number=str(yes),
            words=f"{'vote' if yes == 1 else 'votes'} so far for the new version of {_a_title(one.policy.title)};"
            f" waits for {listed(sorted(waiting), 'or') if waiting else stage.body}",
            url=url_for("approvals.show", trust=trust().slug, run_id=run.id),
        )


def _what(school: str) -> str:
    return f"What {school} wants to change." if school else "A new version."


def _waiting(on: date, since: date) -> str:
    """For how long somebody has been waiting for the decision; nothing on the first day."""
    days = (on - since).days
    return f"waits {plural(days, 'day')}" if days > 0 else ""


def _a_title(title: str) -> str:
    return f"the {in_sentence(title)}"
