"""Searching all clauses: "where do we still name this supplier?", today and in everything that was ever in force."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Flask, Response, request, url_for
from markupsafe import Markup, escape

from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.policies import queries
from trustportal.policies.domain.search import CLOSE, LONGEST, OPEN, parts_of
from trustportal.policies.queries import searching
from trustportal.policies.queries.searching import WITH_SNIPPET, FoundClause, Says, Wording
from trustportal.times import today
from trustportal.web import actor, allow, page
from trustportal.web import trust as trust_here

blueprint = Blueprint("searching", __name__)
#: So many places are named; of the others the number is told.
NAMED = 12


@dataclass(frozen=True, slots=True)
class PlaceLink:
    """Where it stands: a school's edition, or the trust's own."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class WordingShown:
    """One wording, as the page shows it."""

    snippet: Markup
    versions: tuple[PlaceLink, ...]
    in_force: tuple[PlaceLink, ...]
    more_in_force: int
    earlier: tuple[PlaceLink, ...]
    more_earlier: int


@dataclass(frozen=True, slots=True)
class ClauseShown:
    """A clause in which something was found."""

    policy: str
    title: str
    in_force: bool
    wordings: tuple[WordingShown, ...]
    more: int


@blueprint.get("/t/<trust>/search")
@allow(Permission.EDITION_READ)
def search(trust: str) -> Response:
    """Words in all clauses: the trust's officers in every school, a school's people in their own and the trust's."""
    typed = request.args.get("q", "").strip()[:LONGEST]
    only_now = request.args.get("now") == "1"
    policies = queries.list_policies()
    slug = request.args.get("policy", "")
    chosen = next((one for one in policies if one.slug == slug), None)
    if slug and chosen is None:
        raise NotFound()
    parts = parts_of(typed)
    found = (
        searching.search(
            parts,
            on=today(),
            policy_id=chosen.id if chosen else None,
            with_versions=actor().can(Permission.TEMPLATE_READ),
        )
        if parts
        else None
    )
    clauses = [one for one in found.clauses if one.is_in_force or not only_now] if found else []
    shown = _shown(clauses)
    return page(
        "policies/search.html",
        typed=typed,
        asked=bool(parts),
        only_now=only_now,
        policies=[("", "All policies"), *((one.slug, one.title) for one in policies)],
        chosen=slug,
        clauses=shown,
        now_count=sum(one.in_force for one in shown),
        cut=bool(found and found.cut),
        everywhere=actor().is_officer,
    )


def _shown(clauses: list[FoundClause]) -> list[ClauseShown]:
    ids = {
        says.school_id
        for one in clauses
        for wording in one.wordings
        for says in wording.editions
        if says.school_id
    }
    places = {one.id: (one.short_name, one.slug) for one in queries.list_schools(ids).values()}
    return [
        ClauseShown(
            one.policy.title,
            next((wording.heading for wording in one.wordings if wording.heading), ""),
            one.is_in_force,
            tuple(_wording(one, wording, places) for wording in one.wordings[:WITH_SNIPPET]),
            max(0, len(one.wordings) - WITH_SNIPPET),
        )
        for one in clauses
    ]


def _wording(clause: FoundClause, wording: Wording, places: dict[UUID, tuple[str, str]]) -> WordingShown:
    def words(says: Says) -> str:
        name = trust_here().name if says.school_id is None else places[says.school_id][0]
        return f"{name} ({says.label})"

    def link(says: Says) -> PlaceLink:
        if says.school_id is None:
            address = url_for("policies.show", trust=trust_here().slug, policy=clause.policy.slug)
        else:
            label = {} if says.in_force else {"label": says.label}
            address = url_for(
                f"school_policies.{'edition' if says.in_force else 'earlier'}",
                trust=trust_here().slug,
                school=places[says.school_id][1],
                policy=clause.policy.slug,
                _anchor=f"clause-{clause.key}",
                **label,  # type: ignore[arg-type]
            )
        return PlaceLink(words(says), address)

    def named(editions: list[Says]) -> tuple[PlaceLink, ...]:
        return tuple(link(one) for one in sorted(editions, key=words)[:NAMED])

    in_force, earlier = wording.in_force, wording.earlier
    return WordingShown(
        _marked(wording.snippet),
        tuple(
            PlaceLink(
                f"Version {number}",
                url_for(
                    "policies.version",
                    trust=trust_here().slug,
                    policy=clause.policy.slug,
                    number=number,
                    _anchor=f"c-{clause.key}",
                ),
            )
            for number in wording.versions
        ),
        named(in_force),
        max(0, len(in_force) - NAMED),
        named(earlier),
        max(0, len(earlier) - NAMED),
    )


def _marked(snippet: str) -> Markup:
    """A snippet with what was found marked."""
    html = str(escape(snippet)).replace(OPEN, "<mark>").replace(CLOSE, "</mark>")
    return Markup(html)  # noqa: S704 (escaped; the marks are ours)


def install(app: Flask) -> None:
    """Register the page."""
    app.register_blueprint(blueprint)
