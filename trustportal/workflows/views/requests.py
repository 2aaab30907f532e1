"""Starting something: what can be asked for, the form, and drafts."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request, url_for

from trustportal.errors import NotFound
from trustportal.times import now, today
from trustportal.web import actor, page, school, see_other, signed_in
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.domain.recipients import ALLEGATION
from trustportal.workflows.forms.answers import AnswersForm, answers_form
from trustportal.workflows.models import CaseIntake
from trustportal.workflows.queries import cases, definitions
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import starting
from trustportal.workflows.views.blueprint import cases as blueprint
from trustportal.workflows.views.offering import offering

HERE = "/t/<trust>/schools/<school>/requests"


@blueprint.get(HERE)
@signed_in
def offered(trust: str, school: str) -> Response:
    """What I can ask for or report at a school."""
    groups: dict[str, list[definitions.Current]] = {}
    for one in definitions.list_current():
        if starting.may_start(actor(), one.definition, _here()):
            groups.setdefault(one.definition.group, []).append(one)
    return page("workflows/offered.html", groups=groups)


def _here() -> UUID:
    return school().id


def _definition(key: str) -> Definition:
    found = definitions.get_current(key, in_use_only=True).definition
    if not starting.may_start(actor(), found, _here()):
        raise NotFound()
    return found


def _form(definition: Definition, intake: CaseIntake | None) -> AnswersForm:
    values = Seal.of_trust().open(intake.sealed, intake.id) if intake is not None else {}
    return answers_form(
        definition, definition.form, values=values, **offering(definition, definition.form, _here(), today())
    )


@blueprint.route(f"{HERE}/<workflow>", methods=["GET", "POST"])
@signed_in
def start(trust: str, school: str, workflow: str) -> Response:
    """A new form."""
    if workflow == ALLEGATION:
        return see_other(url_for("concerns.report", trust=trust, school=school))
    return _fill_in(trust, school, workflow, None)


@blueprint.route(f"{HERE}/<workflow>/<uuid:intake_id>", methods=["GET", "POST"])
@signed_in
def draft(trust: str, school: str, workflow: str, intake_id: UUID) -> Response:
    """A form that I began before."""
    intake = cases.find_intake(intake_id)
    if intake is None or intake.school_id != _here():
        raise NotFound()
    version = definitions.get_version(intake.version_id)
    if definitions.get_current(workflow).id != version.definition_id:
        raise NotFound()
    if intake.state != "draft":
        return see_other(url_for("cases.show", trust=trust, case_id=intake_id))
    return _fill_in(trust, school, workflow, intake)


def _fill_in(trust: str, school_slug: str, workflow: str, intake: CaseIntake | None) -> Response:
    definition = _definition(workflow)
    form = _form(definition, intake)
    saved = intake.id if intake is not None else None
    if form.is_submitted() and "save" in request.form:
        kept = starting.save_draft(
            actor(), school_id=_here(), key=workflow, given=form.given(), now=now(), intake_id=saved
        )
        return see_other(
            url_for("cases.draft", trust=trust, school=school_slug, workflow=workflow, intake_id=kept.id),
            "Your draft is kept. You find it under “Requests”.",
        )
    if form.is_submitted():
        form.validate()
        faults = starting.faults(actor(), school_id=_here(), key=workflow, given=form.given(), today=today())
        if not form.note(faults) and not form.errors:
            sent = form.carry_out(
                lambda: starting.send(
                    actor(), school_id=_here(), key=workflow, given=form.given(), now=now(), intake_id=saved
                )
            )
            if isinstance(sent, CaseIntake) and (definition.safeguarding or not definition.starter_sees):
                return see_other(
                    url_for("cases.mine", trust=trust),
                    "Thank you. It is with the people who may receive it. You do not see it in this list.",
                )
            if isinstance(sent, CaseIntake):
                return see_other(
                    url_for("cases.show", trust=trust, case_id=sent.id), "Sent. Below you see who has it now."
                )
    return page(
        "workflows/start.html",
        definition=definition,
        workflow=workflow,
        form=form,
        intake=intake,
        steps=_steps(definition),
        status=form.status,
    )


def _steps(definition: Definition) -> list[str]:
    """What happens after it is sent, in a line each."""
    found = []
    for state in definition.forward_path():
        if state.closed:
            continue
        within = ""
        if state.deadline is not None:
            count = state.deadline.within
            within = f", within {count} working {'day' if count == 1 else 'days'}"
        found.append(f"{state.title}{within}.")
    return found


@blueprint.post("/t/<trust>/requests/<uuid:intake_id>/discard")
@signed_in
def discard(trust: str, intake_id: UUID) -> Response:
    """Throw a draft away."""
    starting.discard(actor(), intake_id=intake_id)
    return see_other(url_for("cases.mine", trust=trust), "The draft is gone.")
