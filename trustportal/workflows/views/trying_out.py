"""Trying a workflow out before it goes live: who would get it, and by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response, request

from trustportal.access import Permission
from trustportal.forms import choices
from trustportal.tenants import queries as tenants
from trustportal.times import today
from trustportal.web import allow, page
from trustportal.workflows.domain import editing, trying
from trustportal.workflows.domain.checking import fields_that_matter, imagined, named
from trustportal.workflows.domain.definition import Field, FieldKind
from trustportal.workflows.domain.editing import SchoolsOwn
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.forms.answers import PREFIX, answers_form
from trustportal.workflows.forms.editing import (
    TryForm,
)
from trustportal.workflows.queries import definitions as queries
from trustportal.workflows.queries import people
from trustportal.workflows.services import defining as services
from trustportal.workflows.views.blueprint import workflows as blueprint
from trustportal.workflows.views.defining import ONE


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
