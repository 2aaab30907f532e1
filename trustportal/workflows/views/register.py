"""The register of accounts: all that I may read, one school's, one account and what is done about it."""

from __future__ import annotations

from uuid import UUID

from flask import Response, url_for

from trustportal.access import Permission
from trustportal.db import current_scope
from trustportal.errors import NotFound
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, school, see_other
from trustportal.workflows.domain.register import FLAG_WORDS, RED
from trustportal.workflows.forms.register import CloseForm, RegisterPeopleForm, ReviewForm
from trustportal.workflows.queries import cases, people
from trustportal.workflows.queries import register as queries
from trustportal.workflows.services import register as services
from trustportal.workflows.views.blueprint import register as blueprint

ENTRY = "/t/<trust>/schools/<school>/register/<uuid:entry_id>"


@blueprint.get("/t/<trust>/register")
@allow(Permission.REGISTER_READ)
def overview(trust: str) -> Response:
    """The accounts of every school whose register I may read."""
    places = [
        one for one in tenants.list_schools(open_on=today()) if actor().can(Permission.REGISTER_READ, one.id)
    ]
    entries = queries.list_entries(school_ids=[one.id for one in places])
    by_school = {one.id: [entry for entry in entries if entry.row.school_id == one.id] for one in places}
    return page(
        "workflows/register.html",
        places=places,
        by_school=by_school,
        words=FLAG_WORDS,
        red=RED,
        today=today(),
    )


@blueprint.get("/t/<trust>/schools/<school>/register")
@allow(Permission.REGISTER_READ, at="school")
def at_school(trust: str, school: str) -> Response:
    """The accounts of one school, those that are closed too."""
    open_ones = queries.list_entries(school_ids=[_here()])
    closed = queries.list_entries(school_ids=[_here()], closed=True)
    return page(
        "workflows/register_school.html",
        entries=open_ones,
        closed=closed,
        words=FLAG_WORDS,
        red=RED,
        today=today(),
    )


def _here() -> UUID:
    return school().id


@blueprint.get(ENTRY)
@allow(Permission.REGISTER_READ, at="school")
def entry(trust: str, school: str, entry_id: UUID) -> Response:
    """One account."""
    return _page(entry_id)


def _page(
    entry_id: UUID,
    *,
    people_form: RegisterPeopleForm | None = None,
    review_form: ReviewForm | None = None,
    close_form: CloseForm | None = None,
) -> Response:
    found = queries.get_entry(entry_id, school_id=_here())
    serving = people.serving_at(_here(), today())
    history = queries.history_of(entry_id)
    ids = found.people() | {one.person_id for rows in history.values() for one in rows}
    forms = [form for form in (people_form, review_form, close_form) if form is not None]
    return page(
        "workflows/entry.html",
        entry=found,
        row=found.row,
        state=found.state_on(today()),
        names=tenants.names_of(ids),
        serving=set(serving),
        history=history,
        words=FLAG_WORDS,
        red=RED,
        may_keep=actor().can(Permission.REGISTER_KEEP, _here()) and found.row.closed_on is None,
        may_open_case=_may_open(found.row.case_id),
        people_form=people_form or _people_form(found, serving),
        review_form=review_form or ReviewForm(formdata=None, address=found.row.address),
        close_form=close_form or CloseForm(formdata=None),
        open_forms=[type(form).__name__ for form in forms],
        errors=[error for form in forms for error in form.summary],
        today=today(),
        status=422 if any(form.errors for form in forms) else 200,
    )


def _may_open(case_id: UUID | None) -> bool:
    scope = current_scope()
    if case_id is None or scope is None:
        return False
    try:
        cases.get_case(case_id)
    except NotFound:
        return False
    return True


def _people_form(found: queries.Entry, serving: dict[UUID, str]) -> RegisterPeopleForm:
    return RegisterPeopleForm(
        formdata=None,
        administrators=[str(one) for one in found.administrators if one in serving],
        moderators=[str(one) for one in found.moderators if one in serving],
        custodian=str(found.row.custodian_id or ""),
    ).offer(serving)


def _ids(listed: list[str] | None) -> list[UUID]:
    found = []
    for one in listed or []:
        try:
            found.append(UUID(one))
        except ValueError:
            raise NotFound() from None
    return found


def _done(trust: str, slug: str, entry_id: UUID, words: str) -> Response:
    return see_other(url_for("register.entry", trust=trust, school=slug, entry_id=entry_id), words)


@blueprint.post(f"{ENTRY}/people")
@allow(Permission.REGISTER_KEEP, at="school")
def change_people(trust: str, school: str, entry_id: UUID) -> Response:
    """Who looks after an account."""
    queries.get_entry(entry_id, school_id=_here())
    form = RegisterPeopleForm().offer(people.serving_at(_here(), today()))
    custodian = _ids([form.custodian.data] if form.custodian.data else [])
    if form.carry_out(
        lambda: services.change_people(
            actor(),
            school_id=_here(),
            entry_id=entry_id,
            administrators=_ids(form.administrators.data),
            moderators=_ids(form.moderators.data),
            custodian_id=custodian[0] if custodian else None,
            now=now(),
        )
    ):
        return _done(trust, school, entry_id, "Changed.")
    return _page(entry_id, people_form=form)


@blueprint.post(f"{ENTRY}/review")
@allow(Permission.REGISTER_KEEP, at="school")
def review(trust: str, school: str, entry_id: UUID) -> Response:
    """Somebody looked at it."""
    queries.get_entry(entry_id, school_id=_here())
    form = ReviewForm()
    if form.carry_out(
        lambda: services.review(
            actor(),
            school_id=_here(),
            entry_id=entry_id,
            address=form.address.data or "",
            review_on=form.review_on.data,
            now=now(),
        )
    ):
        return _done(trust, school, entry_id, "Noted: you looked at it today.")
    return _page(entry_id, review_form=form)


@blueprint.post(f"{ENTRY}/close")
@allow(Permission.REGISTER_KEEP, at="school")
def close(trust: str, school: str, entry_id: UUID) -> Response:
    """The end of an account."""
    queries.get_entry(entry_id, school_id=_here())
    form = CloseForm()
    if form.carry_out(
        lambda: services.close(
            actor(),
            school_id=_here(),
            entry_id=entry_id,
            archived=form.archived.data,
            access_removed=form.access_removed.data,
            note=form.note.data or "",
            now=now(),
        )
    ):
        return _done(trust, school, entry_id, "The account is closed. Its entry stays.")
    return _page(entry_id, close_form=form)
