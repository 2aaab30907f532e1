"""The trust's workflows: the list, the editor of one, trying it out, publishing; and what a school sets for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from trustportal.access import Permission, Role
from trustportal.errors import Conflict, NotFound, RuleBroken
from trustportal.forms import PortalForm, choices
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, school, see_other
from trustportal.workflows.domain import editing, trying
from trustportal.workflows.domain.checking import Weight, fields_that_matter, imagined, is_usable, named
from trustportal.workflows.domain.definition import Action, Definition, Field, FieldKind, State, Target
from trustportal.workflows.domain.editing import SchoolsOwn
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.forms import (
    PREFIX,
    ApproverForm,
    BreakForm,
    DeadlineForm,
    LetterForm,
    LimitForm,
    PublishForm,
    SeenForm,
    StepForm,
    TargetForm,
    TryForm,
    answers_form,
    apart,
)
from trustportal.workflows.queries import definitions as queries
from trustportal.workflows.queries import people
from trustportal.workflows.services import defining as services
from trustportal.workflows.views.blueprint import workflows as blueprint

ONE = "/t/<trust>/workflows/<workflow>"
OWN = "/t/<trust>/schools/<school>/workflows"


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
        findings=found,
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


# -- trying out ----------------------------------------------------------------------------------------------------


@blueprint.get(f"{ONE}/try")
@allow(Permission.WORKFLOW_MANAGE, at="trust")
def try_out(trust: str, workflow: str) -> Response:
    """Who would get it, and by when: at a chosen school with chosen people, and at every school."""
    current, definition, _digest, is_draft = services.stored_draft(workflow)
    schools = tenants.list_schools(open_on=today())
    chosen = next(
        (one for one in schools if one.slug == request.args.get("school")), schools[0] if schools else None
    )
    if chosen is None:
        return page("workflows/try_nowhere.html", definition=definition, workflow=workflow)
    serving = people.serving_at(chosen.id, today())
    pairs = [(str(one), name) for one, name in serving.items()]
    matters = fields_that_matter(definition)
    asked = tuple(
        replace(one, hint="")
        for one in definition.form
        if one.kind in {FieldKind.PERSON, FieldKind.PEOPLE} and one.key in matters
    )
    form = answers_form(
        definition,
        asked,
        values=_chosen(asked),
        people=pairs,
    )
    top = TryForm(formdata=None, school=chosen.slug, starter=request.args.get("starter", ""))
    top.school.choices = choices((one.slug, one.name) for one in schools)
    top.starter.choices = choices([("", "Anybody"), *pairs])
    roster = people.roster(today())
    starter = next(iter(people_in(request.args.get("starter", "")) & set(serving)), None)
    # Where nobody was chosen, a colleague who fits stands in the field, as somebody would on a real form.
    values = {
        **imagined(definition, roster, chosen.id, starter),
        **{k: v for k, v in _chosen(asked).items() if v},
    }
    subjects = frozenset().union(*(people_in(values.get(one)) for one in definition.subject_fields))
    own = queries.list_overrides(current.id)

    def way(place: Any, by: UUID | None, with_values: Mapping[str, Any]) -> tuple[trying.TriedStep, ...]:
        here = editing.at_school(definition, own.get(place.id, SchoolsOwn({}, {}, {})))
        return trying.try_out(
            here,
            roster,
            school=place.id,
            starter=by,
            values=with_values,
            subjects=subjects,
            on=today(),
            breaks=(),
        )

    steps = way(chosen, starter, values)
    everywhere = [(one, way(one, None, imagined(definition, roster, one.id, None))) for one in schools]
    ids = {
        person
        for _, tried in [*everywhere, (chosen, steps)]
        for step in tried
        for person in [*step.told, *(one for seat in step.seats for one in seat.people)]
    }
    return page(
        "workflows/try.html",
        workflow=workflow,
        definition=definition,
        is_draft=is_draft,
        form=form,
        top=top,
        chosen=chosen,
        steps=steps,
        everywhere=everywhere,
        names=tenants.names_of(ids),
        named=named,
        today=today(),
    )


def _chosen(asked: tuple[Field, ...]) -> dict[str, Any]:
    """Who was chosen in the address, field by field."""
    return {
        one.key: request.args.getlist(f"{PREFIX}{one.key}")
        if one.kind is FieldKind.PEOPLE
        else request.args.get(f"{PREFIX}{one.key}", "")
        for one in asked
    }


# -- what a school sets for itself --------------------------------------------------------------------------------


def _here() -> UUID:
    return school().id


@blueprint.get(OWN)
@allow(Permission.WORKFLOW_OVERRIDE, at="school")
def school_list(trust: str, school: str) -> Response:
    """What a school may set for itself, and its holidays."""
    return _school_page(BreakForm(formdata=None))


def _school_page(form: BreakForm) -> Response:
    may = [
        one
        for one in queries.list_current()
        if any(
            (
                one.definition.school_may.deadlines,
                one.definition.school_may.people,
                one.definition.school_may.letters,
            )
        )
    ]
    return page(
        "workflows/school.html",
        found=may,
        breaks=queries.list_breaks(_here()),
        form=form,
        status=form.status,
    )


@blueprint.post(f"{OWN}/holidays")
@allow(Permission.WORKFLOW_OVERRIDE, at="school")
def add_break(trust: str, school: str) -> Response:
    """A school holiday."""
    form = BreakForm()
    if form.carry_out(
        lambda: services.add_break(
            actor(),
            school_id=_here(),
            name=form.name.data or "",
            from_on=form.from_on.data,
            to_on=form.to_on.data,
            now=now(),
        )
    ):
        return see_other(url_for("workflows.school_list", trust=trust, school=school), "Added.")
    return _school_page(form)


@blueprint.post(f"{OWN}/holidays/<uuid:break_id>/remove")
@allow(Permission.WORKFLOW_OVERRIDE, at="school")
def remove_break(trust: str, school: str, break_id: UUID) -> Response:
    """Take one out."""
    services.remove_break(actor(), school_id=_here(), break_id=break_id, now=now())
    return see_other(url_for("workflows.school_list", trust=trust, school=school), "Taken out.")


@blueprint.route(f"{OWN}/<workflow>", methods=["GET", "POST"])
@allow(Permission.WORKFLOW_OVERRIDE, at="school")
def own(trust: str, school: str, workflow: str) -> Response:
    """A school's own deadlines, people and words."""
    current = queries.get_current(workflow)
    stored = queries.find_override(current.id, _here())
    mine = SchoolsOwn.read(stored.content if stored else None)
    form = PortalForm(formdata=None)
    typed: dict[str, str] = {}
    if request.method == "POST":
        form, typed = PortalForm(), request.form.to_dict()
        if form.carry_out(lambda: _set_own(workflow, current.definition, typed)):
            return see_other(
                url_for("workflows.school_list", trust=trust, school=school),
                "Saved. What begins from now on follows it.",
            )
    return page(
        "workflows/own.html",
        definition=current.definition,
        workflow=workflow,
        mine=mine,
        typed=typed,
        people=people.serving_at(_here(), today()),
        errors=form.summary,
        status=form.status,
    )


def _set_own(workflow: str, definition: Definition, typed: Mapping[str, str]) -> bool:
    deadlines: dict[str, int | None] = {}
    for state in definition.states:
        text = typed.get(f"deadline-{state.key}", "").strip()
        if text and not text.isdigit():
            raise RuleBroken(f"Enter a whole number of working days for “{state.title}”.")
        deadlines[state.key] = int(text) if text else None
    chosen: dict[str, UUID | None] = {}
    for state, seat in definition.seats():
        text = typed.get(f"person-{state.key}.{seat.key}", "")
        found = people_in(text)
        if text and not found:
            raise NotFound()
        chosen[f"{state.key}.{seat.key}"] = next(iter(found), None)
    services.set_own(
        actor(),
        key=workflow,
        school_id=_here(),
        deadlines=deadlines,
        named=chosen,
        letters={one.key: typed.get(f"letter-{one.key}", "") for one in definition.letters},
        now=now(),
    )
    return True
