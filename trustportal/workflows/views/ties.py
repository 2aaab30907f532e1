"""Ties that I declare; the register of interests; figures of terms for those who oversee."""

from __future__ import annotations

from itertools import groupby
from uuid import UUID

from flask import Response, request, url_for

from trustportal.access import Permission
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other, signed_in
from trustportal.workflows.domain.oversight import IN_TIME_WORDS, LEAST, term_named, term_of
from trustportal.workflows.forms.cases import TieForm
from trustportal.workflows.queries import oversight
from trustportal.workflows.queries import ties as queries
from trustportal.workflows.services import ties as services
from trustportal.workflows.views.blueprint import cases as blueprint


@blueprint.route("/t/<trust>/ties", methods=["GET", "POST"])
@signed_in
def ties(trust: str) -> Response:
    """My ties, and a new one."""
    everybody = queries.nameable(today())
    words = request.values.get("name", "").strip()
    searched = bool(words) or len(everybody) <= queries.MOST or request.method == "POST"
    offered = queries.found(today(), words) if searched else {}
    form = TieForm().offer(offered, services.KINDS)
    if form.is_submitted():
        other = next((one for one in everybody if str(one) == form.other.data), None)
        if form.carry_out(
            lambda: services.declare(
                actor(),
                other_id=other,
                kind=form.kind.data or "",
                in_register=bool(form.in_register.data),
                words=form.words.data or "",
                now=now(),
            )
        ):
            return see_other(
                url_for("cases.ties", trust=trust),
                "Thank you. From now on it counts whenever somebody is asked to decide.",
            )
    return page(
        "workflows/ties.html",
        form=form,
        name=words,
        found=len(offered),
        searched=searched,
        find=len(everybody) > queries.MOST,
        many=len(offered) == queries.MOST,
        declared=queries.list_mine(),
        kinds=services.KINDS,
        status=form.status,
    )


@blueprint.post("/t/<trust>/ties/<uuid:tie_id>/end")
@signed_in
def end_tie(trust: str, tie_id: UUID) -> Response:
    """It holds no more."""
    services.end(actor(), tie_id=tie_id, now=now())
    return see_other(url_for("cases.ties", trust=trust), "It holds no more.")


@blueprint.get("/t/<trust>/interests")
@allow(Permission.INTEREST_READ, at="trust")
def interests(trust: str) -> Response:
    """What people wanted to stand in the register of interests."""
    return page("workflows/interests.html", found=queries.list_interests())


@blueprint.get("/t/<trust>/case-figures")
@allow(Permission.CASE_FIGURES, at="trust")
def figures(trust: str) -> Response:
    """How many cases each term saw, and whether they went in time. Nothing else, and nothing that still changes."""
    rows = oversight.list_mine()
    terms = [(term_named(key), list(group)) for key, group in groupby(rows, key=lambda one: one.term)]
    return page(
        "workflows/figures.html", terms=terms, words=IN_TIME_WORDS, least=LEAST, present=term_of(today())
    )
