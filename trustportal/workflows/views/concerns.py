"""Reporting a concern about an adult: for everybody who is signed in, and for anybody without a name.

Whoever has an emergency is sent to the telephone first. What was sent is confirmed with a code and no more: not who
has it, nor whether there is anything.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, current_app, g, request, url_for

from trustportal.errors import RuleBroken
from trustportal.policies.views.public import place_of
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, page, public, school, see_other, signed_in
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.domain.recipients import ALLEGATION, Contact
from trustportal.workflows.forms.answers import AnswersForm, ReportForm, report_form
from trustportal.workflows.forms.cases import AddForm
from trustportal.workflows.queries import definitions, recipients
from trustportal.workflows.services import reporting
from trustportal.workflows.views.blueprint import concerns as blueprint

HERE = "/t/<trust>/schools/<school>/concerns"
OPEN = "/p/<trust>/<school>/report-a-concern"


def _definition() -> Definition:
    return definitions.get_current(ALLEGATION).definition


def _contact(school_id: UUID) -> Contact | None:
    return recipients.get_table().contact(school_id)


def _refuse_files() -> None:
    """There is no upload: what comes in the way that files come is refused, whatever it holds, and nothing is kept."""
    if request.mimetype == "multipart/form-data":
        raise RuleBroken(
            "Nothing was sent: files cannot be sent here. Describe what there is, and where it is. Never send or copy"
            " an indecent picture of a child, not even as proof."
        )


def _secret(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


# -- signed in ---------------------------------------------------------------------------------------------------


@blueprint.get("/t/<trust>/concerns")
@signed_in
def choose(trust: str) -> Response:
    """At which school: whoever serves at one only is asked nothing."""
    mine = list(g.my_schools)
    if len(mine) == 1 and not actor().trust_roles:
        return see_other(url_for("concerns.report", trust=trust, school=mine[0].slug))
    places = mine or tenants.list_schools(open_on=today())
    return page("workflows/concern_where.html", places=places)


@blueprint.route(HERE, methods=["GET", "POST"])
@signed_in
def report(trust: str, school: str) -> Response:
    """Report a concern about an adult."""
    _refuse_files()
    here = _here()
    people = reporting.nameable(here, today())
    form = report_form(_definition(), people=[(str(one), name) for one, name in people.items()])
    if form.is_submitted():
        person_id = None if form.without_name.data else actor().person_id
        code = _sent(form, here, set(people), person_id)
        if code:
            return _secret(page("workflows/concern_sent.html", code=code, named=person_id is not None))
    return page("workflows/concern.html", form=form, contact=_contact(here), status=form.status)


def _here() -> UUID:
    return school().id


def _sent(form: ReportForm, school_id: UUID, people: set[UUID], person_id: UUID | None) -> str:
    """The code for whoever sent it; "" where something was wrong, which the form then says."""
    form.validate()
    found = reporting.faults(_definition(), form.given(), may_be_named=people, today=today())
    if form.note(found) or form.errors:
        return ""
    done = form.carry_out(
        lambda: reporting.report(
            person_id, school_id=school_id, given=form.given(), may_be_named=people, now=now()
        )
    )
    return done if isinstance(done, str) else ""


@blueprint.route(f"{HERE}/more", methods=["GET", "POST"])
@signed_in
def add(trust: str, school: str) -> Response:
    """Add something to what I reported."""
    _refuse_files()
    return _add(AddForm(), _here(), "workflows/concern_add.html")


def _add(form: AddForm, school_id: UUID, template: str, **context: Any) -> Response:
    sent = form.is_submitted() and form.carry_out(
        lambda: reporting.add(
            school_id=school_id, code=form.code.data or "", text=form.text.data or "", now=now()
        )
    )
    return _secret(page(template, form=form, sent=bool(sent), status=form.status, **context))


# -- anybody -----------------------------------------------------------------------------------------------------


def _turn(form: AnswersForm | AddForm) -> bool:
    """Whether it may be sent from here just now; where not, the form says so."""

    def take() -> None:
        reporting.take_turn(
            tenants.get_trust().id,
            address=request.remote_addr or "",
            secret=current_app.config["PORTAL"].secret_key,
            now=now(),
        )

    return bool(form.carry_out(take))


@blueprint.route(OPEN, methods=["GET", "POST"])
@public
def report_openly(trust: str, school: str) -> Response:
    """Report a concern without a name. No session is begun, and no address kept."""
    place = place_of(school)
    _refuse_files()
    form = report_form(_definition(), people=None)
    if form.is_submitted() and _turn(form):
        code = _sent(form, place.id, set(), None)
        if code:
            return _secret(
                page("workflows/public_concern_sent.html", code=code, place=place, **_public(place))
            )
    return _secret(
        page(
            "workflows/public_concern.html",
            form=form,
            contact=_contact(place.id),
            place=place,
            status=form.status,
            **_public(place),
        )
    )


def _public(place: Any) -> dict[str, Any]:
    return {"public_place": place.name, "trust_name": g.get("trust_name"), "theme_url": g.get("theme_url")}


@blueprint.route(f"{OPEN}/more", methods=["GET", "POST"])
@public
def add_openly(trust: str, school: str) -> Response:
    """Add something without a name."""
    place = place_of(school)
    _refuse_files()
    form = AddForm(meta={"csrf": False})
    if form.is_submitted() and not _turn(form):
        return _secret(
            page(
                "workflows/public_concern_add.html",
                form=form,
                sent=False,
                place=place,
                status=form.status,
                **_public(place),
            )
        )
    return _add(form, place.id, "workflows/public_concern_add.html", place=place, **_public(place))
