"""A school writes a policy for itself: no template, its own numbers, approved as the trust delegated it."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, url_for

from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.policies import queries
from trustportal.policies.domain.clauses import NumberingStyle
from trustportal.policies.forms.trust import HeaderForm
from trustportal.policies.models import TemplateVersion
from trustportal.policies.services import drafts
from trustportal.times import now
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here

blueprint = Blueprint("own_policies", __name__)
ROOT = "/t/<trust>/schools/<school>/policies/own"


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


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(blueprint)
