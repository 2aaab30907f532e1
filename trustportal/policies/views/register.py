"""The register of all policies, withdrawing one, the central team's edition, and what reviews ask of people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, g, make_response, request, url_for

from trustportal.access import Actor, Permission
from trustportal.errors import NotFound
from trustportal.policies import place_queries, queries, reading
from trustportal.policies.domain.clauses import Mode
from trustportal.policies.domain.register import TIER_WORDS, RegisterLine, tier_of
from trustportal.policies.forms.governance import WithdrawForm
from trustportal.policies.forms.trust import given
from trustportal.policies.models import Policy
from trustportal.policies.queries import register as registers
from trustportal.policies.services import reviewing, withdrawing
from trustportal.policies.services.reviewing import Review
from trustportal.policies.views import presenting
from trustportal.policies.views.trust import ROOT, here, pdf_response
from trustportal.tenants import queries as tenants
from trustportal.tenants.tasks import Fact, Task, provide_facts, provide_tasks
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other, trust
from trustportal.words import in_sentence, plural

blueprint = Blueprint("policy_register", __name__)
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: How long before its review whoever answers for a policy has it among their tasks.
AHEAD = timedelta(days=61)


# -- the register ------------------------------------------------------------------------------------------------


@blueprint.get(f"{ROOT}/register")
@allow(Permission.TEMPLATE_READ, at="trust")
def index(trust: str) -> Response:
    """All policies that one may see: tier, owner, review, where in force. `?show=overdue` or a tier narrows it."""
    lines, shown = register_lines(), request.args.get("show", "")
    tiers = {tier.value: words for tier, words in TIER_WORDS.items()}
    if shown not in {"", "overdue", "statutory", *tiers}:
        raise NotFound()
    return page(
        "policies/register/index.html",
        lines=[
            line
            for line in lines
            if not shown
            or (shown == "overdue" and line.overdue)
            or (shown == "statutory" and line.statutory)
            or line.tier == tiers.get(shown)
        ],
        total=len(lines),
        overdue=sum(line.overdue for line in lines),
        shown=shown,
        tiers=list(tiers.items()),
    )


@blueprint.get(f"{ROOT}/register.xlsx")
@allow(Permission.TEMPLATE_READ, at="trust")
def excel(trust: str) -> Response:
    """The register as a workbook."""
    from trustportal.policies.register_excel import as_excel  # late, as it says there

    answer = make_response(as_excel(register_lines()))
    answer.mimetype = EXCEL
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="policy-register-{today().isoformat()}.xlsx"'
    )
    return answer


def register_lines() -> list[RegisterLine]:
    """Every policy that the scope sees, by title; a fixed number of queries."""
    on = today()
    schools = {one.id: one for one in tenants.list_schools()}
    versions, own = registers.versions_in_force(on), registers.own_editions(on)
    reviews = {one.policy.id: one for one in reviewing.list_reviews(on)}
    opened = queries.versions_by_policy()[1]
    people = _holders(list(reviews.values()))
    places: dict[UUID, list[tuple[str, str, date]]] = {}
    for one in registers.editions_by_place(on):
        name = schools[one.school_id].name if one.school_id in schools else trust().name
        label = reading.edition_label(one)
        places.setdefault(one.policy_id, []).append((name, label, one.since))
    lines = []
    for policy in queries.list_policies():
        version = versions.get(policy.id)
        row = own.get(policy.id) if policy.school_id else version
        if row is None and (not actor().is_officer or policy.id not in opened):
            continue
        header = reading.header_of(row or opened[policy.id])
        review = reviews.get(policy.id)
        modes = [Mode(one["mode"]) for one in (version.tree or ())] if version else []
        school = schools.get(policy.school_id) if policy.school_id else None
        gone = policy.withdrawn_on is not None and policy.withdrawn_on <= on
        lines.append(
            RegisterLine(
                title=header.title or policy.title,
                slug=policy.slug,
                reference=header.reference,
                tier=TIER_WORDS[tier_of(modes, of_school=policy.school_id is not None)],
                owner=school.name if school else trust().name,
                responsible=header.person_responsible,
                holders=tuple(people.get(policy.id, ())),
                approving_body=header.approving_body,
                statutory=header.statutory,
                public=header.public,
                version=_version(policy, row),
                since=row.effective_on if row else None,
                review_months=header.review_months,
                review_on=review.review_on if review else None,
                overdue=review is not None and review.review_on < on,
                withdrawn_on=policy.withdrawn_on,
                state="Withdrawn" if gone else "In force" if row else "Being written",
                places=tuple(sorted(places.get(policy.id, ()))),
                school_slug=school.slug if school else "",
            )
        )
    return lines


def _version(policy: Policy, row: Any) -> str:
    if row is None:
        return ""
    return reading.edition_label(row) if policy.school_id else str(row.number)


def _holders(reviews: list[Review]) -> dict[UUID, list[str]]:
    """Who holds the post that answers for each policy, by name; only where the header names a known post."""
    roles = {one.role for one in reviews if one.named}
    serving = tenants.list_serving(on=today(), roles=roles) if roles else []
    held: dict[tuple[Any, UUID | None], list[str]] = {}
    for one in serving:
        held.setdefault((one.role, one.school_id), []).append(one.name)
    return {one.policy.id: held.get((one.role, one.school_id), []) for one in reviews if one.named}


# -- withdrawing -------------------------------------------------------------------------------------------------


@blueprint.route(f"{ROOT}/<policy>/withdrawal", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_PUBLISH, at="trust")
def withdraw(trust: str, policy: str) -> Response:
    """Take a policy out of force, with a public notice."""
    found = here(policy)
    form = WithdrawForm()
    if not form.is_submitted():
        form.withdrawn_on.data = today()
    elif form.carry_out(
        lambda: withdrawing.withdraw_policy(
            actor(),
            policy_id=found.id,
            withdrawn_on=given(form.withdrawn_on),
            because=form.because.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(
            url_for("policies.show", trust=trust, policy=policy),
            "The policy is withdrawn. Everything that was said and signed stays on record.",
        )
    return page(
        "policies/register/withdraw.html",
        policy=found,
        places=len(queries.places_of(found, today())),
        form=form,
        status=form.status,
    )


# -- the trust as a place ----------------------------------------------------------------------------------------


@blueprint.get(f"{ROOT}/<policy>/central-team")
@allow(Permission.TEMPLATE_READ)
def edition(trust: str, policy: str) -> Response:
    """What a policy says to the trust's central team: the trust is a place too, without clauses of its own."""
    found = here(policy)
    one = place_queries.find_in_force(found.id, None, today())
    if one is None:
        raise NotFound("This policy does not apply to the central team.")

    def read() -> list[presenting.ClauseRow]:
        whole = place_queries.load_whole(one)
        return presenting.clause_rows(reading.clauses_of(whole), whole.values, marking=False)

    return page(
        "policies/register/edition.html",
        policy=found,
        edition=one,
        label=reading.edition_label(one),
        header=reading.header_of(one),
        editions=[(other, reading.edition_label(other)) for other in queries.list_editions(found.id, None)],
        shown=presenting.shown_edition(one.id, one.content_hash, "policies/public/_clauses.html", read),
        today=today(),
    )


@blueprint.get(f"{ROOT}/<policy>/central-team.pdf")
@allow(Permission.TEMPLATE_READ)
def edition_pdf(trust: str, policy: str) -> Response:
    """The central team's edition on paper."""
    found = here(policy)
    one = place_queries.find_in_force(found.id, None, today())
    if one is None:
        raise NotFound("This policy does not apply to the central team.")
    if one.pdf_hash is None:
        return page(
            "policies/being_made.html", back=url_for("policy_register.edition", trust=trust, policy=policy)
        )
    return pdf_response(one.pdf_hash, f"{found.slug}-{reading.edition_label(one)}.pdf")


# -- reviews on the home page ------------------------------------------------------------------------------------


def _reviews(on: date) -> list[Review]:
    """Every review, asked once for a page that shows both tasks and facts."""
    if "reviews" not in g:
        g.reviews = reviewing.list_reviews(on)
    found: list[Review] = g.reviews
    return found


def tasks(who: Actor, on: date) -> Iterable[Task]:
    """A review that comes near, for whoever holds the post that answers for the policy."""
    if not (who.can(Permission.TEMPLATE_READ) and (who.trust_roles or who.school_roles)):
        return
    near = [one for one in _reviews(on) if one.review_on - AHEAD <= on]
    schools = {one.id: one for one in tenants.list_schools()} if any(one.school_id for one in near) else {}
    for review in near:
        if review.role not in who.roles_at(review.school_id):
            continue
        school = schools.get(review.school_id) if review.school_id else None
        yield Task(
            title=f"Review the {in_sentence(review.policy.title)}",
            url=url_for(
                "school_policies.edition", trust=trust().slug, school=school.slug, policy=review.policy.slug
            )
            if school
            else url_for("policies.show", trust=trust().slug, policy=review.policy.slug),
            detail="Read it, change what is out of date, and send it for approval; or send it unchanged in words"
            " with a new review date.",
            due_on=review.review_on,
            action_label="Open",
            place=school.short_name if school else "",
        )


def facts(who: Actor, on: date) -> Iterable[Fact]:
    """How many reviews are overdue: for the trust's board and those who write its policies."""
    if not (who.can(Permission.APPROVAL_DECIDE) or who.can(Permission.TEMPLATE_EDIT)):
        return
    late = sum(one.review_on < on for one in _reviews(on))
    if late:
        yield Fact(
            number=str(late),
            words=f"{plural(late, 'review is', 'reviews are').split(' ', 1)[1]} overdue",
            url=url_for("policy_register.index", trust=trust().slug, show="overdue"),
        )


def install(app: Flask) -> None:
    """Register the pages, tasks and facts."""
    app.register_blueprint(blueprint)
    provide_tasks(tasks)
    provide_facts(facts)
