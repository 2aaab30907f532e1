"""Forms to be printed and signed with a pen."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Response, make_response, request

from trustportal import blobs
from trustportal.acceptance import pdf
from trustportal.acceptance.pdf import FormPrint, FormsPrint
from trustportal.acceptance.queries import overview
from trustportal.acceptance.queries.overview import PlaceShown
from trustportal.acceptance.services import paper_forms
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.times import today
from trustportal.web import actor, allow
from trustportal.web import trust as trust_here


def _place() -> PlaceShown:
    places = overview.places_of(actor(), Permission.ACCEPTANCE_OVERSEE)
    place = overview.choose(places, request.args.get("place", "")) or (
        places[0] if len(places) == 1 else None
    )
    if place is None:
        raise NotFound()
    return place


@blueprint.get("/t/<trust>/acceptance/people/<uuid:person_id>/paper-form.pdf")
@allow(Permission.ACCEPTANCE_OVERSEE)
def paper_form(trust: str, person_id: UUID) -> Response:
    """One person’s forms: all that they are asked to sign at a place."""
    place = _place()
    forms = paper_forms.for_person(actor(), person_id=person_id, school_id=place.id, today=today())
    return _printed(place, forms)


@blueprint.get("/t/<trust>/acceptance/<uuid:campaign_id>/paper-forms.pdf")
@allow(Permission.ACCEPTANCE_OVERSEE)
def blank_forms(trust: str, campaign_id: UUID) -> Response:
    """Blank forms of a campaign at a place, one for each policy and outside document."""
    place = _place()
    forms = paper_forms.blank(actor(), campaign_id=campaign_id, school_id=place.id, today=today())
    return _printed(place, forms)


def _printed(place: PlaceShown, forms: Sequence[FormPrint]) -> Response:
    here = trust_here()
    made = pdf.make_forms(
        FormsPrint(
            organisation=here.name,
            place=place.name,
            forms=forms,
            made_on=today(),
            colour=here.colour,
            logo=blobs.get(here.logo_hash).content if here.logo_hash else None,
        )
    )
    answer = make_response(made.pdf)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="sign-on-paper-{place.slug}.pdf"'
    return answer
