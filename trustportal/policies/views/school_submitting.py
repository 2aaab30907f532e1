"""Sending a school's changes for approval, taking them back, and releasing changed values."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Response

from trustportal.access import Permission
from trustportal.policies import linting, queries, reading
from trustportal.policies.domain import approval, routes
from trustportal.policies.domain.answers import agreements_needed
from trustportal.policies.domain.clauses import Weight
from trustportal.policies.forms.school import ReleaseForm, SubmitForm
from trustportal.policies.models import Policy
from trustportal.policies.services import local, runs
from trustportal.policies.views import presenting
from trustportal.policies.views.answers import typed_answers
from trustportal.policies.views.school_answers import Desk, changes_on, desk, missing_names
from trustportal.policies.views.school_blueprint import ROOT, blueprint, here, url
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here
from trustportal.words import in_sentence


@blueprint.route(f"{ROOT}/<policy>/submit", methods=["GET", "POST"])
@allow(Permission.EDITION_SUBMIT, at="school")
def submit(trust: str, school: str, policy: str) -> Response:
    """What differs from the approved edition, and the reason; then it goes to the approver."""
    found = here(policy)
    form = SubmitForm()
    if form.is_submitted() and form.carry_out(
        lambda: local.submit_edition(
            actor(),
            policy_id=found.id,
            school_id=school_here().id,
            reason=form.reason.data or "",
            answers=typed_answers(),
            now=now(),
        )
    ):
        return see_other(
            url("edition"), "Sent for approval. Until it is approved, the present edition stays in force."
        )
    on = desk(found)
    return page(
        "policies/school/submit.html",
        on=on,
        form=form,
        changes=changes_on(on),
        missing=missing_names(on),
        warnings=on.resolved.warnings,
        printed=on.printed,
        asked=_asked(on),
        latest_label=reading.edition_label(on.latest) if on.latest else "",
        report=linting.report_of_place(on.version, on.resolved.clauses, school_here().id, today()),
        typed=typed_answers(),
        waivable=linting.is_waivable,
        status=form.status,
    )


def _asked(on: Desk) -> list[str]:
    """Who will be asked, in order and in words, by post."""
    answers = reading.answers_of(list(on.overrides.values()), list(on.added.values()))
    asked = (
        ["the trust network manager, for the trust’s agreement"]
        if agreements_needed(on.tree, *answers)
        else []
    )
    standing = queries.get_standing(on.policy.id, school_here().id)
    barred = approval.barred_from(standing.author_ids, str(actor().person_id))
    steps = runs.route_of_changes(school_here().id, on=today(), barred=barred)
    names = tenants.names_of([UUID(one) for step in steps for one in step.people])
    return [
        *asked,
        *(
            f"{', '.join(names.get(UUID(one), 'somebody') for one in step.people)} ({in_sentence(step.body)})"
            if step.people
            else f"the {'trust’s ' if step == routes.INSTEAD_OF_A_CHAIR else ''}{in_sentence(step.body)}"
            for step in steps
        ),
    ]


@blueprint.post(f"{ROOT}/<policy>/withdraw")
@allow(Permission.EDITION_SUBMIT, at="school")
def withdraw(trust: str, school: str, policy: str) -> Response:
    """Take a submission back; the answers stay as they are."""
    found = here(policy)
    local.withdraw_edition(actor(), policy_id=found.id, school_id=school_here().id, now=now())
    return see_other(url("clauses"), "You have taken it back. Change what you need to, and send it again.")


# -- values ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Release:
    """What changed values would change in the newest edition."""

    label: str
    changes: list[presenting.Change]
    missing: list[str]
    unsettled: bool


def _release(policy: Policy) -> Release:
    school_id = school_here().id
    standing = queries.get_standing(policy.id, school_id)
    latest = queries.find_latest_edition(policy.id, school_id)
    if latest is None:
        return Release("", [], list(standing.missing), unsettled=False)
    version = queries.get_version(latest.template_version_id)
    shown = reading.preview(policy, version, school_id, reading.answers_in(latest))
    return Release(
        label=reading.edition_label(latest),
        changes=presenting.changes_shown(
            reading.compare_clauses(reading.clauses_of(latest), shown.resolved.clauses)
        ),
        missing=list(dict.fromkeys(one.name for one in shown.resolved.missing)),
        unsettled=standing.version_id != latest.template_version_id,
    )


@blueprint.route(f"{ROOT}/<policy>/release", methods=["GET", "POST"])
@allow(Permission.EDITION_SUBMIT, at="school")
def release(trust: str, school: str, policy: str) -> Response:
    """Bring changed values into the policy, without a vote."""
    found = here(policy)
    form = ReleaseForm()
    if form.is_submitted() and form.carry_out(
        lambda: local.release_edition(
            actor(),
            policy_id=found.id,
            school_id=school_here().id,
            weight=Weight(form.weight.data),
            now=now(),
            today=today(),
        )
    ):
        return see_other(url("edition"), "Released. The new edition is in force.")
    return page(
        "policies/school/release.html", policy=found, form=form, what=_release(found), status=form.status
    )
