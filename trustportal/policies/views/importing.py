"""Importing: choose a file, correct what the importer was unsure about, save it as a draft. Nothing is saved before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, request, url_for

from trustportal.access import Permission
from trustportal.errors import RuleBroken
from trustportal.policies import linting, queries
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.forms.trust import KINDS, ArchiveForm, HeaderForm, UploadForm
from trustportal.policies.importing import corrections
from trustportal.policies.importing.archives import LARGEST as LARGEST_ARCHIVE
from trustportal.policies.importing.files import LARGEST
from trustportal.policies.importing.reading import Reading, unpack
from trustportal.policies.models import ImportReading, TemplateVersion
from trustportal.policies.queries.imports import QueuedFile
from trustportal.policies.services import import_queue, importing
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.web import trust as trust_here

blueprint = Blueprint("imports", __name__)
ONE = "/t/<trust>/imports/<uuid:reading_id>"


@blueprint.route("/t/<trust>/imports/new", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, at="trust")
def new(trust: str) -> Response:
    """Choose a file."""
    request.max_content_length = LARGEST + 100_000
    form = UploadForm()
    if form.is_submitted():
        row = form.bring(
            lambda content, name: importing.read_file(actor(), content=content, filename=name, now=now())
        )
        if row is not None:
            return see_other(url_for("imports.show", trust=trust, reading_id=row.id))
    return page("policies/imports/new.html", form=form, status=form.status)


@blueprint.get(ONE)
@allow(Permission.TEMPLATE_EDIT, at="trust")
def show(trust: str, reading_id: UUID) -> Response:
    """What was read, with what is uncertain first."""
    return _page(queries.get_reading(reading_id, actor().person_id))


ZIP, QUEUE = "/t/<trust>/imports/zip", "/t/<trust>/imports/queues/<uuid:batch_id>"
_STATES = {
    "waiting": ("Waits to be read", ""),
    "read": ("To correct", "adapted"),
    "corrected": ("Corrected", "adapted"),
    "saved": ("Saved as a draft", "done"),
    "refused": ("Cannot be read", "late"),
    "dropped": ("Dropped", ""),
}


@blueprint.route(ZIP, methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, at="trust")
def archive(trust: str) -> Response:
    """Bring many policies in one ZIP, or go back to one that was brought."""
    request.max_content_length = LARGEST_ARCHIVE + 100_000
    form = ArchiveForm()
    if form.is_submitted():
        batch = form.bring(
            lambda content, name: import_queue.bring_archive(
                actor(), content=content, filename=name, now=now()
            )
        )
        if batch is not None:
            return see_other(url_for("imports.queue", trust=trust, batch_id=batch.id))
    batches = queries.list_batches(actor().person_id)
    counts = queries.count_entries([one.id for one in batches])
    return page("policies/imports/zip.html", form=form, batches=batches, counts=counts, status=form.status)


@blueprint.get(QUEUE)
@allow(Permission.TEMPLATE_EDIT, at="trust")
def queue(trust: str, batch_id: UUID) -> Response:
    """The files of a ZIP with what became of each; the page asks again while some wait to be read."""
    batch = queries.get_batch(batch_id, actor().person_id)
    rows = [(one, _state(one)) for one in queries.entries_of(batch.id)]
    return page(
        "policies/imports/queue.html",
        fragment="policies/imports/_queue.html",
        batch=batch,
        rows=rows,
        states=_STATES,
        done=sum(1 for row in rows if row[1] != "waiting"),
        settled=sum(1 for row in rows if row[1] in ("saved", "refused", "dropped")),
    )


def _state(one: QueuedFile) -> str:
    """Where a file stands: its reading tells whether somebody corrected or saved it."""
    if one.reading_id is None or one.entry.state == import_queue.DROPPED:
        return one.entry.state
    if one.saved:
        return "saved"
    return "corrected" if one.corrected else one.entry.state


@blueprint.post(f"{QUEUE}/<uuid:entry_id>/drop")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def drop_entry(trust: str, batch_id: UUID, entry_id: UUID) -> Response:
    """Take a file out of the queue."""
    import_queue.drop_entry(actor(), batch_id=batch_id, entry_id=entry_id, now=now())
    return see_other(url_for("imports.queue", trust=trust, batch_id=batch_id))


@blueprint.post(f"{QUEUE}/<uuid:entry_id>/put-back")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def put_back_entry(trust: str, batch_id: UUID, entry_id: UUID) -> Response:
    """Put a dropped file back."""
    import_queue.put_back(actor(), batch_id=batch_id, entry_id=entry_id, now=now())
    return see_other(url_for("imports.queue", trust=trust, batch_id=batch_id))


def _page(
    row: ImportReading, errors: list[tuple[str, str]] | None = None, opened: int | None = None
) -> Response:
    return page(
        "policies/imports/show.html",
        fragment="policies/imports/_reading.html",
        correct_url=url_for("imports.correct", trust=trust_here().slug, reading_id=row.id),
        here=url_for("imports.show", trust=trust_here().slug, reading_id=row.id),
        entry=queries.find_entry_of(row.id),
        status=422 if errors else 200,
        **shown(row, errors, opened),
    )


def shown(row: ImportReading, errors: list[tuple[str, str]] | None, opened: int | None) -> dict[str, Any]:
    """What every page shows on which a reading is corrected; it adds `correct_url` and `here`."""
    reading = unpack(row.reading)
    doubts: dict[int | None, list[tuple[int, Any]]] = {}
    for position, doubt in enumerate(reading.uncertain):
        doubts.setdefault(doubt.clause, []).append((position, doubt))
    return {
        "row": row,
        "reading": reading,
        "doubts": doubts,
        "kinds": KINDS,
        "report": linting.report_of_reading(reading, today()),
        "opened": request.args.get("open", type=int) if opened is None else opened,
        "errors": errors or [],
    }


def correct_reading(
    row: ImportReading, here: str, again: Callable[..., Response], *, school_id: UUID | None = None
) -> Response:
    """One correction, as the form asks for it: back to the page `here`, or the page `again` with what is wrong."""
    try:
        row = importing.correct(
            actor(),
            reading_id=row.id,
            row_version=integer("row_version"),
            correction=_correction(request.form.get("action", "")),
            school_id=school_id,
        )
    except RuleBroken as refused:
        return again(row, [("", refused.message)], request.form.get("index", type=int))
    place: int | None = integer("index")
    action = request.form.get("action", "")
    if action == "settle":
        place = _next_place(unpack(row.reading), integer("index"))
    elif action == "restore":
        place = len(unpack(row.reading).clauses) - 1
    return see_other(here + (f"#r-{place}" if place is not None else ""))


def integer(name: str) -> int:
    """A number that a form brings. Raises RuleBroken."""
    try:
        return int(request.form.get(name, ""))
    except ValueError:
        raise RuleBroken("Reload the page and try again.") from None


def _correction(action: str) -> Callable[[Reading], Reading]:
    """The correction that a button asks for."""
    index = integer("index")
    if action == "settle":
        return lambda reading: corrections.settle(reading, index)
    if action == "restore":
        return lambda reading: corrections.restore(reading, index)
    if action == "edit":
        label, heading = request.form.get("label", ""), request.form.get("heading", "")
        text = request.form.get("text", "").replace("\r\n", "\n")
        return lambda reading: corrections.edit(reading, index, label=label, heading=heading, text=text)
    if action == "split":
        text = request.form.get("text", "").replace("\r\n", "\n")
        return lambda reading: _split_where_marked(reading, index, text)
    if action == "mark":
        try:
            kind = Kind(request.form.get("kind", ""))
        except ValueError:
            raise RuleBroken("Choose what the clause is.", "kind") from None
        return lambda reading: corrections.mark(reading, index, kind)
    if action == "join_lines":
        offset = integer("offset")
        return lambda reading: corrections.join_lines(reading, index, offset)
    if action == "cut":
        start, end = integer("start"), integer("end")
        return lambda reading: corrections.cut(reading, index, start, end)
    plain: dict[str, Callable[[Reading, int], Reading]] = {
        "join": corrections.join,
        "indent": corrections.indent,
        "outdent": corrections.outdent,
        "drop": corrections.drop,
    }
    if action not in plain:
        raise RuleBroken("Choose one of the buttons.")
    return lambda reading: plain[action](reading, index)


def _split_where_marked(reading: Reading, index: int, text: str) -> Reading:
    """Split a clause where somebody put a line with three hyphens into its text."""
    before, mark, _ = text.partition("\n---\n")
    if not mark:
        raise RuleBroken("Put a line with three hyphens (---) where the clause is to be split.", "text")
    whole = text.replace("\n---\n", "\n\n", 1)
    edited = corrections.edit(reading, index, text=whole)
    return corrections.split(edited, index, len(before))


@blueprint.post(f"{ONE}/correct")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def correct(trust: str, reading_id: UUID) -> Response:
    """One correction."""
    row = queries.get_reading(reading_id, actor().person_id)
    return correct_reading(row, url_for("imports.show", trust=trust, reading_id=row.id), _page)


def _next_place(reading: Reading, position: int) -> int | None:
    """The clause of the doubt that follows the settled one, so that one need not look for it."""
    following = [doubt.clause for doubt in reading.uncertain[position:] if doubt.clause is not None]
    return following[0] if following else None


@blueprint.route(f"{ONE}/save", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, at="trust")
def save(trust: str, reading_id: UUID) -> Response:
    """The header, then the draft."""
    row = queries.get_reading(reading_id, actor().person_id)
    reading = unpack(row.reading)
    form = HeaderForm()
    if not form.is_submitted():
        form.fill(importing.suggested_header(reading), reading.numbering_style.value)
        form.public.data = True
    elif version := form.carry_out(
        lambda: importing.make_draft(
            actor(), reading_id=row.id, header=form.header(tenants.get_trust().name), now=now()
        )
    ):
        assert isinstance(version, TemplateVersion)
        policy = queries.get_policy_by_id(version.policy_id)
        return see_other(
            url_for("drafts.edit", trust=trust, policy=policy.slug),
            "Saved as a draft. All clauses are locked: now say which ones schools may change.",
        )
    return page("policies/imports/save.html", row=row, reading=reading, form=form, status=form.status)


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(blueprint)
