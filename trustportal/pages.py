"""Pages that belong to no feature: the front door, "My tasks", whether the portal is well, what it says of itself."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, Flask, Response, current_app, jsonify, session, url_for

from trustportal import health
from trustportal.tenants import queries
from trustportal.tenants.tasks import Task, facts_of, tasks_of, waiting_words
from trustportal.times import today
from trustportal.web import actor, page, public, see_other, signed_in, with_account

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@with_account
def front() -> Response:
    """To the trust in which one serves, or a choice where there are several."""
    account_id = session.account_id  # type: ignore[attr-defined]
    trusts = queries.list_trusts_of_account(account_id, on=today())
    if len(trusts) == 1:
        return see_other(url_for("pages.home", trust=trusts[0].slug))
    return page("tenants/front.html", trusts=trusts)


@blueprint.get("/t/<trust>/")
@signed_in
def home(trust: str) -> Response:
    """My tasks: what needs me, grouped by place where there are several, and a few quiet facts."""
    tasks, facts = tasks_of(actor(), today()), facts_of(actor(), today())
    return page(
        "tenants/home.html",
        sentence=waiting_words(len(tasks)),
        groups=_by_place(tasks),
        facts=[(place, list(found)) for place, found in groupby(facts, key=lambda fact: fact.place)],
        today=today(),
    )


def _by_place(tasks: list[Task]) -> list[tuple[str, list[Task]]]:
    places: dict[str, list[Task]] = {}
    for task in tasks:
        places.setdefault(task.place, []).append(task)
    return list(places.items())


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The parts by name, each well or not; 503 when one is not."""
    parts = health.check(current_app.config["PORTAL"].redis_url)
    answer = jsonify({name: "well" if well else "not well" for name, well in parts.items()})
    answer.status_code = 200 if all(parts.values()) else 503
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/accessibility")
@public
def accessibility() -> Response:
    """How accessible the portal is, and whom to tell."""
    return page("tenants/accessibility.html")


@blueprint.get("/privacy")
@public
def privacy() -> Response:
    """What the portal keeps of people, and why."""
    return page("tenants/privacy.html")


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(blueprint)
