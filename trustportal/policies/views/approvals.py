"""Deciding: a vote in two minutes on a phone, and the minute of a meeting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Blueprint, Flask, Response, url_for

from trustportal.access import Actor, Permission
from trustportal.errors import NotFound, RuleBroken
from trustportal.policies import linting, queries, reading
from trustportal.policies.domain.approval import MinuteOutcome, RunState, VoteChoice
from trustportal.policies.domain.changes import ChangeRow, marks_from_json
from trustportal.policies.domain.diff import ClauseChange
from trustportal.policies.domain.lint.model import Finding
from trustportal.policies.forms.trust import MinuteForm, VoteForm, given
from trustportal.policies.lint_models import LintAnswer
from trustportal.policies.models import ApprovalRun, Policy, TemplateVersion
from trustportal.policies.services import approvals
from trustportal.tenants import queries as tenants
from trustportal.tenants.tasks import Task, provide_tasks
from trustportal.times import day_of, now, today
from trustportal.web import actor, allow, page, see_other, trust
from trustportal.words import in_sentence, plural

blueprint = Blueprint("approvals", __name__)
RUN = "/t/<trust>/approvals/<uuid:run_id>"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a run judges, as the page shows it."""

    run: ApprovalRun
    policy: Policy
    title: str
    place: str
    changes: tuple[ClauseChange, ...]
    weights: dict[str, str]
    reasons: dict[str, str]
    first: bool
    whole_url: str
    state: RunState
    submitter: str
    #: What changed in the header: (label, old, new).
    header: list[tuple[str, str, str]]
    #: What lint found and somebody let stand, in the words that are judged.
    answered: list[tuple[Finding, LintAnswer]]


def judged(run: ApprovalRun) -> Judged:
    """Load what a run judges: the changes against what is in force, with their marks and reasons."""
    policy = queries.get_policy_by_id(run.policy_id)
    names = tenants.names_of([run.submitted_by])
    if run.version_id is not None:
        version = queries.get_version(run.version_id)
        base = queries.get_version(version.based_on_id) if version.based_on_id else None
        marks = marks_from_json(version.marks)
        title = f"version {(base.number or 0) + 1 if base else 1}"
        changes = reading.compare_versions(policy, base, version)
        return Judged(
            run,
            policy,
            title,
            tenants.get_trust().name,
            changes,
            {key: mark.weight.value for key, mark in marks.items()},
            {key: mark.reason for key, mark in marks.items()},
            base is None,
            url_for("approvals.whole", trust=trust().slug, run_id=run.id),
            approvals.state_of(run),
            names.get(run.submitted_by, "the trust"),
            _header_changes(base, version) if base else [],
            linting.report_of_version(policy, version, today()).answered,
        )
    assert run.edition_id is not None
    edition = queries.get_edition(run.edition_id)
    previous = queries.get_edition(edition.previous_id) if edition.previous_id else None
    rows = [ChangeRow.from_json(one) for one in edition.changes]
    return Judged(
        run,
        policy,
        "the changes",
        reading.place_name(edition.school_id),
        reading.changes_between(previous, edition),
        {row.key: row.weight.value for row in rows},
        {row.key: row.reason for row in rows},
        previous is None,
        url_for("approvals.whole", trust=trust().slug, run_id=run.id),
        approvals.state_of(run),
        names.get(run.submitted_by, "the school"),
        [],
        linting.report_of_place(
            queries.get_version(edition.template_version_id),
            reading.clauses_of(edition),
            edition.school_id,
            today(),
        ).answered,
    )


def may_see(run: ApprovalRun) -> bool:
    """Whether whoever is signed in may see a run: a member, the submitter, the clerk, those who edit."""
    who = actor()
    members = {one for stage in run.stages for one in stage["members"]}
    own = str(who.person_id) in members or run.submitted_by == who.person_id
    return own or who.can(Permission.APPROVAL_MINUTE) or who.can(Permission.TEMPLATE_EDIT)


_HEADER_WORDS = {
    "title": "Title",
    "reference": "Reference",
    "audience": "Who it is for",
    "person_responsible": "Person responsible",
    "approving_body": "Approved by",
    "review_months": "Reviewed every (months)",
    "related": "Related policies",
    "statutory": "Required by law",
    "public": "Open to the public",
    "safeguarding": "About safeguarding",
    "numbering": "Numbering",
}


def _header_changes(old: TemplateVersion, new: TemplateVersion) -> list[tuple[str, str, str]]:
    """What a vote decides besides the clauses."""

    def said(value: object) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "–")

    return [
        (label, said(old.header.get(name)), said(new.header.get(name)))
        for name, label in _HEADER_WORDS.items()
        if old.header.get(name, new.header.get(name)) != new.header.get(name)
    ]


def _run_for(run_id: UUID) -> ApprovalRun:
    """A run that whoever is signed in may see."""
    run = queries.get_run(run_id)
    if not may_see(run):
        raise NotFound()
    return run


@blueprint.get(RUN)
@allow(
    Permission.APPROVAL_DECIDE,
    Permission.EDITION_DECIDE,
    Permission.APPROVAL_MINUTE,
    Permission.EDITION_SUBMIT,
)
def show(trust: str, run_id: UUID) -> Response:
    """What changed, and the decision."""
    return _page(_run_for(run_id), VoteForm())


def _page(run: ApprovalRun, form: VoteForm) -> Response:
    shown = judged(run)
    who = str(actor().person_id)
    decisions = queries.decisions_of([run.id])
    mine = next((row for row in decisions if str(row.person_id) == who and row.stage == run.stage), None)
    asked = (
        run.state == "pending"
        and mine is None
        and who in run.stages[shown.state.stage]["members"]
        and who not in approvals.barred_in(run)
    )
    return page(
        "policies/approvals/show.html",
        shown=shown,
        run=run,
        stage=shown.state.stages[shown.state.stage],
        stage_body=run.stages[shown.state.stage]["body"],
        counts=_counts(shown.changes),
        decisions=decisions,
        mine=mine,
        asked=asked,
        own=who in approvals.barred_in(run),
        may_minute=run.state == "pending"
        and run.version_id is not None
        and actor().can(Permission.APPROVAL_MINUTE),
        form=form,
        status=form.status,
    )


def _counts(changes: Iterable[ClauseChange]) -> list[tuple[int, str]]:
    ops = [change.op.value for change in changes]
    changed = sum(op in {"changed", "moved", "mode", "left_out", "taken_in"} for op in ops)
    return [
        (changed, "clause changed" if changed == 1 else "clauses changed"),
        (ops.count("added"), "added"),
        (ops.count("removed"), "removed"),
    ]


@blueprint.post(RUN)
@allow(Permission.APPROVAL_DECIDE, Permission.EDITION_DECIDE)
def decide(trust: str, run_id: UUID) -> Response:
    """Approve, ask for changes, or step aside."""
    run = _run_for(run_id)
    form = VoteForm()
    try:
        choice = VoteChoice(form.choice.data or "")
    except ValueError:
        raise RuleBroken("Choose one of the buttons.") from None
    if form.carry_out(
        lambda: approvals.decide(
            actor(),
            run_id=run.id,
            choice=choice,
            comment=form.comment.data or "",
            content_hash=form.content_hash.data or "",
            now=now(),
            today=today(),
        )
    ):
        said = {
            VoteChoice.APPROVE: "Thank you. Your approval is recorded.",
            VoteChoice.CHANGES: "Thank you. The author sees what you ask for.",
            VoteChoice.RECUSE: "Noted: you take no part in this decision.",
        }
        return see_other(url_for("approvals.show", trust=trust, run_id=run.id), said[choice])
    return _page(queries.get_run(run.id), form)


@blueprint.get(f"{RUN}/whole")
@allow(
    Permission.APPROVAL_DECIDE,
    Permission.EDITION_DECIDE,
    Permission.APPROVAL_MINUTE,
    Permission.EDITION_SUBMIT,
)
def whole(trust: str, run_id: UUID) -> Response:
    """The whole text that is judged."""
    run = _run_for(run_id)
    shown = judged(run)
    if run.version_id is not None:
        from trustportal.policies.views.trust import rows_of

        version = queries.get_version(run.version_id)
        rows = rows_of(reading.tree_of_version(version), reading.numbering_of(shown.policy, version))
        return page("policies/approvals/whole.html", shown=shown, run=run, rows=rows, clauses=None)
    assert run.edition_id is not None
    clauses = reading.clauses_of(queries.get_edition(run.edition_id))
    return page("policies/approvals/whole.html", shown=shown, run=run, rows=None, clauses=clauses)


@blueprint.route(f"{RUN}/minute", methods=["GET", "POST"])
@allow(Permission.APPROVAL_MINUTE, at="trust")
def minute(trust: str, run_id: UUID) -> Response:
    """The clerk records what a body decided in a meeting."""
    run = _run_for(run_id)
    shown = judged(run)
    form = MinuteForm()
    if not form.is_submitted():
        form.body.data = run.stages[shown.state.stage]["body"]
        form.content_hash.data = run.content_hash
    elif form.carry_out(
        lambda: approvals.minute(
            actor(),
            run_id=run.id,
            body=form.body.data or "",
            met_on=given(form.met_on),
            minute_reference=form.minute_reference.data or "",
            quorum_met=bool(form.quorum_met.data),
            outcome=MinuteOutcome(form.outcome.data),
            comment=form.comment.data or "",
            content_hash=form.content_hash.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(url_for("approvals.show", trust=trust, run_id=run.id), "The decision is recorded.")
    return page("policies/approvals/minute.html", shown=shown, run=run, form=form, status=form.status)


# -- my tasks ----------------------------------------------------------------------------------------------------


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
            yield Task(
                title=f"Record the decision about {_a_title(one.policy.title)}",
                url=url_for("approvals.minute", trust=slug, run_id=one.run.id),
                detail="If the board decides in its meeting: body, date, minute reference, quorum.",
                action_label="Record",
                urgency=2,
            )
    if who.can(Permission.TEMPLATE_PUBLISH):
        for policy, version in queries.versions_to_publish():
            yield Task(
                title=f"Publish the new version of {_a_title(policy.title)}",
                url=url_for("drafts.publish", trust=slug, policy=policy.slug),
                detail=f"It was approved. “{version.reason}”",
                action_label="Publish",
                urgency=0,
            )


def _what(school: str) -> str:
    return f"What {school} wants to change." if school else "A new version."


def _waiting(on: date, since: date) -> str:
    """For how long somebody has been waiting for the decision; nothing on the first day."""
    days = (on - since).days
    return f"waits {plural(days, 'day')}" if days > 0 else ""


def _a_title(title: str) -> str:
    return f"the {in_sentence(title)}"


def install(app: Flask) -> None:
    """Register the pages and tasks."""
    app.register_blueprint(blueprint)
    provide_tasks(tasks)
