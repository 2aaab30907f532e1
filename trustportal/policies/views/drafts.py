"""Writing a version: the draft's clauses, one at a time, its header, submitting, taking back, publishing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from flask import Blueprint, Flask, Response, g, request, url_for

from trustportal.access import Permission
from trustportal.errors import Conflict, NotFound, RuleBroken
from trustportal.policies import linting, queries, reading
from trustportal.policies.domain import approval, changes, references
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Weight
from trustportal.policies.domain.resolve import resolve
from trustportal.policies.domain.routes import Step, rule_words
from trustportal.policies.forms.trust import (
    AddClauseForm,
    ClauseForm,
    HeaderForm,
    SubmitForm,
)
from trustportal.policies.models import Policy, TemplateVersion
from trustportal.policies.queries import consultations
from trustportal.policies.services import approvals, documents, drafts, placing, runs, writing
from trustportal.policies.views import presenting
from trustportal.policies.views.answers import typed_answers
from trustportal.policies.views.trust import ROOT, pdf_response, public_url, rows_of, word_response
from trustportal.tenants import queries as tenants
from trustportal.tenants.tasks import provide_tasks
from trustportal.times import now, today
from trustportal.web import actor, allow, is_htmx, page, see_other, trust

blueprint = Blueprint("drafts", __name__)
DRAFT = f"{ROOT}/<policy>/draft"


def url(endpoint: str, **arguments: Any) -> str:
    """An address about the draft of the present one."""
    return url_for(f"drafts.{endpoint}", trust=trust().slug, policy=g.policy.slug, **arguments)


@blueprint.context_processor
def _shared() -> dict[str, Any]:
    return {"draft_url": url}


def open_draft(slug: str) -> tuple[Policy, TemplateVersion]:
    """The policy of the address and its open version. `NotFound` where none is open."""
    version = queries.find_open_version(_mine(slug).id)
    if version is None:
        raise NotFound("No new version of this policy is being written.")
    return g.policy, version


def _mine(slug: str) -> Policy:
    """The policy of the address, for who writes it: the trust's office, or the head of the school whose own it is."""
    g.policy = queries.get_policy(slug)
    writing.require_writer(actor(), g.policy)
    return g.policy


def _row(version: TemplateVersion, policy: Policy, key: str) -> dict[str, Any]:
    """One clause of a draft as the list shows it."""
    rows = rows_of(reading.tree_of_version(version), reading.numbering_of(policy, version))
    found = next((row for row in rows if row["clause"].key == key), None)
    if found is None:
        raise NotFound("This clause is no longer in the draft: somebody removed it.")
    return found


@blueprint.post(DRAFT)
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def start(trust: str, policy: str) -> Response:
    """Begin the next version."""
    _mine(policy)
    drafts.start_draft(actor(), policy_id=g.policy.id, now=now())
    return see_other(url("edit"), "The next version begins with the words of the one in force.")


@blueprint.get(DRAFT)
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def edit(trust: str, policy: str) -> Response:
    """The draft, clause by clause."""
    found, version = open_draft(policy)
    tree = reading.tree_of_version(version)
    base = queries.get_version(version.based_on_id) if version.based_on_id else None
    changed = set(changes.changed_keys(reading.tree_of_version(base), tree)) if base else set()
    return page(
        "policies/trust/draft.html",
        policy=found,
        version=version,
        rows=rows_of(tree, reading.numbering_of(found, version)),
        changed=changed,
        base=base,
        modes={mode: sum(one.mode is mode for one in tree) for mode in Mode},
        returned=_comments(version),
        consulted=consultations.find_consultation(version.id) is not None,
        report=_report(found, version),
    )


def _comments(version: TemplateVersion) -> list[Any]:
    """What the approvers asked for the last time, while the draft is being changed."""
    runs = [run for run in queries.list_runs(version_id=version.id) if run.state == "returned"]
    if not runs or version.state != "draft":
        return []
    return [row for row in queries.decisions_of([runs[-1].id]) if row.comment]


@blueprint.route(f"{DRAFT}/header", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def header(trust: str, policy: str) -> Response:
    """The draft's header."""
    found, version = open_draft(policy)
    form = HeaderForm()
    form.offer([(str(school.id), school.name) for school in tenants.list_schools(open_on=today())])
    theirs: list[tuple[str, str, str]] = []
    if not form.is_submitted():
        form.fill(reading.header_of(version), reading.numbering_of(found, version).value)
        form.show_where(placing.where_of(found, version))
        form.row_version.data = drafts.header_mark(version)
        return page("policies/trust/header.html", policy=found, form=form, theirs=theirs)
    try:
        saved = form.carry_out(
            lambda: drafts.change_header(
                actor(),
                version_id=version.id,
                header_seen=form.row_version.data or "",
                header=form.header(reading.place_name(found.school_id)),
                numbering=NumberingStyle(form.numbering.data),
                where=form.where() if found.school_id is None else None,
                now=now(),
            )
        )
    except Conflict as conflict:
        # What was typed stays in the form; saving again is then meant for the header as it stands now.
        saved = False
        typed = {**form.header("").content(), "numbering": form.numbering.data}
        theirs = presenting.header_changes(typed, conflict.theirs)
        form.form_errors.append(conflict.message)
        form.row_version.data = drafts.header_mark(queries.get_version(version.id))
    if saved:
        return see_other(url("edit"), "Saved.")
    return page(
        "policies/trust/header.html",
        policy=found,
        form=form,
        theirs=theirs,
        status=409 if theirs else form.status,
    )


@blueprint.route(f"{DRAFT}/clauses/<key>", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def clause(trust: str, policy: str, key: str) -> Response:
    """One clause: its words and what schools may do with it. `?row=1` gives back the quiet row."""
    found, version = open_draft(policy)
    row = _row(version, found, key)
    stored = queries.get_draft_clause(version.id, key)
    if is_htmx() and request.args.get("row"):
        return page("policies/trust/_draft_row.html", row=row, changed=set(), report=_report(found, version))
    form = ClauseForm()
    theirs: dict[str, Any] | None = None
    if not form.is_submitted():
        form.heading.data, form.text.data = stored.heading, stored.text
        form.kind.data, form.mode.data, form.needs_agreement.data = (
            stored.kind,
            stored.mode,
            stored.needs_agreement,
        )
        form.row_version.data = str(stored.row_version)
    else:
        try:
            saved = form.carry_out(lambda: _save(form, version, key))
        except Conflict as conflict:
            # What was typed stays in the form; saving again is then meant for the words as they stand now.
            theirs = conflict.theirs
            form.form_errors.append(conflict.message)
            form.row_version.data = str(conflict.theirs["row_version"])
            saved = False
        if saved and is_htmx():
            return page(
                "policies/trust/_draft_row.html",
                row=_row(version, found, key),
                changed={key},
                report=_report(found, version),
            )
        if saved:
            return see_other(f"{url('edit')}#c-{key}", "Saved.")
    return page(
        "policies/trust/clause.html",
        fragment="policies/trust/_clause_form.html",
        policy=found,
        row=row,
        form=form,
        theirs=theirs,
        report=_report(found, version),
        status=409 if theirs else form.status,
    )


def _report(policy: Policy, version: TemplateVersion) -> linting.Report:
    """What lint says about the draft as it is saved."""
    return linting.report_of_version(policy, version, today())


def _save(form: ClauseForm, version: TemplateVersion, key: str) -> object:
    return drafts.change_clause(
        actor(),
        version_id=version.id,
        key=key,
        row_version=int(form.row_version.data or 0),
        heading=form.heading.data or "",
        text=form.text.data or "",
        mode=Mode(form.mode.data),
        needs_agreement=bool(form.needs_agreement.data),
        kind=Kind(form.kind.data),
        now=now(),
    )


@blueprint.post(f"{DRAFT}/preview")
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def preview(trust: str, policy: str) -> Response:
    """What the words in the form would print, with the trust's values in its placeholders."""
    found, version = open_draft(policy)
    words = Clause(
        "preview", None, Kind.CLAUSE, request.form.get("heading", ""), request.form.get("text", "")
    )
    tree = reading.tree_of_version(version)
    shown = resolve(
        (*tree, words), reading.numbering_of(found, version), {}, (), tenants.values_for_place(None)
    )
    return page("policies/trust/_preview.html", clause=shown.clauses[-1])


@blueprint.route(f"{DRAFT}/add", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def add(trust: str, policy: str) -> Response:
    """A new clause, after another or at the end."""
    found, version = open_draft(policy)
    form = AddClauseForm()
    if not form.is_submitted():
        form.after.data = request.args.get("after", "")
    elif key := form.carry_out(
        lambda: drafts.insert_clause(
            actor(),
            version_id=version.id,
            after=form.after.data or None,
            kind=Kind(form.kind.data),
            heading=form.heading.data or "",
            text=form.text.data or "",
            mode=Mode(form.mode.data),
            inside=bool(form.inside.data),
            now=now(),
        )
    ):
        return see_other(f"{url('edit')}#c-{key}", "Added.")
    after = _row(version, found, form.after.data) if form.after.data else None
    return page("policies/trust/add.html", policy=found, form=form, after=after, status=form.status)


@blueprint.post(f"{DRAFT}/clauses/<key>/move")
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def move(trust: str, policy: str, key: str) -> Response:
    """Up, down, in or out."""
    _, version = open_draft(policy)
    drafts.move_clause(
        actor(), version_id=version.id, key=key, direction=request.form.get("direction", ""), now=now()
    )
    return see_other(f"{url('edit')}#c-{key}")


@blueprint.route(f"{DRAFT}/clauses/<key>/remove", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def remove(trust: str, policy: str, key: str) -> Response:
    """Ask, then take the clause out with all below it."""
    found, version = open_draft(policy)
    row = _row(version, found, key)
    if request.method == "POST":
        drafts.remove_clause(actor(), version_id=version.id, key=key, now=now())
        return see_other(url("edit"), "Taken out of the draft. Earlier versions keep it.")
    tree = reading.tree_of_version(version)
    below = [one for one in tree if one.parent == key]
    referring = references.referring_to(tree, key)
    labels = {one["clause"].key: one for one in rows_of(tree, reading.numbering_of(found, version))}
    return page(
        "policies/trust/remove.html",
        policy=found,
        row=row,
        below=below,
        referring=[labels[one] for one in referring if one != key],
    )


@blueprint.post(f"{DRAFT}/pdf")
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def ask_for_pdf(trust: str, policy: str) -> Response:
    """Have the draft put on paper."""
    _, version = open_draft(policy)
    documents.ask_for_draft_pdf(actor(), version_id=version.id)
    return see_other(url("pdf"))


@blueprint.get(f"{DRAFT}.pdf")
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def pdf(trust: str, policy: str) -> Response:
    """The draft on paper, with its watermark; until it is made, the page asks again."""
    found, version = open_draft(policy)
    if version.draft_pdf_hash is None or version.draft_pdf_of != version.row_version:
        return page("policies/being_made.html", back=url("edit"))
    return pdf_response(version.draft_pdf_hash, f"{found.slug}-draft.pdf")


@blueprint.get(f"{DRAFT}.docx")
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def word(trust: str, policy: str) -> Response:
    """The draft as a Word file, marked as one on every page, made when it is asked for."""
    found, version = open_draft(policy)
    content = documents.draft_word(actor(), version_id=version.id, public_url=public_url())
    return word_response(content, f"{found.slug}-draft.docx")


@blueprint.post(f"{DRAFT}/modes")
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def modes(trust: str, policy: str) -> Response:
    """One mode for the clauses that are ticked."""
    _, version = open_draft(policy)
    keys = request.form.getlist("key")
    if not keys:
        raise RuleBroken("Tick the clauses first, then choose what schools may do with them.")
    try:
        mode = Mode(request.form.get("mode", ""))
    except ValueError:
        raise RuleBroken("Choose what schools may do with the clauses.") from None
    drafts.set_modes(actor(), version_id=version.id, keys=keys, mode=mode, now=now())
    return see_other(url("edit"), "Saved.")


@blueprint.route(f"{DRAFT}/submit", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def submit(trust: str, policy: str) -> Response:
    """Say why, mark each changed clause, send it to the approvers."""
    found, version = open_draft(policy)
    base = queries.get_version(version.based_on_id) if version.based_on_id else None
    changed = reading.compare_versions(found, base, version) if base else ()
    form = SubmitForm()
    marks = _marks([one.key for one in changed])
    if form.is_submitted() and form.carry_out(
        lambda: approvals.submit_version(
            actor(),
            version_id=version.id,
            reason=form.reason.data or "",
            marks={key: mark for key, mark in marks.items() if mark is not None},
            answers=typed_answers(),
            now=now(),
        )
    ):
        return see_other(
            url_for("policies.show", trust=trust, policy=policy),
            "Sent. The approvers have been asked by mail.",
        )
    return page(
        "policies/trust/submit.html",
        policy=found,
        version=version,
        base=base,
        changes=changed,
        marks=marks,
        route=_route(found, version),
        rule_words=rule_words,
        count=len(reading.tree_of_version(version)),
        report=_report(found, version),
        typed=typed_answers(),
        waivable=linting.is_waivable,
        form=form,
        status=form.status,
    )


def _route(policy: Policy, version: TemplateVersion) -> Sequence[Step]:
    """Who will be asked about a version."""
    if policy.school_id is None:
        return queries.route_of_versions(policy)
    barred = approval.barred_from(version.author_ids, str(actor().person_id))
    return runs.route_of_changes(policy.school_id, on=today(), barred=barred)


def _marks(keys: list[str]) -> dict[str, Mark | None]:
    """What was ticked for each changed clause."""
    marks: dict[str, Mark | None] = {}
    for key in keys:
        weight = request.form.get(f"weight-{key}", "")
        marks[key] = (
            Mark(Weight(weight), request.form.get(f"reason-{key}", "").strip())
            if weight in {one.value for one in Weight}
            else None
        )
    return marks


@blueprint.post(f"{DRAFT}/withdraw")
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def withdraw(trust: str, policy: str) -> Response:
    """Take a submitted or approved version back to draft."""
    _, version = open_draft(policy)
    approvals.withdraw_version(actor(), version_id=version.id, now=now())
    return see_other(url("edit"), "It is a draft again. Votes that were cast do not count for the next try.")


@blueprint.post(f"{DRAFT}/discard")
@allow(Permission.TEMPLATE_EDIT, Permission.OWN_POLICY_EDIT)
def discard(trust: str, policy: str) -> Response:
    """Give up the draft."""
    _, version = open_draft(policy)
    drafts.discard_draft(actor(), version_id=version.id)
    return see_other(url_for("policies.show", trust=trust, policy=policy), "The draft was given up.")


def install(app: Flask) -> None:
    """Register the pages, those of publishing among them."""
    provide_tasks(import_module("trustportal.policies.views.publishing").tasks)
    app.register_blueprint(blueprint)
