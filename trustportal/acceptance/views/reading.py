"""Reading at any time: the policies in force where I serve, with a search in their words."""

from __future__ import annotations

from flask import Response, request

from trustportal.acceptance.queries import library
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.times import today
from trustportal.web import actor, page, signed_in


@blueprint.get("/t/<trust>/my-policies")
@signed_in
def my_policies(trust: str) -> Response:
    """The policies that hold for me, at each of my places; `q`: only where these words stand."""
    words = " ".join(request.args.get("q", "").split())[:200]
    me = actor()
    places: list[Place] = [*me.school_ids]
    if me.trust_roles:
        places.append(None)
    return page("acceptance/my_policies.html", words=words, found=library.search(places, words, today()))
