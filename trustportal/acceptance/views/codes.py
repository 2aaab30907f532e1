"""Printing one-time codes for people without e-mail."""

from __future__ import annotations

from flask import Response, current_app, make_response, request

from trustportal import blobs
from trustportal.acceptance import pdf
from trustportal.acceptance.forms import CodesForm
from trustportal.acceptance.pdf import CodesPrint, SlipPrint
from trustportal.acceptance.queries import overview, people
from trustportal.acceptance.queries.overview import PlaceShown
from trustportal.acceptance.services import codes as services
from trustportal.acceptance.services.codes import Sheet
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.access import Permission
from trustportal.errors import RuleBroken
from trustportal.times import now, today
from trustportal.web import actor, allow, page
from trustportal.web import trust as trust_here


@blueprint.route("/t/<trust>/acceptance/codes", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_OVERSEE)
def codes(trust: str) -> Response:
    """Who has no e-mail and something to sign; a sheet of codes for them, made at once and never again."""
    places = overview.places_of(actor(), Permission.ACCEPTANCE_OVERSEE)
    place = overview.choose(places, request.values.get("place", "")) or (
        places[0] if len(places) == 1 else None
    )
    form = CodesForm(place=place.slug if place else "", days=14)
    if form.is_submitted():
        sheet = form.carry_out(lambda: _print(place, form.days.data or 0))
        if isinstance(sheet, Sheet) and place is not None:
            return _sheet(place, sheet)
    return page(
        "acceptance/codes.html",
        places=places,
        place=place,
        waiting=people.list_without_email(place.id, now_on=today()) if place else [],
        form=form,
        errors=form.summary,
        address=_address(),
        status=form.status,
    )


def _print(place: PlaceShown | None, days: int) -> Sheet:
    if place is None:
        raise RuleBroken("Choose a place first: codes are printed for one at a time.")
    return services.print_codes(
        actor(),
        school_id=place.id,
        days=days,
        secret=current_app.config["PORTAL"].secret_key,
        now=now(),
        today=today(),
    )


def _address() -> str:
    return f"{current_app.config['PORTAL'].public_url}/sign-with-code"


def _sheet(place: PlaceShown, sheet: Sheet) -> Response:
    here = trust_here()
    made = pdf.make_codes(
        CodesPrint(
            organisation=here.name,
            place=place.name,
            address=_address(),
            last_on=sheet.last_on,
            slips=[SlipPrint(one.name, one.code, one.owed, one.answered) for one in sheet.slips],
            made_on=today(),
            colour=here.colour,
            logo=blobs.get(here.logo_hash).content if here.logo_hash else None,
        )
    )
    answer = make_response(made.pdf)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="codes-{place.slug}.pdf"'
    return answer
