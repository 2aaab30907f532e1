"""The trust's policies: the list, one policy with its versions, reading and comparing versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, make_response, request, url_for
from markupsafe import Markup

from trustportal import blobs, page_context, words
from trustportal.access import Actor, Permission, Role
from trustportal.errors import NotFound
from trustportal.policies import export, place_queries, queries, reading
from trustportal.policies.domain.clauses import Mode, NumberingStyle, Tree, Weight, labels, number
from trustportal.policies.domain.lifecycle import edition_label as label_of
from trustportal.policies.domain.register import TIER_WORDS, tier_of
from trustportal.policies.domain.tree_view import depth_of
from trustportal.policies.forms.trust import HeaderForm
from trustportal.policies.governance_models import Ratification
from trustportal.policies.models import Policy, TemplateVersion
from trustportal.policies.services import documents, drafts, local, writing
from trustportal.policies.views import presenting
from trustportal.policies.views.approvals import may_see
from trustportal.tenants import queries as tenants
from trustportal.tenants import services as tenant_services
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other, signed_in, trust

blueprint = Blueprint("policies", __name__)
ROOT = "/t/<trust>/policies"


def url(endpoint: str, **arguments: Any) -> str:
    """An address about the policy of the present one."""
    if "policy" in g:
        arguments.setdefault("policy", g.policy.slug)
    return url_for(f"policies.{endpoint}", trust=trust().slug, **arguments)


def here(slug: str) -> Policy:
    """The policy of the address. Raises `NotFound`."""
    g.policy = queries.get_policy(slug)
    return g.policy


@blueprint.context_processor
def _shared() -> dict[str, Any]:
    may_edit = "actor" in g and actor().can(Permission.TEMPLATE_EDIT)
    may_see_all = "actor" in g and actor().can(Permission.DIVERGENCE_READ)
    return {"trust_url": url, "may_edit": may_edit, "may_see_all": may_see_all}


def rows_of(tree: Tree, style: NumberingStyle) -> list[dict[str, Any]]:
    """A tree as a page shows it: each clause with its number, its label and its depth."""
    shown, full = number(tree, style), labels(tree, style)
    depths = depth_of(tree)
    return [
        {
            "clause": clause,
            "number": shown[clause.key],
            "label": full[clause.key],
            "depth": depths[clause.key],
        }
        for clause in tree
    ]


@blueprint.get(ROOT)
@signed_in
def index(trust: str) -> Response:
    """All policies for the trust's people; a school's people go to their school's."""
    who = actor()
    if not who.is_officer:
        if len(g.my_schools) == 1:
            return see_other(url_for("school_policies.index", trust=trust, school=g.my_schools[0].slug))
        if g.my_schools:
            return page("policies/trust/schools.html", schools=g.my_schools)
    policies = [one for one in queries.list_policies() if one.school_id is None]
    latest, open_ = queries.versions_by_policy()
    following = queries.count_standings()
    return page(
        "policies/trust/index.html",
        policies=policies,
        latest=latest,
        open=open_,
        following=following,
        review=lambda version: reading.header_of(version).next_review_on,
        today=today(),
    )


@blueprint.get(f"{ROOT}/new")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def new(trust: str) -> Response:
    """How a policy begins: from the starter, from a file, or empty."""
    return page("policies/trust/new.html")


@blueprint.post(f"{ROOT}/new/starter")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def new_from_starter(trust: str) -> Response:
    """A draft with the words of the starter template."""
    # Here, and not above: its facts are checked by a dozen models, which take long to make, for the first policy alone.
    from trustportal.policies.starter.loading import load_template, read_builtin

    starter = load_template(read_builtin("social_media"))
    tenant_services.define_placeholders(
        actor(),
        definitions=[
            {"name": one.name, "label": one.label, "hint": one.hint, "example": one.example}
            for one in starter.placeholders
        ],
    )
    version = drafts.create_policy(
        actor(),
        header=starter.header_for(tenants.get_trust().name),
        numbering=starter.numbering,
        tree=starter.tree,
        source="the starter template",
        now=now(),
    )
    policy = queries.get_policy_by_id(version.policy_id)
    return see_other(
        url_for("drafts.edit", trust=trust, policy=policy.slug), "Your draft is ready to be changed."
    )


@blueprint.route(f"{ROOT}/new/empty", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, at="trust")
def new_empty(trust: str) -> Response:
    """An empty draft with its header."""
    form = HeaderForm()
    form.offer([(str(school.id), school.name) for school in tenants.list_schools(open_on=today())])
    if not form.is_submitted():
        form.public.data = True
    elif version := form.carry_out(
        lambda: drafts.create_policy(
            actor(),
            header=form.header(tenants.get_trust().name),
            numbering=NumberingStyle(form.numbering.data),
            where=form.where(),
            now=now(),
        )
    ):
        assert isinstance(version, TemplateVersion)
        policy = queries.get_policy_by_id(version.policy_id)
        return see_other(url_for("drafts.edit", trust=trust, policy=policy.slug))
    return page("policies/trust/new_empty.html", form=form, status=form.status)


@blueprint.get(f"{ROOT}/<policy>")
@allow(Permission.TEMPLATE_READ)
def show(trust: str, policy: str) -> Response:
    """One policy: what is in force, what is on its way, its versions."""
    found = here(policy)
    if found.school_id is not None:
        return _at_its_school(found)
    versions = queries.list_versions(found.id)
    published = [one for one in versions if one.state == "published"]
    opened = next((one for one in versions if one.state in queries.OPEN_STATES), None)
    may_see_draft = actor().is_officer
    if not published and not may_see_draft:
        raise NotFound()
    current = published[0] if published else None
    asked = request.args.get("on", "")
    day, fault = day_asked(asked)
    run = queries.find_pending_run(version_id=opened.id) if opened else None
    return page(
        "policies/trust/show.html",
        policy=found,
        current=current,
        opened=opened if may_see_draft else None,
        run=run if run and may_see(run) else None,
        published=published,
        names=tenants.names_of({one.published_by for one in published if one.published_by}),
        header=reading.header_of(shown) if (shown := current or opened) else None,
        tier=TIER_WORDS[tier_of(_modes(shown), of_school=False)] if shown else "",
        ratified=_ratified(current) if current else None,
        central=place_queries.find_in_force(found.id, None, today()) is not None,
        text=_text(found, current) if current else "",
        places=_places(found, current, day) if actor().is_officer else None,
        asked=asked,
        day=day,
        fault=fault,
        today=today(),
        status=422 if fault else 200,
    )


def _at_its_school(policy: Policy) -> Response:
    """A school's own policy is read at its school; one that is not in force yet is seen by who writes it."""
    assert policy.school_id is not None
    school = tenants.get_school(policy.school_id)
    if not actor().can(Permission.EDITION_READ, school.id):
        raise NotFound()
    if queries.find_latest_version(policy.id) is not None:
        return see_other(
            url_for("school_policies.edition", trust=trust().slug, school=school.slug, policy=policy.slug)
        )
    if writing.may_write(actor(), policy):
        return see_other(url_for("drafts.edit", trust=trust().slug, policy=policy.slug))
    raise NotFound()


def _modes(version: TemplateVersion) -> list[Mode]:
    return [clause.mode for clause in reading.tree_of_version(version)]


def _ratified(version: TemplateVersion) -> Ratification | None:
    """What the body said later about its chair's action for a version, if there was one."""
    runs = [run for run in queries.list_runs(version_id=version.id) if run.state == "approved"]
    return queries.find_ratification(runs[-1].id) if runs else None


def day_asked(asked: str) -> tuple[date, str]:
    """The day of an address (`?on=2026-03-12`), today without one; and what is wrong with it."""
    try:
        return (date.fromisoformat(asked) if asked else today()), ""
    except ValueError:
        return today(), "Enter a real day, like 12 3 2026."


def _text(policy: Policy, version: TemplateVersion) -> Markup:
    style = reading.numbering_of(policy, version)
    return presenting.shown_version(
        version.id, style, lambda: rows_of(reading.tree_of_version(version), style)
    )


@dataclass(frozen=True, slots=True)
class PlaceShown:
    """A row of the list of places: what is the same for most of hundreds of schools is put into words here, once."""

    name: str
    slug: str | None
    in_force: str
    changes: str
    version: int | None
    undecided: int
    missing: list[str]
    release_due: bool
    is_open: bool


def _places(policy: Policy, current: TemplateVersion | None, day: date) -> list[PlaceShown]:
    """Where each place stands with a policy, and which edition it had in force on a day, for the trust's officers.

    `current`: the version that every place should be on.
    """
    newest = (current.number if current else None) or 0
    waiting = queries.open_reconciles_of(policy.id)
    changes = queries.count_answers(policy.id)
    return [
        PlaceShown(
            one.name or trust().name,
            one.slug,
            f"{label_of(one.major, one.minor)}, since {words.day(one.since)}" if one.major else "none yet",
            str(changes.get(one.school_id) or "None"),
            one.version,
            waiting.get(one.school_id, 0),
            one.missing,
            one.release_due,
            bool(
                waiting.get(one.school_id)
                or one.missing
                or one.release_due
                or 0 < (one.version or 0) < newest
            ),
        )
        for one in place_queries.list_places(policy.id, day)
    ]


@blueprint.get(f"{ROOT}/<policy>/versions/<int:number>")
@allow(Permission.TEMPLATE_READ)
def version(trust: str, policy: str, number: int) -> Response:
    """One published version of the trust's text."""
    found = here(policy)
    one = queries.get_numbered_version(found.id, number)
    latest = queries.find_latest_version(found.id)
    return page(
        "policies/trust/version.html",
        policy=found,
        version=one,
        latest=latest,
        header=reading.header_of(one),
        text=_text(found, one),
    )


@blueprint.get(f"{ROOT}/<policy>/versions/<int:number>.pdf")
@allow(Permission.TEMPLATE_READ)
def version_pdf(trust: str, policy: str, number: int) -> Response:
    """The stored PDF of a version."""
    found = here(policy)
    one = queries.get_numbered_version(found.id, number)
    stored = queries.find_version_pdf(one.id)
    if stored is None:
        return page("policies/being_made.html", back=url("show"))
    return pdf_response(stored.blob_hash, f"{found.slug}-v{number}.pdf")


@blueprint.get(f"{ROOT}/<policy>/versions/<int:number>.docx")
@allow(Permission.TEMPLATE_READ)
def version_word(trust: str, policy: str, number: int) -> Response:
    """A version as a Word file, made when it is asked for."""
    found = here(policy)
    one = queries.get_numbered_version(found.id, number)
    content = documents.version_word(actor(), version_id=one.id, public_url=public_url())
    return word_response(content, f"{found.slug}-v{number}.docx")


def word_response(content: bytes, filename: str) -> Response:
    """A Word file to keep."""
    answer = make_response(content)
    answer.mimetype = export.MIMETYPE
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def public_url() -> str:
    """The address that is printed on paper."""
    address: str = current_app.config["PORTAL"].public_url
    return address


def pdf_response(blob_hash: str, filename: str) -> Response:
    """A stored PDF, shown in the browser; its bytes never change, so its hash is its tag."""
    blob = blobs.get(blob_hash)
    answer = make_response(blob.content)
    answer.mimetype = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{filename}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    answer.set_etag(blob_hash)
    answer.make_conditional(request)
    return answer


@blueprint.post(f"{ROOT}/<policy>/release")
@allow(Permission.PLACEHOLDER_EDIT, at="trust")
def release(trust: str, policy: str) -> Response:
    """Bring a changed value into the trust's own edition, which its central team reads."""
    found = here(policy)
    local.release_edition(
        actor(), policy_id=found.id, school_id=None, weight=Weight.EDITORIAL, now=now(), today=today()
    )
    return see_other(url("show"), "The central team's edition has the new words.")


def links(who: Actor) -> list[dict[str, Any]]:
    """Policies, for everybody."""
    root = f"/t/{trust().slug}"
    also = [
        f"{root}/{one}" for one in ("policies", "search", "guidance", "map", "imports", "schools/*/policies")
    ]
    home = url_for("policies.index", trust=trust().slug)
    board = who.trust_roles & {Role.TRUSTEE, Role.CHAIR_OF_TRUST_BOARD}
    if not who.is_officer and len(g.my_schools) == 1 and not board:
        home = url_for("school_policies.index", trust=trust().slug, school=g.my_schools[0].slug)
    return [{"text": "Policies", "url": home, "section": home, "also": also, "order": 10}]


def install(app: Flask) -> None:
    """Register the pages, that of comparing among them."""
    import_module("trustportal.policies.views.comparing")
    app.register_blueprint(blueprint)
    page_context.add_navigation(links)
