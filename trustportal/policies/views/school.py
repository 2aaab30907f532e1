"""A school's policies as its people read them: the list, and each one as it is in force, was on a day, or will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

from flask import Flask, Response, current_app, g, request, url_for

from trustportal.access import Permission
from trustportal.policies import page_queries, place_queries, queries, reading
from trustportal.policies.models import Edition, Policy
from trustportal.policies.page_queries import EditionHead, PolicyHead
from trustportal.policies.views import presenting, school_tasks
from trustportal.policies.views.school_blueprint import ROOT, blueprint, may, url
from trustportal.policies.views.trust import day_asked
from trustportal.tenants.tasks import provide_facts, provide_tasks
from trustportal.times import today
from trustportal.web import allow, page
from trustportal.web import school as school_here
from trustportal.web import trust as trust_here


def install(app: Flask) -> None:
    """Put the pages of a school's policies into an application."""
    for name in (
        "school_answers",
        "school_submitting",
        "school_reconcile",
        "school_history",
        "school_joining",
    ):
        import_module(f"trustportal.policies.views.{name}")
    app.register_blueprint(blueprint)
    # A global of the templates, so that what they import needs no context, which would be made anew for every page.
    app.jinja_env.globals["policy_url"] = url
    provide_tasks(school_tasks.tasks)
    provide_facts(school_tasks.facts)


# -- the list ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One policy of a school's list, and what waits there."""

    slug: str
    title: str
    tier: str
    withdrawn_on: date | None
    label: str
    since: date | None
    review_on: date | None
    statutory: bool
    undecided: int
    waits: bool
    unsent: bool
    release_due: bool
    missing: int
    #: The edition that is approved and takes effect later.
    coming: str
    coming_on: date | None


@blueprint.get(ROOT)
@allow(Permission.EDITION_READ, at="school")
def index(trust: str, school: str) -> Response:
    """Every policy of this school, with what waits for its head."""
    lines = _lines(queries.policies_at(school_here().id), today())
    writes = may(Permission.OWN_POLICY_EDIT)
    return page(
        "policies/school/index.html",
        lines=lines,
        ended=queries.ended_at(school_here().id, today()),
        may_write=writes,
        written=queries.own_drafts(school_here().id) if writes else (),
        may_change=may(Permission.OVERRIDE_EDIT),
        # Whoever looks after the school's website: its business manager, its head, the trust's office.
        may_embed=may(Permission.ACCEPTANCE_OVERSEE),
        today=today(),
    )


def _lines(policies: Sequence[Policy], on: date) -> list[PolicyLine]:
    school_id = school_here().id
    editions = place_queries.list_heads_in_force(school_id, [policy.id for policy in policies], on)
    rows = queries.standings_at(school_id)
    standings = {standing.policy_id: standing for standing in rows}
    reconciles = {one.policy_id: one for one in queries.list_open_reconciles([school_id])}
    undecided = queries.count_undecided([one.id for one in reconciles.values()])
    waiting = {edition.policy_id for edition in place_queries.list_submitted([school_id])}
    unsent = (
        place_queries.policies_with_unsent(school_id, rows) if may(Permission.OVERRIDE_EDIT) else frozenset()
    )
    coming = place_queries.list_to_come(school_id, on)
    found = []
    for policy in policies:
        ahead = coming.get(policy.id)
        edition, standing = editions.get(policy.id), standings.get(policy.id)
        reconcile = reconciles.get(policy.id)
        header = reading.header_of(edition) if edition else None
        found.append(
            PolicyLine(
                slug=policy.slug,
                title=header.title if header else policy.title,
                tier="Our own" if policy.school_id else "",
                withdrawn_on=policy.withdrawn_on
                if policy.withdrawn_on and policy.withdrawn_on <= on
                else None,
                label=reading.edition_label(edition) if edition else "",
                since=edition.effective_on if edition else None,
                review_on=header.next_review_on if header else None,
                statutory=bool(header and header.statutory),
                undecided=undecided.get(reconcile.id, 0) if reconcile else 0,
                waits=policy.id in waiting,
                unsent=policy.id in unsent and reconcile is None and policy.id not in waiting,
                release_due=bool(standing and standing.release_due),
                missing=len(standing.missing) if standing else 0,
                coming=reading.edition_label(ahead) if ahead else "",
                coming_on=ahead.effective_on if ahead else None,
            )
        )
    return found


# -- one policy --------------------------------------------------------------------------------------------------


@blueprint.get(f"{ROOT}/<policy>")
@allow(Permission.EDITION_READ, at="school")
def edition(trust: str, school: str, policy: str) -> Response:
    """What this school's policy says today, or said on a day (`?on=2026-03-12`)."""
    asked = request.args.get("on", "")
    day, fault = day_asked(asked)
    head, present = may(Permission.OVERRIDE_EDIT), not asked or day == today()
    found = page_queries.get_policy_page(
        policy, school_here().id, day=day, today=today(), head=head and present
    )
    g.policy = found.policy
    if found.in_force is None or fault:
        return _not_in_force(found.policy, day, asked, fault)
    return page(
        "policies/school/edition.html",
        asked=asked,
        may_change=head and present,
        may_prepare=present and may(Permission.JOINING_PREPARE),
        work=found.work,
        to_come=found.to_come if present else None,
        ahead=None if present else place_queries.find_ahead(found.policy.id, school_here().id, day),
        figures_url=_figures_url(found.policy) if present else None,
        own_url=own_url(found.policy.slug) if found.policy.own and head and present else None,
        **edition_context(found.policy, found.in_force, as_of=None if present else day),
    )


def _not_in_force(policy: PolicyHead, day: date, asked: str, fault: str) -> Response:
    school_id = school_here().id
    standing = queries.get_standing(policy.id, school_id)
    to_come = place_queries.find_to_come(policy.id, school_id, today())
    return page(
        "policies/school/not_in_force.html",
        policy=policy,
        standing=standing,
        to_come=to_come,
        ending=queries.find_ending(policy.id, school_id, day),
        label_to_come=reading.edition_label(to_come) if to_come else "",
        ahead=place_queries.find_ahead(policy.id, school_id, day) if asked and not fault else None,
        label_of=reading.edition_label,
        day=day,
        asked=asked,
        fault=fault,
        may_change=may(Permission.OVERRIDE_EDIT),
        status=422 if fault else 200,
    )


def edition_context(
    policy: Policy | PolicyHead, edition: Edition | EditionHead, *, as_of: date | None
) -> dict[str, Any]:
    """What every page of an edition shows. Its clauses are rendered once per process and kept."""
    return {
        "policy": policy,
        "edition": edition,
        "label": reading.edition_label(edition),
        "header": reading.header_of(edition),
        "shown": shown(edition, own=bool(getattr(policy, "own", None) or getattr(policy, "school_id", None))),
        "as_of": as_of,
        "label_of": reading.edition_label,
        "today": today(),
    }


def shown(edition: Edition | EditionHead, *, own: bool = False) -> presenting.ShownEdition:
    """The clauses of an approved edition as HTML, with their origin in the margin.

    `own`: of a policy that the school wrote for itself, all of whose clauses are its own.
    """

    def read() -> list[presenting.ClauseRow]:
        whole = queries.get_edition(edition.id)
        if own:
            return presenting.clause_rows(reading.clauses_of(whole), whole.values, marking=False)
        return presenting.clause_rows(reading.clauses_of(whole), whole.values, reading.answers_in(whole))

    template = "policies/public/_clauses.html" if own else "policies/_clauses.html"
    return presenting.shown_edition(edition.id, edition.content_hash, template, read)


def own_url(slug: str) -> str:
    """Where the head goes on with a policy of the school's own."""
    return url_for("own_policies.go_on", trust=trust_here().slug, school=school_here().slug, policy=slug)


def _figures_url(policy: PolicyHead) -> str | None:
    """Where a higher feature shows how many have signed; the page loads it when it is there."""
    if "acceptance.policy_figures" not in current_app.view_functions:
        return None
    return url_for(
        "acceptance.policy_figures", trust=trust_here().slug, school=school_here().slug, policy=policy.slug
    )


__all__ = ["edition_context", "install", "shown", "url"]
