"""Figures that other features' pages show in a slot, loaded with HTMX: how many have signed, who is asked again."""

from __future__ import annotations

from uuid import UUID

from flask import Response

from trustportal.acceptance.queries import progress
from trustportal.acceptance.services import figures
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.access import Permission
from trustportal.policies import queries as policies
from trustportal.tenants import queries as tenants
from trustportal.times import today
from trustportal.web import actor, page, signed_in
from trustportal.web import school as school_here


@blueprint.get("/t/<trust>/schools/<school>/policies/<policy>/signing")
@blueprint.get("/t/<trust>/acceptance/versions/<uuid:version_id>/figures")
@signed_in
def policy_figures(
    trust: str, school: str = "", policy: str = "", version_id: UUID | None = None
) -> Response:
    """Of a school's policy: how many have signed it, or when I did. Of a version: who will be asked to sign again."""
    if version_id is not None:
        return _of_version(version_id)
    found, here = policies.get_policy(policy), school_here().id
    tally = (
        progress.tally_of_policy(found.id, here, today())
        if actor().can(Permission.ACCEPTANCE_TOTALS, here)
        else None
    )
    person_id = actor().person_id
    return page(
        "acceptance/_policy_figures.html",
        tally=tally,
        signed=progress.find_own(found.id, here, person_id) if person_id else None,
    )


def _of_version(version_id: UUID) -> Response:
    version = policies.get_version(version_id)
    if not actor().can(Permission.ACCEPTANCE_TOTALS):
        return page("acceptance/_version_figures.html", asked=None, names={})
    names = {None: tenants.get_trust().name} | {one.id: one.short_name for one in tenants.list_schools()}
    return page(
        "acceptance/_version_figures.html",
        asked=figures.people_asked_again(version, today=today()),
        names=names,
    )
