"""Pages on which the trust says who approves: the usual route, a policy's own, and each school's delegation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, request, url_for

from trustportal.access import ROLE_LABELS, Permission, Role
from trustportal.errors import RuleBroken
from trustportal.policies import queries
from trustportal.policies.domain import routes
from trustportal.policies.domain.approval import ApprovalRule
from trustportal.policies.domain.routes import Step
from trustportal.policies.forms.governance import DelegationForm, whole_number
from trustportal.policies.services import routes as services
from trustportal.policies.services import runs
from trustportal.policies.services.routes import Delegation
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here

blueprint = Blueprint("routes", __name__)
ROOT = "/t/<trust>/settings/approval-routes"

RULES = [
    (ApprovalRule.N_OF.value, "So many of its members"),
    (ApprovalRule.MAJORITY.value, "A majority of those entitled"),
    (ApprovalRule.ALL.value, "All of its members"),
    (ApprovalRule.NAMED.value, "One named person"),
]


@blueprint.get(ROOT)
@allow(Permission.TRUST_SETTINGS, at="trust")
def index(trust: str) -> Response:
    """Who approves what, everywhere."""
    own = {row.policy_id: routes.steps_from_json(row.steps) for row in queries.list_routes("version")}
    local = {row.school_id: routes.steps_from_json(row.steps) for row in queries.list_routes("edition")}
    labels = tenants.get_settings().role_labels
    names = tenants.names_of(
        [UUID(one) for steps in (*own.values(), *local.values()) for step in steps for one in step.people]
    )
    return page(
        "policies/routes/index.html",
        usual=own.get(None) or queries.route_of_versions(None),
        policies=[(policy, own.get(policy.id)) for policy in queries.list_policies() if not policy.school_id],
        schools=[
            (school, local.get(school.id, (routes.CHAIR,)))
            for school in tenants.list_schools(open_on=today())
        ],
        who=lambda step: _who(step, names, labels),
        rule=routes.rule_words,
    )


def _who(step: Step, names: Mapping[UUID, str], labels: Mapping[str, str]) -> str:
    posts = [labels.get(role) or ROLE_LABELS[Role(role)] for role in step.roles]
    people = [names.get(UUID(one), "somebody who has left") for one in step.people]
    return ", ".join([*posts, *people])


# -- the trust's versions ----------------------------------------------------------------------------------------


@blueprint.route(f"{ROOT}/usual", methods=["GET", "POST"])
@allow(Permission.TRUST_SETTINGS, at="trust")
def usual(trust: str) -> Response:
    """The route of every policy that has none of its own."""
    return _edit(None, "")


@blueprint.route(f"{ROOT}/<policy>", methods=["GET", "POST"])
@allow(Permission.TRUST_SETTINGS, at="trust")
def of_policy(trust: str, policy: str) -> Response:
    """The route of one policy."""
    found = queries.get_policy(policy)
    return _edit(found.id, found.title)


@blueprint.post(f"{ROOT}/<policy>/clear")
@allow(Permission.TRUST_SETTINGS, at="trust")
def clear(trust: str, policy: str) -> Response:
    """Back to the usual route."""
    found = queries.get_policy(policy)
    services.clear_route(actor(), policy_id=found.id)
    return see_other(url_for("routes.index", trust=trust), f"{found.title} takes the usual route again.")


def _edit(policy_id: UUID | None, title: str) -> Response:
    row = queries.find_route("version", policy_id=policy_id)
    policy = queries.get_policy_by_id(policy_id) if policy_id else None
    error: RuleBroken | None = None
    rows = [_fields(step) for step in queries.route_of_versions(policy)]
    seen = str(row.row_version if row else 0)
    if request.method == "POST":
        rows, seen = _typed(request.form), request.form.get("row_version", "0")
        try:
            services.set_route(
                actor(),
                policy_id=policy_id,
                steps=_steps(rows),
                row_version=whole_number(seen, "Reload the page.", None),
                now=now(),
                today=today(),
            )
            return see_other(url_for("routes.index", trust=_trust()), "The route was saved.")
        except RuleBroken as broken:
            error = broken
    people = sorted(
        tenants.names_of([UUID(one) for one in runs.may_decide(on=today(), school_id=None)]).items(),
        key=lambda one: one[1],
    )
    return page(
        "policies/routes/edit.html",
        title=title,
        own=row is not None,
        policy=policy,
        rows=[*rows, _fields(None)] if len(rows) < routes.MOST_STAGES else rows,
        given=len(rows),
        seen=seen,
        roles=[(role.value, ROLE_LABELS[role]) for role in routes.VERSION_ROLES],
        people=[(str(one), name) for one, name in people],
        rules=RULES,
        error=error,
        status=422 if error else 200,
    )


def _trust() -> str:
    return str((request.view_args or {})["trust"])


def _fields(step: Step | None) -> dict[str, Any]:
    """A stage as its form shows it; None is an empty one."""
    if step is None:
        return {
            "body": "",
            "roles": (),
            "people": (),
            "rule": ApprovalRule.N_OF.value,
            "needed": "1",
            "quorum": "0",
            "chair_may_act": False,
        }
    return {
        "body": step.body,
        "roles": step.roles,
        "people": step.people,
        "rule": step.rule.value,
        "needed": str(step.needed),
        "quorum": str(step.quorum),
        "chair_may_act": step.chair_may_act,
    }


def _typed(form: Any) -> list[dict[str, Any]]:
    """The stages that were typed, without those that are empty or were ticked to go, in the order that was chosen."""
    found = []
    for at in range(routes.MOST_STAGES):
        name = f"stage-{at}-"
        body = form.get(f"{name}body", "").strip()
        who = form.getlist(f"{name}who")
        if form.get(f"{name}remove") or not (body or who):
            continue
        found.append(
            {
                "body": body[:120],
                "roles": tuple(one for one in who if one in set(Role)),
                "people": tuple(one for one in who if one not in set(Role)),
                "rule": form.get(f"{name}rule", ""),
                "needed": form.get(f"{name}needed", "1").strip(),
                "quorum": form.get(f"{name}quorum", "0").strip(),
                "chair_may_act": bool(form.get(f"{name}chair_may_act")),
                "place": form.get(f"{name}place", ""),
            }
        )
    return sorted(found, key=lambda one: int(one["place"]) if one["place"].isdigit() else 99)


def _steps(rows: Sequence[Mapping[str, Any]]) -> list[Step]:
    steps = []
    for at, row in enumerate(rows):
        if row["rule"] not in set(ApprovalRule):
            raise RuleBroken("Choose how many must approve.", f"stage-{at}-rule")
        steps.append(
            Step(
                body=row["body"],
                rule=ApprovalRule(row["rule"]),
                roles=row["roles"],
                people=row["people"],
                needed=whole_number(
                    row["needed"] or "1", "Enter how many must approve, like 2.", f"stage-{at}-needed"
                ),
                quorum=whole_number(
                    row["quorum"] or "0", "Enter the quorum as a number, like 3.", f"stage-{at}-quorum"
                ),
                chair_may_act=row["chair_may_act"],
            )
        )
    return steps


# -- a school's own changes --------------------------------------------------------------------------------------


@blueprint.route("/t/<trust>/schools/<school>/delegation", methods=["GET", "POST"])
@allow(Permission.TRUST_SETTINGS, at="trust")
def delegation(trust: str, school: str) -> Response:
    """Who approves one school's own changes."""
    here = tenants.get_school(school_here().id)
    chosen, officer = services.delegated_to(queries.route_of_changes(here.id))
    names = tenants.names_of([UUID(one) for one in runs.may_decide(on=today(), school_id=None)])
    form = DelegationForm(to=chosen.value, officer=str(officer or ""))
    form.offer(sorted(names.items(), key=lambda one: one[1]))
    if form.is_submitted() and form.carry_out(
        lambda: services.delegate(
            actor(),
            school_id=here.id,
            to=Delegation(form.to.data),
            officer_id=UUID(form.officer.data) if form.officer.data else None,
            now=now(),
            today=today(),
        )
    ):
        return see_other(
            url_for("routes.index", trust=trust),
            f"Saved. It holds for what {here.short_name} sends from now on.",
        )
    return page("policies/routes/delegation.html", found=here, form=form, status=form.status)


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(blueprint)
