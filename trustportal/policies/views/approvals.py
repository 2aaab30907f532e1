"""Deciding: a vote in two minutes on a phone, and the minute of a meeting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Flask, Response, url_for

from trustportal.access import Permission, Role
from trustportal.errors import Forbidden, NotFound, RuleBroken
from trustportal.policies import linting, queries, reading
from trustportal.policies.domain import approval
from trustportal.policies.domain.approval import MinuteOutcome, RunState, VoteChoice
from trustportal.policies.domain.changes import ChangeRow, marks_from_json
from trustportal.policies.domain.diff import ClauseChange
from trustportal.policies.domain.lint.model import Finding
from trustportal.policies.domain.places import Where
from trustportal.policies.forms.governance import ChairsActionForm, RatifyForm
from trustportal.policies.forms.trust import MinuteForm, VoteForm, given
from trustportal.policies.lint_models import LintAnswer
from trustportal.policies.models import ApprovalRun, Policy, TemplateVersion
from trustportal.policies.services import approvals, placing
from trustportal.policies.services import chairs_action as chairs
from trustportal.policies.views import approval_tasks, presenting
from trustportal.tenants import queries as tenants
from trustportal.tenants.tasks import provide_facts, provide_tasks
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other, trust
from trustportal.words import listed, plural

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
            reading.place_name(run.school_id),
            changes,
            {key: mark.weight.value for key, mark in marks.items()},
            {key: mark.reason for key, mark in marks.items()},
            base is None,
            url_for("approvals.whole", trust=trust().slug, run_id=run.id),
            approvals.state_of(run, on=today()),
            names.get(run.submitted_by, "the trust"),
            _header_changes(policy, base, version) if base else [],
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
        approvals.state_of(run, on=today()),
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


def _header_changes(policy: Policy, old: TemplateVersion, new: TemplateVersion) -> list[tuple[str, str, str]]:
    """What a vote decides besides the clauses, where it applies among it."""
    found = presenting.header_changes(old.header, new.header)
    before = Where.from_json(old.header["where"]) if old.header.get("where") else queries.where_now(policy)
    after = placing.where_of(policy, new)
    if before != after:
        found.append(("Where it applies", where_words(before), where_words(after)))
    return found


def where_words(where: Where) -> str:
    """Where a policy applies, in words."""
    schools = "all schools"
    if where.schools is not None:
        names = [one.name for one in tenants.list_schools() if str(one.id) in where.schools]
        schools = listed(names) if names else "no school"
    return f"{schools}; the central team" if where.trust else schools


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
    at = shown.state.stage
    stage = approval.stages_from_json(run.stages)[at]
    own = who in approvals.barred_in(run)
    asked = (
        run.state == "pending"
        and mine is None
        and not own
        and stage.is_member(who, approvals.roles_in(actor(), run))
    )
    ratification = queries.find_ratification(run.id)
    acted = any(row.choice == "chairs_action" for row in decisions)
    waiting = [UUID(one) for one in shown.state.stages[at].waiting] if run.state == "pending" else []
    return page(
        "policies/approvals/show.html",
        shown=shown,
        run=run,
        stage=shown.state.stages[at],
        stage_body=stage.body,
        counts=_counts(shown.changes),
        decisions=decisions,
        mine=mine,
        asked=asked,
        own=own,
        may_minute=run.state == "pending"
        and run.school_id is None
        and not own
        and actor().can(Permission.APPROVAL_MINUTE),
        may_act_alone=asked and stage.chair_may_act and Role.CHAIR_OF_TRUST_BOARD in actor().trust_roles,
        ratification=ratification,
        to_ratify=acted and ratification is None and run.state == "approved",
        may_ratify=not own and mine is None and actor().can(Permission.APPROVAL_MINUTE),
        effect=_effect(shown) if run.state == "pending" else [],
        waiting_for=sorted(tenants.names_of(waiting).values()) if not asked else [],
        form=form,
        status=form.status,
    )


def _effect(shown: Judged) -> list[str]:
    """What follows from approving, in sentences; before it is decided."""
    run = shown.run
    material = sum(weight == "material" for weight in shown.weights.values())
    again = (
        "Staff whose text changes are asked to sign again."
        if material
        else "Nobody is asked to sign again: every change is editorial."
    )
    if run.school_id is not None:
        lines = [f"It holds at {shown.place} only."]
        return lines if shown.first else [*lines, again]
    places, own = queries.count_effect(shown.policy, [change.key for change in shown.changes], today())
    lines = [f"It goes to {plural(places, 'place')} when it is published."]
    if shown.first:
        return lines
    if own:
        lines.append(
            f"{plural(own, 'school has', 'schools have')} words of {'its' if own == 1 else 'their'} own in what"
            f" changes: nothing is overwritten, and {'its head decides' if own == 1 else 'their heads decide'}"
            " where both sides changed the same words."
        )
    else:
        lines.append("No school has words of its own in what changes, so all follow by themselves.")
    return [*lines, again]


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


@blueprint.route(f"{RUN}/chairs-action", methods=["GET", "POST"])
@allow(Permission.APPROVAL_DECIDE, at="trust")
def chairs_action(trust: str, run_id: UUID) -> Response:
    """The chair of the trust board approves alone, and says why it cannot wait."""
    run = _run_for(run_id)
    if Role.CHAIR_OF_TRUST_BOARD not in actor().trust_roles:
        raise Forbidden()
    form = ChairsActionForm()
    if not form.is_submitted():
        form.content_hash.data = run.content_hash
    elif form.carry_out(
        lambda: chairs.act_as_chair(
            actor(),
            run_id=run.id,
            reason=form.reason.data or "",
            content_hash=form.content_hash.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(
            url_for("approvals.show", trust=trust, run_id=run.id),
            "Recorded as chair’s action. The body is asked to ratify it.",
        )
    shown = judged(queries.get_run(run.id))
    return page(
        "policies/approvals/chairs_action.html",
        shown=shown,
        run=run,
        stage_body=run.stages[shown.state.stage]["body"],
        form=form,
        status=form.status,
    )


@blueprint.route(f"{RUN}/ratify", methods=["GET", "POST"])
@allow(Permission.APPROVAL_MINUTE, at="trust")
def ratify(trust: str, run_id: UUID) -> Response:
    """The clerk records what the body said about its chair's action."""
    run = _run_for(run_id)
    acted = next((row for row in queries.decisions_of([run.id]) if row.choice == "chairs_action"), None)
    if acted is None:
        raise RuleBroken("There is no chair’s action to ratify here.")
    form = RatifyForm(body=acted.body)
    if form.is_submitted() and form.carry_out(
        lambda: chairs.ratify(
            actor(),
            run_id=run.id,
            body=form.body.data or "",
            met_on=given(form.met_on),
            minute_reference=form.minute_reference.data or "",
            ratified=form.outcome.data == "ratified",
            comment=form.comment.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(url_for("approvals.show", trust=trust, run_id=run.id), "The decision is recorded.")
    return page(
        "policies/approvals/ratify.html",
        shown=judged(run),
        run=run,
        acted=acted,
        form=form,
        status=form.status,
    )


def install(app: Flask) -> None:
    """Register the pages and tasks."""
    app.register_blueprint(blueprint)
    provide_tasks(approval_tasks.tasks)
    provide_facts(approval_tasks.facts)
