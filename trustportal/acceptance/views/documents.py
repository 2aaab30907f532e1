"""Outside documents: which are recorded, their editions, and a new one."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import Response, url_for

from trustportal.acceptance.domain.documents import USUAL_DOCUMENT_STATEMENT
from trustportal.acceptance.forms import DocumentForm
from trustportal.acceptance.models import OutsideEdition
from trustportal.acceptance.queries import outside
from trustportal.acceptance.services import documents as services
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.tenants import queries as tenants
from trustportal.tenants.domain import long_day
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other

ROOT = "/t/<trust>/acceptance/documents"


@blueprint.get(ROOT)
@allow(Permission.ACCEPTANCE_MANAGE, at="trust")
def documents(trust: str) -> Response:
    """The outside documents that are recorded, each by its newest edition."""
    return page("acceptance/documents.html", rows=outside.list_newest(), today=today())


@blueprint.route(f"{ROOT}/new", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_MANAGE, at="trust")
def new_document(trust: str) -> Response:
    """Record an outside document."""
    form = DocumentForm(parts="the whole", statement=USUAL_DOCUMENT_STATEMENT, current_from=today())
    if form.is_submitted():
        made = form.carry_out(
            lambda: services.record_document(actor(), form.draft(), now=now(), today=today())
        )
        if isinstance(made, OutsideEdition):
            return _recorded(trust, made, "It is recorded. Choose it in a campaign, and people are asked.")
    return page(
        "acceptance/document_new.html", form=form, errors=form.summary, before=None, status=form.status
    )


@blueprint.get(f"{ROOT}/<uuid:outside_id>")
@allow(Permission.ACCEPTANCE_MANAGE, at="trust")
def document(trust: str, outside_id: UUID) -> Response:
    """One outside document with all its editions, and how many people confirmed each."""
    editions = _editions(outside_id)
    return page(
        "acceptance/document.html",
        editions=editions,
        current=outside.find_current(outside_id, today()),
        confirmed=outside.count_confirmed(outside_id),
        names=tenants.names_of({one.recorded_by for one in editions if one.recorded_by is not None}),
        today=today(),
    )


@blueprint.route(f"{ROOT}/<uuid:outside_id>/edition", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_MANAGE, at="trust")
def new_document_edition(trust: str, outside_id: UUID) -> Response:
    """Record another edition: everybody is asked again from its day on, unless it only corrects the record."""
    before = _editions(outside_id)[0]
    form = DocumentForm(
        title=before.title,
        publisher=before.publisher,
        edition=before.edition,
        published_on=before.published_on,
        current_from=max(today(), before.current_from),
        link=before.link,
        parts=before.parts,
        statement=before.statement,
    )
    if form.is_submitted():
        made = form.carry_out(
            lambda: services.record_edition(
                actor(), document_id=outside_id, draft=form.draft(), now=now(), today=today()
            )
        )
        if isinstance(made, OutsideEdition):
            return _recorded(trust, made, _what_follows(made, today()))
    return page(
        "acceptance/document_new.html", form=form, errors=form.summary, before=before, status=form.status
    )


def _editions(document_id: UUID) -> list[OutsideEdition]:
    found = list(outside.editions_of(document_id))
    if not found:
        raise NotFound()
    return found


def _what_follows(made: OutsideEdition, on: date) -> str:
    if not made.asks_again:
        return "The record is corrected. Nobody is asked again."
    if made.current_from > on:
        return f"It is recorded. From {long_day(made.current_from)} on, people are asked for this edition."
    return "It is recorded. Whoever a campaign asks for this document is now asked for this edition."


def _recorded(trust: str, made: OutsideEdition, said: str) -> Response:
    return see_other(url_for("acceptance.document", trust=trust, outside_id=made.document_id), said)
