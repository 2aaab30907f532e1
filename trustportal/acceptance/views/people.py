"""One person's signing, for those who look after it: what they owe, away, paper, line manager, a reminder."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request, url_for

from trustportal.acceptance import services
from trustportal.acceptance.forms import AbsenceForm, ManagerForm, PaperForm, ReturnForm
from trustportal.acceptance.queries import overview, people
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.queries.overview import PlaceShown
from trustportal.acceptance.queries.people import PersonShown
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other

ROOT = "/t/<trust>/acceptance/people/<uuid:person_id>"


def _places() -> list[PlaceShown]:
    return overview.places_of(actor(), Permission.ACCEPTANCE_OVERSEE)


def _shown(person_id: UUID) -> PersonShown:
    return people.get_shown(person_id, [one.id for one in _places()], today())


def _chosen(shown: PersonShown) -> PlaceShown:
    """The place that an address or a form names, among those where this person serves or is asked."""
    slug = request.values.get("place", "")
    theirs = {place for place, _, _ in shown.posts} | {one.school_id for one in shown.asked}
    found = [one for one in _places() if one.id in theirs]
    place = overview.choose(found, slug) if slug else (found[0] if len(found) == 1 else None)
    if place is None:
        raise NotFound()
    return place


@blueprint.get(ROOT)
@allow(Permission.ACCEPTANCE_OVERSEE)
def person(trust: str, person_id: UUID) -> Response:
    """Everything about one person's signing at the places where I may see names."""
    shown = _shown(person_id)
    slugs = {one.id: one.slug for one in _places()}
    return page(
        "acceptance/person.html",
        shown=shown,
        slugs=slugs,
        today=today(),
        is_me=person_id == actor().person_id,
    )


def _back(trust: str, person_id: UUID) -> str:
    return url_for("acceptance.person", trust=trust, person_id=person_id)


@blueprint.post(f"{ROOT}/remind")
@allow(Permission.ACCEPTANCE_OVERSEE)
def remind_person(trust: str, person_id: UUID) -> Response:
    """One click: remind this person of what they owe at my places."""
    shown = _shown(person_id)
    places: list[Place] = list({one.school_id for one in shown.asked})
    count = services.remind_now(actor(), places=places, person_id=person_id, today=today(), now=now())
    said = f"{shown.name} will get a reminder." if count else f"{shown.name} was reminded today already."
    return see_other(_back(trust, person_id), said)


@blueprint.route(f"{ROOT}/absence", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_OVERSEE)
def absence(trust: str, person_id: UUID) -> Response:
    """Somebody is away for long: signing waits for them."""
    shown = _shown(person_id)
    place = _chosen(shown)
    form = AbsenceForm(place=place.slug)
    if form.is_submitted() and form.carry_out(
        lambda: services.record_absence(
            actor(),
            person_id=person_id,
            school_id=place.id,
            from_on=form.from_on.data,  # type: ignore[arg-type]
            to_on=form.to_on.data,
            now=now(),
        )
    ):
        return see_other(
            _back(trust, person_id), f"Noted. {shown.name} is asked nothing while they are away."
        )
    return page(
        "acceptance/absence.html",
        form=form,
        shown=shown,
        place=place,
        errors=form.summary,
        status=form.status,
    )


@blueprint.route("/t/<trust>/acceptance/absences/<uuid:absence_id>/end", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_OVERSEE)
def end_absence(trust: str, absence_id: UUID) -> Response:
    """Somebody is back, or the day is known."""
    row = people.get_absence(absence_id)
    shown = _shown(row.person_id)
    if row.school_id not in {one.id for one in _places()}:
        raise NotFound()
    form = ReturnForm(back_on=today())
    if form.is_submitted() and form.carry_out(
        lambda: services.end_absence(
            actor(),
            absence_id=absence_id,
            back_on=form.back_on.data,  # type: ignore[arg-type]
            now=now(),
        )
    ):
        return see_other(_back(trust, row.person_id), f"Noted. {shown.name} is asked again from that day on.")
    return page(
        "acceptance/absence_end.html",
        form=form,
        shown=shown,
        absence=row,
        errors=form.summary,
        status=form.status,
    )


@blueprint.route(f"{ROOT}/line-manager", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_OVERSEE)
def line_manager(trust: str, person_id: UUID) -> Response:
    """Who is asked first, and told first when something is late."""
    shown = _shown(person_id)
    place = _chosen(shown)
    present = shown.managers.get(place.id)
    form = ManagerForm(place=place.slug, manager=str(present[0]) if present else "").offer(
        people.list_colleagues(place.id, today()), but=person_id
    )
    if form.is_submitted() and form.carry_out(
        lambda: services.set_line_manager(
            actor(),
            person_id=person_id,
            school_id=place.id,
            manager_id=UUID(form.manager.data) if form.manager.data else None,
            today=today(),
        )
    ):
        return see_other(_back(trust, person_id), "The line manager is noted.")
    return page(
        "acceptance/line_manager.html",
        form=form,
        shown=shown,
        place=place,
        errors=form.summary,
        status=form.status,
    )


@blueprint.route(f"{ROOT}/paper", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_OVERSEE)
def paper(trust: str, person_id: UUID) -> Response:
    """Record what somebody signed with a pen."""
    shown = _shown(person_id)
    place = _chosen(shown)
    asked = [(one.id, one.policy_title) for one in shown.asked if one.school_id == place.id]
    form = PaperForm(place=place.slug, signed_on=today(), assignments=[str(one) for one, _ in asked]).offer(
        asked
    )
    if form.is_submitted():
        upload = request.files.get("scan")
        scan = upload.read() if upload is not None and upload.filename else None
        done = form.carry_out(
            lambda: services.record_paper(
                actor(),
                person_id=person_id,
                school_id=place.id,
                assignment_ids=[UUID(one) for one in form.assignments.data or ()],
                signed_on=form.signed_on.data,  # type: ignore[arg-type]
                kept=form.kept.data or "",
                scan=scan,
                now=now(),
                today=today(),
            )
        )
        if done is not False:
            return see_other(
                _back(trust, person_id), f"Recorded. {shown.name}’s signature is marked as given on paper."
            )
    return page(
        "acceptance/paper.html",
        form=form,
        shown=shown,
        place=place,
        nothing=not asked,
        errors=form.summary,
        status=form.status,
    )
