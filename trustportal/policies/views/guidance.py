"""The dictionary as a dated page, and for each record the clauses in force that name it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Flask, Response, request, url_for

from trustportal import web
from trustportal.access import Actor, Permission
from trustportal.errors import NotFound, RuleBroken
from trustportal.policies import linting, queries
from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.lint.dictionary import Record, RecordKind, RecordState
from trustportal.policies.models import Policy
from trustportal.policies.services import lint
from trustportal.tenants import queries as tenants
from trustportal.tenants.tasks import Task, provide_tasks
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other, trust
from trustportal.words import plural

blueprint = Blueprint("guidance", __name__)
ROOT = "/t/<trust>/guidance"
KINDS = (
    (RecordKind.ACT, "Acts"),
    (RecordKind.REGULATION, "Other law"),
    (RecordKind.GUIDANCE, "Guidance"),
    (RecordKind.BODY, "Bodies"),
    (RecordKind.PLATFORM, "Platforms"),
    (RecordKind.SUPPLIER, "Products of suppliers"),
)


@blueprint.get(ROOT)
@allow(Permission.TEMPLATE_READ, at="trust")
def index(trust: str) -> Response:
    """What the portal knows of law, guidance, bodies and platforms, with its dates; what ended comes first."""
    dictionary = load_dictionary()
    day = today()
    reviews = {review.record: review for review in queries.list_guidance_reviews()}
    only = request.args.get("show", "")
    groups = [
        (kind, words, [one for one in dictionary.records if one.kind is kind and _listed(one, only, day)])
        for kind, words in KINDS
    ]
    return page(
        "policies/guidance/index.html",
        groups=[group for group in groups if group[2]],
        reviews=reviews,
        open=[review for review in reviews.values() if review.state == "open"],
        records=dictionary.by_id,
        states=RecordState,
        only=only,
        today=day,
    )


def _listed(record: Record, only: str, day: date) -> bool:
    """Whether an entry is shown; Acts without a date are only there to tell a right year from a wrong one."""
    if record.kind is RecordKind.ACT and record.begins is None and not record.fault:
        return False
    if only == "ended":
        return record.state(day) is RecordState.SUPERSEDED
    if only == "ending":
        return record.until is not None and record.until > day
    return True


def _record(name: str) -> Record:
    found = load_dictionary().by_id.get(name)
    if found is None:
        raise NotFound("The portal's dictionary has no such record.")
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """One clause of one policy, and the places where it is in force."""

    policy: Policy
    key: str
    label: str
    citation: linting.Citation
    #: (name of the place, address of the clause there, its label there, whether the words are the place's own)
    places: list[tuple[str, str, str, bool]]


def _rows(record: Record) -> list[Row]:
    """The clauses that name a record: for each, where."""
    found = linting.citations([record], today())
    if not found:
        return []
    policies = {policy.id: policy for policy in queries.list_policies()}
    schools = {school.id: school for school in tenants.list_schools()}
    slug, own_name = trust().slug, trust().name
    rows: dict[tuple[object, ...], Row] = {}
    for one in found:
        place, policy = one.place, policies[one.place.policy_id]
        row = rows.setdefault(
            (policy.title, place.policy_id, place.key), Row(policy, place.key, place.label, one, [])
        )
        own = place.origin in {"adapted", "added"}
        if place.school_id is None:
            address = url_for("policies.show", trust=slug, policy=policy.slug)
            row.places.append((f"{own_name} (central team)", address, place.label, own))
        elif place.school_id in schools:
            school = schools[place.school_id]
            address = url_for(
                "school_policies.edition",
                trust=slug,
                school=school.slug,
                policy=policy.slug,
                _anchor=f"clause-{place.key}",
            )
            row.places.append((school.name, address, place.label, own))
    for row in rows.values():
        row.places.sort()
    return [rows[key] for key in sorted(rows, key=str)]


@blueprint.get(f"{ROOT}/<record>")
@allow(Permission.TEMPLATE_READ, at="trust")
def show(trust: str, record: str) -> Response:
    """One record: its dates, what to write instead, and every clause in force that names it."""
    return _page(_record(record))


def _page(record: Record, errors: list[tuple[str, str]] | None = None) -> Response:
    rows = _rows(record)
    review = queries.find_guidance_review(record.id)
    names = tenants.names_of([review.closed_by]) if review and review.closed_by else {}
    return page(
        "policies/guidance/show.html",
        record=record,
        state=record.state(today()),
        states=RecordState,
        rows=rows,
        places=len({place[0] for row in rows for place in row.places}),
        review=review,
        closed_by=names.get(review.closed_by, "") if review and review.closed_by else "the portal",
        may_close=actor().can(Permission.TEMPLATE_EDIT),
        errors=errors or [],
        note=request.form.get("note", ""),
        status=422 if errors else 200,
    )


@blueprint.post(f"{ROOT}/<record>/close")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def close(trust: str, record: str) -> Response:
    """Say that it was dealt with, and how."""
    found = _record(record)
    try:
        lint.close_guidance_review(
            actor(), record=found.id, note=request.form.get("note", ""), now=now(), today=today()
        )
    except RuleBroken as refused:
        return _page(found, errors=[(refused.field or "", refused.message)])
    return see_other(url_for("guidance.show", trust=trust, record=found.id), "The review is closed.")


def my_reviews(who: Actor, day: date) -> Iterable[Task]:
    """Reviews that are open, for those who write policies and for the posts that are responsible."""
    roles = {str(role) for role in who.trust_roles}
    if not roles:
        return
    mine = [
        review
        for review in queries.list_open_guidance_reviews()
        if who.can(Permission.TEMPLATE_EDIT) or roles & set(review.roles)
    ]
    if not mine:
        return
    slug, records = web.trust().slug, load_dictionary().by_id
    names = [records[review.record].name for review in mine if review.record in records]
    if len(mine) == 1 and names:
        yield Task(
            title=f"Review what names {names[0]}",
            url=url_for("guidance.show", trust=slug, record=mine[0].record),
            detail=f"It no longer holds. {plural(mine[0].clauses, 'clause')} in force named it when this was found.",
            action_label="See where",
        )
        return
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    yield Task(
        title=f"Review what names {len(mine)} laws, guides or bodies that no longer hold",
        url=url_for("guidance.index", trust=slug, show="ended"),
        detail=", ".join(names[:3]) + more + ".",
        action_label="See which",
    )


def install(app: Flask) -> None:
    """Register the pages and the task."""
    app.register_blueprint(blueprint)
    provide_tasks(my_reviews)
