"""What a school sets for itself in a workflow, where the trust lets it: deadlines, people, words; its holidays."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Response, request, url_for

from trustportal.access import Permission
from trustportal.errors import NotFound, RuleBroken
from trustportal.forms import PortalForm
from trustportal.times import now, today
from trustportal.web import actor, allow, page, school, see_other
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.domain.editing import SchoolsOwn
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.forms.editing import (
    BreakForm,
)
from trustportal.workflows.queries import definitions as queries
from trustportal.workflows.queries import people
from trustportal.workflows.services import defining as services
from trustportal.workflows.views.blueprint import workflows as blueprint

OWN = "/t/<trust>/schools/<school>/workflows"


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
