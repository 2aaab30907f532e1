"""The report of a draft: what is wrong with its text, by severity, and letting a finding stand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, request, url_for

from trustportal.access import Permission
from trustportal.errors import RuleBroken
from trustportal.policies import linting
from trustportal.policies.domain.lint import RULES
from trustportal.policies.domain.lint.model import Severity
from trustportal.policies.services import lint
from trustportal.policies.views.answers import typed_answers
from trustportal.policies.views.drafts import DRAFT, open_draft
from trustportal.policies.views.drafts import url as draft_url
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other

blueprint = Blueprint("lint", __name__)

#: How a page names a severity, one and many, and the tag that shows it.
SEVERITIES = (
    (Severity.ERROR, "Error", "Errors", "late"),
    (Severity.WARNING, "Warning", "Warnings", "adapted"),
    (Severity.INFORMATION, "Information", "Information", ""),
)


@blueprint.context_processor
def _shared() -> dict[str, Any]:
    return {"draft_url": draft_url}


@blueprint.get(f"{DRAFT}/check")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def check(trust: str, policy: str) -> Response:
    """Everything that lint says about the draft; `show` keeps to one severity, or to what was let stand."""
    return _report_page(policy)


def _report_page(policy: str, errors: list[tuple[str, str]] | None = None) -> Response:
    found, version = open_draft(policy)
    report = linting.report_of_version(found, version, today())
    return page(
        "policies/trust/check.html",
        fragment="policies/trust/_check.html",
        policy=found,
        version=version,
        report=report,
        groups=[(severity, many, report.open(severity)) for severity, _, many, _ in SEVERITIES],
        shown=request.args.get("show", ""),
        rules=RULES,
        errors=errors or [],
        typed=typed_answers(),
        waivable=linting.is_waivable,
        status=422 if errors else 200,
    )


@blueprint.post(f"{DRAFT}/check")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def let_stand(trust: str, policy: str) -> Response:
    """Acknowledge a warning, or waive an error with a reason."""
    _, version = open_draft(policy)
    answers = typed_answers()
    try:
        if not answers:
            asked = next((name for name in request.form if name.startswith("waive-")), "")
            raise RuleBroken(
                "Say in a sentence why it may stay as it is: the approvers see your reason.", asked
            )
        kept = lint.answer_findings(actor(), version_id=version.id, answers=answers, now=now(), today=today())
    except RuleBroken as refused:
        return _report_page(policy, errors=[(refused.field or "", refused.message)])
    return see_other(
        url_for("lint.check", trust=trust, policy=policy),
        "Noted. The approvers see it." if kept else "The words changed meanwhile, so look again.",
    )


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(blueprint)
