"""Taking everything away: asked for, watched while it is made, agreed to, collected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, url_for

from trustportal.access import Actor, Permission
from trustportal.archives import queries
from trustportal.archives.forms import WHOLE, AnswerForm, AskForm
from trustportal.archives.models import Archive
from trustportal.archives.services import asking, taking
from trustportal.db import Scope, scope
from trustportal.errors import NotFound
from trustportal.forms import choices
from trustportal.tenants import queries as tenants
from trustportal.times import now
from trustportal.web import actor, allow, page, see_other
from trustportal.workflows.views import waking

blueprint = Blueprint("archives", __name__)
ROOT = "/t/<trust>/settings/archives"
DECISIONS = "/t/<trust>/archives"


def _places() -> dict[UUID | None, str]:
    return {None: "The whole trust", **{one.id: one.name for one in tenants.list_schools()}}


@blueprint.route(ROOT, methods=["GET", "POST"])
@allow(Permission.ARCHIVE_ASK, at="trust")
def archives(trust: str) -> Response:
    """What was asked for, and the form to ask for another."""
    schools = tenants.list_schools()
    form = AskForm()
    form.place.choices = choices([(WHOLE, "The whole trust"), *((one.slug, one.name) for one in schools)])
    if form.is_submitted():
        chosen = {one.slug: one.id for one in schools}
        asked = form.carry_out(
            lambda: asking.ask(
                actor(),
                school_id=chosen.get(form.place.data),
                with_cases=form.with_cases.data == "yes",
                reason=form.reason.data or "",
                now=now(),
            )
        )
        if isinstance(asked, Archive):
            return see_other(url_for("archives.archive", trust=trust, archive_id=asked.id))
    listed = queries.list_archives()
    return page(
        "archives/archives.html",
        form=form,
        archives=listed,
        places=_places(),
        names=tenants.names_of({one.asked_by for one in listed}),
        status=form.status,
    )


@blueprint.get(f"{ROOT}/<uuid:archive_id>")
@allow(Permission.ARCHIVE_ASK, at="trust")
def archive(trust: str, archive_id: UUID) -> Response:
    """How far an archive is; the page asks again until it is there."""
    return page(
        "archives/archive.html", fragment="archives/_archive.html", **_shown(queries.get_archive(archive_id))
    )


def _shown(found: Archive) -> dict[str, Any]:
    return {
        "archive": found,
        "place": _places()[found.school_id],
        "names": tenants.names_of({found.asked_by}),
        "mine": found.collector_id == actor().person_id,
    }


@blueprint.post(f"{ROOT}/<uuid:archive_id>/withdraw")
@allow(Permission.ARCHIVE_ASK, at="trust")
def withdraw(trust: str, archive_id: UUID) -> Response:
    """Take a request back."""
    asking.withdraw(actor(), archive_id=archive_id, now=now())
    return see_other(url_for("archives.archives", trust=trust), "The request was taken back.")


@blueprint.get(DECISIONS)
@allow(Permission.ARCHIVE_AGREE, at="trust")
def decisions(trust: str) -> Response:
    """What one of the two is asked to agree to, and what waits to be collected."""
    return _decisions(AnswerForm(formdata=None))


def _decisions(form: AnswerForm, asked_about: UUID | None = None) -> Response:
    asked = queries.list_asked(actor())
    return page(
        "archives/decisions.html",
        form=form,
        asked=asked,
        asked_about=asked_about,
        places=_places(),
        names=tenants.names_of({one.asked_by for one, _ in asked}),
        me=actor().person_id,
        status=form.status,
    )


@blueprint.post(f"{DECISIONS}/<uuid:archive_id>/answer")
@allow(Permission.ARCHIVE_AGREE, at="trust")
def decide(trust: str, archive_id: UUID) -> Response:
    """Agree to an archive with case records, or refuse it."""
    if queries.find_consent(archive_id, actor().person_id) is None:
        raise NotFound()
    form = AnswerForm()
    agree = form.answer.data == "agree"
    if form.carry_out(
        lambda: asking.answer(
            actor(), archive_id=archive_id, agree=agree, reason=form.reason.data or "", now=now()
        )
    ):
        words = (
            "You agreed. It is made once both of you have."
            if agree
            else "You refused. The archive is not made."
        )
        return see_other(url_for("archives.decisions", trust=trust), words)
    return _decisions(form, archive_id)


@blueprint.post(f"{DECISIONS}/<uuid:archive_id>/file")
@allow(Permission.ARCHIVE_ASK, Permission.ARCHIVE_AGREE, at="trust")
def take(trust: str, archive_id: UUID) -> Response:
    """The file. Posted to: taking it is recorded. For case records one proves first that it is oneself."""
    if taking.collected_by(actor(), archive_id).with_cases:
        waking.prove_first(url_for("archives.decisions", trust=trust))
    taken = taking.take(actor(), archive_id=archive_id, now=now())
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    answer = Response(_streamed(app, actor(), archive_id, taken.pieces), mimetype="application/zip")
    answer.headers["Content-Length"] = str(taken.size)
    answer.headers["Content-Disposition"] = f'attachment; filename="{taken.name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _streamed(app: Flask, who: Actor, archive_id: UUID, pieces: int) -> Iterator[bytes]:
    """The pieces, each read in a transaction of its own: the request is over, and nobody waits for a slow reader."""
    for number in range(pieces):
        with app.app_context(), scope(Scope.of(who)):
            piece = taking.read_piece(who, archive_id=archive_id, number=number)
        yield piece


@blueprint.post(f"{DECISIONS}/<uuid:archive_id>/discard")
@allow(Permission.ARCHIVE_ASK, Permission.ARCHIVE_AGREE, at="trust")
def discard(trust: str, archive_id: UUID) -> Response:
    """Remove an archive before its time."""
    found = taking.collected_by(actor(), archive_id)
    where = "archives.decisions" if found.with_cases else "archives.archives"
    taking.discard(actor(), archive_id=archive_id, now=now())
    return see_other(url_for(where, trust=trust), "The archive was removed.")
