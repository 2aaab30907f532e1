"""What everybody may read: a school's public policies in force, older editions, and whether a printed paper is one.

Nobody is signed in here. A policy that is not public does not exist on these pages; the check of a printed paper
answers for every approved edition, because whoever asks holds the paper.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, g, request, url_for

from trustportal.errors import NotFound
from trustportal.policies import place_queries, public_search, queries, reading
from trustportal.policies.domain.changes import ChangeRow
from trustportal.policies.governance_models import Ratification
from trustportal.policies.models import Edition, Policy
from trustportal.policies.public_search import Hit
from trustportal.policies.views import checking, presenting
from trustportal.policies.views.checking import Verdict, verdict_on
from trustportal.policies.views.school_history import stored_pdf
from trustportal.tenants import queries as tenants
from trustportal.tenants.models import School
from trustportal.times import today
from trustportal.web import POLICY, page, public, see_other

blueprint = Blueprint("public_pages", __name__)
ROOT = "/p/<trust>/<school>"
#: How long browsers and caches between may show a page without asking whether it changed.
FRESH_SECONDS = 120


def install(app: Flask) -> None:
    """Put the public pages into an application."""
    import_module("trustportal.policies.views.public_feeds")
    app.register_blueprint(blueprint)


@blueprint.context_processor
def _place() -> dict[str, Any]:
    return {
        "public_place": g.get("public_place") or "TrustPortal",
        "trust_name": g.get("trust_name"),
        "theme_url": g.get("theme_url"),
        "public_path": _url,
    }


def _url(endpoint: str, **arguments: Any) -> str:
    given = request.view_args or {}
    return url_for(f"public_pages.{endpoint}", trust=given["trust"], school=given["school"], **arguments)


def place_of(slug: str) -> School:
    """The school of the address; the page takes its name and the trust's colours."""
    school = tenants.get_school_by_slug(slug)
    trust = tenants.get_trust()
    g.public_place, g.trust_name = school.name, trust.name
    g.theme_url = url_for("tenants.theme", trust=trust.slug, colour=trust.colour.lstrip("#"))
    return school


def _open_policy(place: School, slug: str) -> Policy:
    """A public policy of a school that is live: one that is being set up publishes nothing."""
    found = queries.get_policy(slug)
    if not found.public or place.started_at is None:
        raise NotFound()
    return found


def cacheable(answer: Response) -> Response:
    """Let browsers and caches between keep a public answer for a little while."""
    # A page made for a session may carry a message meant for one person: no cache between may keep it.
    mine = g.get("signed_on") is not None
    answer.headers["Cache-Control"] = "private, no-store" if mine else f"public, max-age={FRESH_SECONDS}"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


# -- the list ----------------------------------------------------------------------------------------------------


@blueprint.get(f"{ROOT}/")
@public
def school(trust: str, school: str) -> Response:
    """The public policies that are in force at a school."""
    place = place_of(school)
    asked = " ".join(request.args.get("q", "").split())[:100]
    lines = lines_of(place)
    return cacheable(
        page(
            "policies/public/school.html",
            school=place,
            lines=_found(lines, asked) if asked else [(*line, ()) for line in lines],
            asked=asked,
            withdrawn=[
                one
                for one in queries.withdrawn_at(place.id, as_of(place))
                if one.public and not asked and place.started_at is not None
            ],
            left=has_left(place),
        )
    )


def _found(lines: list[Line], asked: str) -> list[tuple[Policy, Edition, str, tuple[Hit, ...]]]:
    """The policies whose title or clauses contain every word that was asked for, with the clauses that do."""
    hits: dict[UUID, list[Hit]] = {}
    for hit in public_search.search([edition.id for _, edition, _ in lines], asked):
        hits.setdefault(hit.edition_id, []).append(hit)
    words = asked.lower().split()
    return [
        (policy, edition, label, tuple(hits.get(edition.id, ())[: public_search.MOST_SHOWN]))
        for policy, edition, label in lines
        if edition.id in hits or all(word in edition.header["title"].lower() for word in words)
    ]


def has_left(place: School) -> bool:
    """Whether the school no longer belongs to the trust."""
    return place.closes_on is not None and place.closes_on <= today()


@blueprint.get(f"{ROOT}/embed")
@public
def embed(trust: str, school: str) -> Response:
    """The list alone, for a frame on the school's own website."""
    place = place_of(school)
    answer = page(
        "policies/public/embed.html",
        school=place,
        lines=[(*line, ()) for line in lines_of(place)],
        left=has_left(place),
        bare=True,
    )
    # The one page of the portal that others may put into a frame: it changes nothing, nobody is signed in on it, and
    # it has no script.
    answer.headers["Content-Security-Policy"] = POLICY.replace(
        "frame-ancestors 'none'", "frame-ancestors *"
    ).replace("script-src 'self'; ", "")
    return cacheable(answer)


#: A policy, its edition in force, and the edition's label.
Line = tuple[Policy, Edition, str]


def lines_of(place: School) -> list[Line]:
    """The public policies in force at a school, each with its edition and label; none before it is live."""
    if place.started_at is None:
        return []
    policies = {policy.id: policy for policy in queries.policies_at(place.id) if policy.public}
    editions = place_queries.list_heads_in_force(place.id, list(policies), as_of(place))
    return [
        (policies[key], editions[key], reading.edition_label(editions[key]))
        for key in policies
        if key in editions
    ]


def as_of(place: School) -> date:
    """Today, or the last day of a school that has left the trust: nothing later is shown of it."""
    return min(today(), place.closes_on - timedelta(days=1)) if place.closes_on else today()


# -- a policy ----------------------------------------------------------------------------------------------------


@blueprint.get(f"{ROOT}/policies/<policy>")
@public
def policy(trust: str, school: str, policy: str) -> Response:
    """A public policy as it is in force, at an address that stays the same."""
    place = place_of(school)
    found = _open_policy(place, policy)
    edition = place_queries.find_in_force(found.id, place.id, as_of(place))
    if edition is None:
        return _withdrawn(place, found)
    if not queries.applies_at(found, place.id):
        raise NotFound()
    return _edition_page(place, found, edition, edition)


def _withdrawn(place: School, found: Policy) -> Response:
    """The notice of a policy that was withdrawn, with the editions that were in force until then."""
    if found.withdrawn_on is None or found.withdrawn_on > today():
        raise NotFound()
    editions = [one for one in queries.list_editions(found.id, place.id) if not _to_come(one, place)]
    if not editions:
        raise NotFound()
    return cacheable(
        page(
            "policies/public/withdrawn.html",
            school=place,
            policy=found,
            title=editions[0].header["title"],
            editions=[(one, reading.edition_label(one)) for one in editions],
        )
    )


@blueprint.get(f"{ROOT}/policies/<policy>/editions/<label>")
@public
def earlier(trust: str, school: str, policy: str, label: str) -> Response:
    """An older edition, which says that it is superseded."""
    place = place_of(school)
    found = _open_policy(place, policy)
    in_force = place_queries.find_in_force(found.id, place.id, as_of(place))
    edition = place_queries.get_labelled(found.id, place.id, label)
    ending = None if in_force else queries.find_ending(found.id, place.id, as_of(place))
    if _to_come(edition, place) or (in_force is None and found.withdrawn_on is None and ending is None):
        raise NotFound()
    return _edition_page(place, found, edition, in_force, ended_on=ending.ended_on if ending else None)


def _to_come(edition: Edition, place: School) -> bool:
    """What is approved and not yet in force is not public yet; nor what would begin after the school left."""
    return edition.effective_on is None or edition.effective_on > as_of(place)


def _edition_page(
    place: School, found: Policy, edition: Edition, in_force: Edition | None, *, ended_on: date | None = None
) -> Response:
    editions = [one for one in queries.list_editions(found.id, place.id) if not _to_come(one, place)]
    return cacheable(
        page(
            "policies/public/policy.html",
            school=place,
            policy=found,
            edition=edition,
            header=reading.header_of(edition),
            label=reading.edition_label(edition),
            in_force=in_force,
            label_in_force=reading.edition_label(in_force) if in_force else "",
            superseded_on=checking.superseded_on(edition, editions),
            left=has_left(place),
            ended_on=ended_on,
            ratified=_ratified(edition),
            editions=[(one, reading.edition_label(one), _log(one)) for one in editions],
            shown=_shown(edition),
        )
    )


def _ratified(edition: Edition) -> Ratification | None:
    """What the body said later about its chair's action, for an edition that follows from one."""
    if not any(one.get("method", "").startswith("chair’s action") for one in edition.approvals):
        return None
    runs = [
        run for run in queries.list_runs(version_id=edition.template_version_id) if run.state == "approved"
    ]
    return queries.find_ratification(runs[-1].id) if runs else None


def _log(edition: Edition) -> list[ChangeRow]:
    return presenting.log_of(edition.changes)


def _shown(edition: Edition) -> presenting.ShownEdition:
    def read() -> list[presenting.ClauseRow]:
        clauses = reading.clauses_of(place_queries.load_whole(edition))
        rows = presenting.clause_rows(clauses, edition.values, marking=False)
        return [row for row in rows if row.origin.value != "left_out"]

    return presenting.shown_edition(edition.id, edition.content_hash, "policies/public/_clauses.html", read)


@blueprint.get(f"{ROOT}/policies/<policy>.pdf")
@public
def pdf(trust: str, school: str, policy: str) -> Response:
    """The PDF of the edition in force."""
    place = place_of(school)
    found = _open_policy(place, policy)
    edition = place_queries.find_in_force(found.id, place.id, as_of(place))
    if edition is None:
        raise NotFound()
    return _stored(place, found, edition)


@blueprint.get(f"{ROOT}/policies/<policy>/editions/<label>.pdf")
@public
def earlier_pdf(trust: str, school: str, policy: str, label: str) -> Response:
    """The PDF of an older edition."""
    place = place_of(school)
    found = _open_policy(place, policy)
    edition = place_queries.get_labelled(found.id, place.id, label)
    if _to_come(edition, place):
        raise NotFound()
    return _stored(place, found, edition)


def _stored(place: School, found: Policy, edition: Edition) -> Response:
    if edition.pdf_hash is None:
        answer = page("policies/public/pdf_is_made.html", school=place, policy=found, status=202)
        answer.headers["Refresh"] = "4"
        return answer
    name = f"{found.slug}-{place.slug}-{reading.edition_label(edition)}.pdf"
    answer = stored_pdf(edition.pdf_hash, name)
    answer.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
    return answer


# -- is this paper the one in force? -----------------------------------------------------------------------------


@blueprint.get("/check")
@public
def check() -> Response:
    """Ask for the check code of a printed policy."""
    asked = request.args.get("code", "")
    digest = "".join(asked.lower().split()).rpartition("/")[2]
    if re.fullmatch(r"[0-9a-f]{64}", digest):
        return see_other(url_for("public_pages.checked", digest=digest))
    return page("policies/public/check.html", asked=asked, status=422 if asked else 200)


@blueprint.get("/check/<digest>")
@public
def checked(digest: str) -> Response:
    """Whether the paper with this code is in force, superseded, or not ours."""
    found: Verdict | None = verdict_on(digest.lower(), today())
    g.public_place = found.place if found else None
    g.trust_name = found.trust_name if found else None
    answer = page("policies/public/checked.html", found=found, digest=digest, status=200 if found else 404)
    answer.headers["Cache-Control"] = "no-cache"
    return answer
