"""The trust's workflows: the list, the editor of one, publishing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request, url_for

from trustportal.access import Permission, Role
from trustportal.errors import Conflict
from trustportal.forms import PortalForm, choices
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.workflows.domain import editing
from trustportal.workflows.domain.checking import Weight, gathered, is_usable, named
from trustportal.workflows.domain.definition import Action, Definition, State, Target
from trustportal.workflows.forms.answers import apart
from trustportal.workflows.forms.editing import (
    ApproverForm,
    DeadlineForm,
    LetterForm,
    LimitForm,
    PublishForm,
    SeenForm,
    StepForm,
    TargetForm,
)
from trustportal.workflows.queries import definitions as queries
from trustportal.workflows.services import defining as services
from trustportal.workflows.views.blueprint import workflows as blueprint

ONE = "/t/<trust>/workflows/<workflow>"


@blueprint.get("/t/<trust>/workflows")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def overview(trust: str) -> Response:
    """Every workflow of the trust."""
    return page("workflows/overview.html", found=queries.list_current(in_use_only=False))


@blueprint.get(ONE)
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def edit(trust: str, workflow: str) -> Response:
    """One workflow: its steps, and what can be changed."""
    return _editor(workflow)


def _editor(workflow: str, *, sent: PortalForm | None = None, at: str = "") -> Response:
    current, definition, digest, is_draft = services.stored_draft(workflow)
    found = services.findings(definition, today=today(), definition_id=current.id)
    errors = sent.summary if sent is not None else []
    return page(
        "workflows/edit.html",
        current=current,
        definition=definition,
        digest=digest,
        is_draft=is_draft,
        findings=gathered(found),
        usable=is_usable(found),
        weights=Weight,
        named=named,
        versions=queries.list_versions(current.id),
        sent=sent,
        at=at,
        deadline_forms=_deadline_forms(definition, sent, at),
        approver_forms=_approver_forms(definition, sent, at),
        step_form=_step_form(definition, sent),
        letter_forms=_letter_forms(definition, sent, at),
        limit_forms=_limit_forms(definition, sent, at),
        target_forms=_target_forms(definition, sent, at),
        publish_form=apart(_blank(PublishForm, sent), "publish"),
        errors=errors,
        status=422 if sent is not None and sent.errors else 200,
    )


def _blank(form: type[Any], sent: PortalForm | None) -> Any:
    return sent if isinstance(sent, form) else form(formdata=None)


def _deadline_forms(definition: Definition, sent: PortalForm | None, at: str) -> dict[str, DeadlineForm]:
    found = {}
    for state in definition.states:
        if state.closed or state.deadline is None:
            continue
        if isinstance(sent, DeadlineForm) and at == state.key:
            found[state.key] = sent
            continue
        found[state.key] = DeadlineForm(
            formdata=None,
            within=state.deadline.within,
            stops_in_holidays=state.deadline.stops_in_holidays,
            remind_before=state.deadline.remind_before,
            on_the_day=state.deadline.on_the_day,
            escalate_after=state.deadline.escalate_after,
        )
    return {key: apart(form, f"deadline-{key}") for key, form in found.items()}


def _approver_forms(definition: Definition, sent: PortalForm | None, at: str) -> dict[str, ApproverForm]:
    return {
        state.key: apart(
            sent if isinstance(sent, ApproverForm) and at == state.key else ApproverForm(formdata=None),
            f"approver-{state.key}",
        )
        for state in definition.states
        if not state.closed and state.forward
    }


def _step_form(definition: Definition, sent: PortalForm | None) -> StepForm:
    form: StepForm = apart(_blank(StepForm, sent), "step")
    form.after.choices = choices(
        (state.key, state.title) for state in definition.states if not state.closed and state.forward
    )
    return form


def _letter_forms(definition: Definition, sent: PortalForm | None, at: str) -> dict[str, LetterForm]:
    return {
        one.key: apart(
            sent
            if isinstance(sent, LetterForm) and at == one.key
            else LetterForm(formdata=None, body=one.body),
            f"letter-{one.key}",
        )
        for one in definition.letters
    }


def _limit_forms(
    definition: Definition, sent: PortalForm | None, at: str
) -> list[tuple[State, Action, LimitForm]]:
    """One for each action that can be taken so often only, with the first step that it stands in."""
    found: dict[str, tuple[State, Action, LimitForm]] = {}
    for state in definition.states:
        for action in state.actions:
            if action.at_most and action.key not in found:
                form = LimitForm(formdata=None, at_most=action.at_most)
                if isinstance(sent, LimitForm) and at == action.key:
                    form = sent
                found[action.key] = (state, action, apart(form, f"limit-{action.key}"))
    return list(found.values())


def _target_forms(
    definition: Definition, sent: PortalForm | None, at: str
) -> list[tuple[Target, TargetForm]]:
    return [
        (
            one,
            apart(
                sent
                if isinstance(sent, TargetForm) and at == one.key
                else TargetForm(formdata=None, within=one.within),
                f"target-{one.key}",
            ),
        )
        for one in definition.targets
    ]


def _change(
    trust: str,
    workflow: str,
    form: Any,
    what: str,
    change: Callable[[Definition], Definition],
    *,
    at: str = "",
    done: str = "Changed in the draft. It is used once you publish it.",
) -> Response:
    queries.get_current(workflow)
    try:
        made = form.carry_out(
            lambda: services.change(
                actor(), key=workflow, what=what, edit=change, now=now(), seen=form.seen.data or ""
            )
        )
    except Conflict as conflict:
        form.form_errors.append(conflict.message)
        made = False
    if made:
        return see_other(url_for("workflows.edit", trust=trust, workflow=workflow), done)
    return _editor(workflow, sent=form, at=at)


def _role(text: str | None) -> Role | None:
    return Role(text) if text and text in Role._value2member_map_ else None


@blueprint.post(f"{ONE}/deadline")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def deadline(trust: str, workflow: str) -> Response:
    """Another deadline for a step."""
    form = DeadlineForm()
    state = form.state.data or ""
    return _change(
        trust,
        workflow,
        form,
        "deadline",
        lambda one: editing.set_deadline(
            one,
            state,
            within=form.within.data,
            stops_in_holidays=bool(form.stops_in_holidays.data),
            remind_before=form.remind_before.data,
            on_the_day=bool(form.on_the_day.data),
            escalate_after=form.escalate_after.data,
            escalate_to=_role(form.escalate_to.data),
        ),
        at=state,
    )


@blueprint.post(f"{ONE}/limits")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def limit(trust: str, workflow: str) -> Response:
    """How often something can be done in one case."""
    form = LimitForm()
    action = form.action.data or ""
    return _change(
        trust,
        workflow,
        form,
        "limit",
        lambda one: editing.set_limit(one, form.state.data or "", action, at_most=form.at_most.data),
        at=action,
    )


@blueprint.post(f"{ONE}/targets")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def target(trust: str, workflow: str) -> Response:
    """By when to aim at something."""
    form = TargetForm()
    key = form.target.data or ""
    return _change(
        trust,
        workflow,
        form,
        "target",
        lambda one: editing.set_target(one, key, within=form.within.data),
        at=key,
    )


@blueprint.post(f"{ONE}/approvers")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def add_approver(trust: str, workflow: str) -> Response:
    """One more who has to agree in a step."""
    form = ApproverForm()
    state = form.state.data or ""
    return _change(
        trust,
        workflow,
        form,
        "approver",
        lambda one: editing.add_approver(one, state, role=_role(form.role.data)),
        at=state,
    )


@blueprint.post(f"{ONE}/approvers/remove")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def remove_approver(trust: str, workflow: str) -> Response:
    """One fewer."""
    form = SeenForm()
    return _change(
        trust,
        workflow,
        form,
        "approver removed",
        lambda one: editing.remove_approver(one, form.state.data or "", form.seat.data or ""),
    )


@blueprint.post(f"{ONE}/steps")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def add_step(trust: str, workflow: str) -> Response:
    """A step more."""
    form = StepForm()
    return _change(
        trust,
        workflow,
        form,
        "step",
        lambda one: editing.add_step(
            one,
            form.after.data or "",
            title=form.title.data or "",
            role=_role(form.role.data),
            statement=form.statement.data or "",
            within=form.within.data,
        ),
    )


@blueprint.post(f"{ONE}/steps/remove")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def remove_step(trust: str, workflow: str) -> Response:
    """A step fewer."""
    form = SeenForm()
    return _change(
        trust, workflow, form, "step removed", lambda one: editing.remove_step(one, form.state.data or "")
    )


@blueprint.post(f"{ONE}/letters")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def letter(trust: str, workflow: str) -> Response:
    """Other words for a letter."""
    form = LetterForm()
    key = form.letter.data or ""
    return _change(
        trust,
        workflow,
        form,
        "letter",
        lambda one: editing.set_letter(one, key, form.body.data or ""),
        at=key,
    )


@blueprint.post(f"{ONE}/publish")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def publish(trust: str, workflow: str) -> Response:
    """Bring the draft into use."""
    queries.get_current(workflow)
    form = PublishForm()
    if form.carry_out(
        lambda: services.publish(actor(), key=workflow, reason=form.reason.data or "", now=now())
    ):
        return see_other(
            url_for("workflows.edit", trust=trust, workflow=workflow),
            "Published. What begins from now on follows it; what runs keeps the version it began with.",
        )
    return _editor(workflow, sent=form)


@blueprint.post(f"{ONE}/discard")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def discard(trust: str, workflow: str) -> Response:
    """Throw the draft away."""
    services.discard(actor(), key=workflow, now=now())
    return see_other(
        url_for("workflows.edit", trust=trust, workflow=workflow), "The draft is gone. What is in use stays."
    )


@blueprint.post(f"{ONE}/use")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def use(trust: str, workflow: str) -> Response:
    """Offer it, or no longer."""
    in_use = request.form.get("in_use") == "yes"
    services.set_in_use(actor(), key=workflow, in_use=in_use, now=now())
    words = "It can be asked for again." if in_use else "It cannot be asked for any more. What runs goes on."
    return see_other(url_for("workflows.edit", trust=trust, workflow=workflow), words)
