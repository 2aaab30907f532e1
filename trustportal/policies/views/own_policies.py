"""A school writes a policy for itself, or brings the file in which it stands: no template, its own numbers, approved
as the trust delegated it.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Flask, Response, request, url_for

from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.policies import queries
from trustportal.policies.domain.clauses import NumberingStyle
from trustportal.policies.forms.trust import HeaderForm, UploadForm
from trustportal.policies.importing.files import LARGEST
from trustportal.policies.importing.reading import unpack
from trustportal.policies.models import ImportReading, TemplateVersion
from trustportal.policies.services import drafts, importing
from trustportal.policies.views.importing import correct_reading, shown
from trustportal.times import now
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here

blueprint = Blueprint("own_policies", __name__)
ROOT = "/t/<trust>/schools/<school>/policies/own"
ONE = f"{ROOT}/import/<uuid:reading_id>"


@blueprint.route(f"{ROOT}/new", methods=["GET", "POST"])
@allow(Permission.OWN_POLICY_EDIT, at="school")
def new(trust: str, school: str) -> Response:
    """What the policy says about itself; then its clauses are written."""
    form = HeaderForm()
    if not form.is_submitted():
        form.public.data = True
    elif version := form.carry_out(
        lambda: drafts.create_policy(
            actor(),
            header=form.header(school_here().name),
            numbering=NumberingStyle(form.numbering.data),
            school_id=school_here().id,
            now=now(),
        )
    ):
        assert isinstance(version, TemplateVersion)
        policy = queries.get_policy_by_id(version.policy_id)
        return see_other(url_for("drafts.edit", trust=trust, policy=policy.slug))
    return page("policies/school/own_new.html", form=form, status=form.status)


@blueprint.get(f"{ROOT}/<policy>")
@allow(Permission.OWN_POLICY_EDIT, at="school")
def go_on(trust: str, school: str, policy: str) -> Response:
    """What is to be done next with a policy of the school's own."""
    found = queries.get_policy(policy)
    if found.school_id != school_here().id:
        raise NotFound()
    opened = queries.find_open_version(found.id)
    if opened is None:
        return page("policies/school/own_next.html", policy=found)
    run = queries.find_pending_run(version_id=opened.id)
    if run is not None:
        return see_other(url_for("approvals.show", trust=trust, run_id=run.id))
    where = "drafts.publish" if opened.state == "approved" else "drafts.edit"
    return see_other(url_for(where, trust=trust, policy=policy))


# -- from a file -------------------------------------------------------------------------------------------------


@blueprint.route(f"{ROOT}/import", methods=["GET", "POST"])
@allow(Permission.OWN_POLICY_EDIT, at="school")
def bring(trust: str, school: str) -> Response:
    """Choose the file in which the policy stands."""
    request.max_content_length = LARGEST + 100_000
    form = UploadForm()
    if form.is_submitted():
        row = form.bring(
            lambda content, name: importing.read_file(
                actor(), content=content, filename=name, now=now(), school_id=school_here().id
            )
        )
        if row is not None:
            return see_other(_url("brought", reading_id=row.id))
    return page("policies/school/own_import.html", form=form, status=form.status)


@blueprint.get(ONE)
@allow(Permission.OWN_POLICY_EDIT, at="school")
def brought(trust: str, school: str, reading_id: UUID) -> Response:
    """What was read, with what is uncertain first."""
    return _brought(queries.get_reading(reading_id, actor().person_id))


def _brought(
    row: ImportReading, errors: list[tuple[str, str]] | None = None, opened: int | None = None
) -> Response:
    return page(
        "policies/school/own_brought.html",
        fragment="policies/imports/_reading.html",
        correct_url=_url("correct", reading_id=row.id),
        here=_url("brought", reading_id=row.id),
        save_url=_url("save", reading_id=row.id),
        status=422 if errors else 200,
        **shown(row, errors, opened),
    )


def _url(endpoint: str, **more: object) -> str:
    return url_for(
        f"own_policies.{endpoint}",
        **{**(request.view_args or {}), **more},
    )


@blueprint.post(f"{ONE}/correct")
@allow(Permission.OWN_POLICY_EDIT, at="school")
def correct(trust: str, school: str, reading_id: UUID) -> Response:
    """One correction."""
    row = queries.get_reading(reading_id, actor().person_id)
    return correct_reading(row, _url("brought"), _brought, school_id=school_here().id)


@blueprint.route(f"{ONE}/save", methods=["GET", "POST"])
@allow(Permission.OWN_POLICY_EDIT, at="school")
def save(trust: str, school: str, reading_id: UUID) -> Response:
    """The header, then the draft of the school's own policy."""
    row = queries.get_reading(reading_id, actor().person_id)
    reading, form = unpack(row.reading), HeaderForm()
    if not form.is_submitted():
        form.fill(importing.suggested_header(reading), reading.numbering_style.value)
        form.public.data = True
    elif version := form.carry_out(
        lambda: importing.make_draft(
            actor(),
            reading_id=row.id,
            header=form.header(school_here().name),
            school_id=school_here().id,
            now=now(),
        )
    ):
        assert isinstance(version, TemplateVersion)
        policy = queries.get_policy_by_id(version.policy_id)
        return see_other(
            url_for("drafts.edit", trust=trust, policy=policy.slug),
            "Saved as a draft. Read it through, then send it for approval.",
        )
    return page("policies/school/own_save.html", row=row, reading=reading, form=form, status=form.status)


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(blueprint)
