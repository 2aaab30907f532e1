"""Campaigns: the list, a new one with its preview, how far one is, reminding, closing, exporting."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, make_response, request, url_for

from trustportal.acceptance import exports, services
from trustportal.acceptance.domain.years import academic_year, year_label
from trustportal.acceptance.forms import CampaignForm, ScheduleForm
from trustportal.acceptance.models import Campaign
from trustportal.acceptance.queries import facts, outside, overview, owing, progress
from trustportal.acceptance.queries.asked import list_lines
from trustportal.acceptance.services.campaigns import PlacePreview
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.acceptance.views.picture import picture_of
from trustportal.access import ROLE_LABELS, Permission
from trustportal.errors import Forbidden, NotFound
from trustportal.policies import queries as policies
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, school, see_other
from trustportal.web import trust as trust_here

ROOT = "/t/<trust>/acceptance"


@blueprint.get(ROOT)
@allow(Permission.ACCEPTANCE_TOTALS)
def campaigns(trust: str) -> Response:
    """The campaigns of the trust, with how many have signed."""
    return page(
        "acceptance/campaigns.html",
        rows=overview.list_shown(actor(), today=today()),
        may_manage=actor().can(Permission.ACCEPTANCE_MANAGE),
        may_pack=actor().can_anywhere(Permission.ACCEPTANCE_EVIDENCE),
        year_label=year_label,
        today=today(),
    )


@blueprint.route(f"{ROOT}/new", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_MANAGE, at="trust")
def new_campaign(trust: str) -> Response:
    """A new campaign: first who will be asked, at each place; then it is opened."""
    form = _form()
    preview: list[PlacePreview] | None = None
    if form.is_submitted():
        if "open" in request.form:
            opened = form.carry_out(
                lambda: services.open_campaign(actor(), **form.given(), now=now(), today=today())
            )
            if isinstance(opened, Campaign):
                return see_other(
                    url_for("acceptance.campaign", trust=trust, campaign_id=opened.id),
                    f"{opened.title} was opened. People are asked by mail and on their home page.",
                )
        else:
            shown = form.carry_out(lambda: services.preview_campaign(actor(), form.draft(), today=today()))
            preview = shown if isinstance(shown, list) else None
    return page(
        "acceptance/campaign_new.html",
        form=form,
        errors=form.summary,
        preview=preview,
        people=sum(one.people for one in preview or ()),
        waiting=sorted({title for one in preview or () for title in one.waiting}),
        year_label=year_label,
        role_labels=ROLE_LABELS,
        status=form.status,
    )


def _form() -> CampaignForm:
    suggested = services.suggest_campaign(actor(), today=today())
    year = academic_year(today())
    usual: dict[str, Any] = {
        **{key: suggested[key] for key in ("title", "opens_on", "due_on", "joiner_days", "statement")},
        "academic_year": str(suggested["academic_year"]),
        "policies": [str(one) for one in suggested["policy_ids"]],
        "documents": [str(one) for one in suggested["document_ids"]],
        "roles": [str(one) for one in suggested["roles"]],
    }
    if suggested["places"]:
        usual |= {"where": "some", "places": list(suggested["places"])}
    return _offered(CampaignForm(**usual), years=(year, year + 1))


def _offered(form: CampaignForm, *, years: tuple[int, ...]) -> CampaignForm:
    return form.offer(
        years=years,
        policies=[(str(policy.id), policy.title) for policy in policies.list_policies()],
        documents=[(str(one.document_id), f"{one.title}, {one.edition}") for one in outside.list_newest()],
        schools=[(str(one.id), one.name) for one in tenants.list_schools(open_on=today())],
        trust_name=trust_here().name,
    )


@blueprint.route(f"{ROOT}/<uuid:campaign_id>/change", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_MANAGE, at="trust")
def change_campaign(trust: str, campaign_id: UUID) -> Response:
    """Change a campaign that is open: its policies, its audience, its days, its words."""
    found = facts.get_campaign(campaign_id)
    standing: dict[str, Any] = {
        "title": found.title,
        "academic_year": str(found.academic_year),
        "policies": [str(one) for one in facts.policy_ids_of(found.id)],
        "documents": [str(one) for one in facts.document_ids_of(found.id)],
        "where": "some" if found.places else "all",
        "places": list(found.places),
        "roles": list(found.roles),
        "opens_on": found.opens_on,
        "due_on": found.due_on,
        "joiner_days": found.joiner_days,
        "statement": found.statement,
    }
    form = _offered(CampaignForm(**standing), years=(found.academic_year,))
    if form.is_submitted():
        changed = form.carry_out(
            lambda: services.change_campaign(
                actor(), campaign_id=campaign_id, **form.given(), now=now(), today=today()
            )
        )
        if isinstance(changed, Campaign):
            return see_other(
                url_for("acceptance.campaign", trust=trust, campaign_id=campaign_id),
                "Changed. Who is newly asked gets a mail; who is not any more has nothing to do.",
            )
    return page(
        "acceptance/campaign_change.html",
        form=form,
        campaign=found,
        errors=form.summary,
        status=form.status,
    )


@blueprint.route(f"{ROOT}/schedule", methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_MANAGE, at="trust")
def schedule(trust: str) -> Response:
    """When people are reminded, whom the late are told to, and the quiet hours."""
    chosen = owing.get_schedule().to_json()
    form = ScheduleForm(
        **{**chosen, "quiet_from": str(chosen["quiet_from"]), "quiet_to": str(chosen["quiet_to"])}
    ).offer()
    if form.is_submitted() and form.carry_out(
        lambda: services.set_schedule(actor(), now=now(), **form.given())
    ):
        return see_other(
            url_for("acceptance.campaigns", trust=trust),
            "The schedule is set. It holds from the next mail on.",
        )
    return page("acceptance/schedule.html", form=form, errors=form.summary, status=form.status)


@blueprint.get(f"{ROOT}/<uuid:campaign_id>")
@allow(Permission.ACCEPTANCE_TOTALS)
def campaign(trust: str, campaign_id: UUID) -> Response:
    """How far a campaign is, by place and by role; who has not signed, for those who may see names."""
    return _progress(campaign_id, place=request.args.get("place", ""))


@blueprint.get("/t/<trust>/schools/<school>/acceptance")
@allow(Permission.ACCEPTANCE_TOTALS, at="school")
def at_school(trust: str, school: str) -> Response:
    """The same for one school: its newest campaign, or the one that was chosen."""
    asked = request.args.get("campaign", "")
    if asked:
        campaign_id = _id(asked)
    else:
        newest = progress.find_newest_campaign([_here()])
        if newest is None:
            return page("acceptance/at_school_empty.html")
        campaign_id = newest.id
    return _progress(campaign_id, place=school, at_one_school=True)


def _here() -> UUID:
    return school().id


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound() from None


def _progress(campaign_id: UUID, *, place: str, at_one_school: bool = False) -> Response:
    shown = overview.get_overview(
        actor(),
        campaign_id,
        today=today(),
        place=place,
        role=request.args.get("role", ""),
        page=max(1, request.args.get("page", 1, type=int)),
    )
    most = None if request.args.get("places") == "all" else overview.PLACES
    return page(
        "acceptance/campaign.html",
        shown=shown,
        behind=overview.furthest_behind(shown.places)[:most],
        campaign=shown.campaign,
        year=year_label(shown.campaign.academic_year),
        role_labels=ROLE_LABELS,
        picture=picture_of(shown.course, shown.campaign.due_on),
        at_one_school=at_one_school,
        may_manage=actor().can(Permission.ACCEPTANCE_MANAGE) and not at_one_school,
        today=today(),
    )


@blueprint.post(f"{ROOT}/<uuid:campaign_id>/close")
@allow(Permission.ACCEPTANCE_MANAGE, at="trust")
def close_campaign(trust: str, campaign_id: UUID) -> Response:
    """End a campaign."""
    closed = services.close_campaign(actor(), campaign_id=campaign_id, now=now())
    return see_other(
        url_for("acceptance.campaign", trust=trust, campaign_id=campaign_id),
        f"{closed.title} was closed. Nobody is asked any more.",
    )


@blueprint.post(f"{ROOT}/<uuid:campaign_id>/remind")
@allow(Permission.ACCEPTANCE_OVERSEE)
def remind(trust: str, campaign_id: UUID) -> Response:
    """Remind everybody who has not signed, at the place of the filter or wherever I may."""
    slug = request.form.get("place", "")
    count = services.remind_now(
        actor(), campaign_id=campaign_id, places=_overseen(campaign_id, slug), today=today(), now=now()
    )
    said = "Everybody was reminded today already." if count == 0 else f"{count} people will get a reminder."
    if count == 1:
        said = "One person will get a reminder."
    return see_other(
        url_for("acceptance.campaign", trust=trust, campaign_id=campaign_id, place=slug or None), said
    )


def _overseen(campaign_id: UUID, slug: str) -> list[facts.Place]:
    """The places whose names I may see: the one that was chosen, or all of them."""
    facts.get_campaign(campaign_id)
    mine = overview.places_of(actor(), Permission.ACCEPTANCE_OVERSEE)
    chosen = overview.choose(mine, slug)
    places = [chosen.id] if chosen is not None else [one.id for one in mine]
    if not places:
        raise Forbidden()
    return places


@blueprint.get(f"{ROOT}/<uuid:campaign_id>/export.<any(csv,xlsx):kind>")
@allow(Permission.ACCEPTANCE_OVERSEE)
def export(trust: str, campaign_id: UUID, kind: str) -> Response:
    """Who has signed what and who has not, as CSV or Excel, with the filters of the page."""
    found = facts.get_campaign(campaign_id)
    places = _overseen(campaign_id, request.args.get("place", ""))
    role = overview.choose_role(found, request.args.get("role", ""))
    lines = list_lines(found, places, today(), role=role)
    name = trust_here().name
    if kind == "csv":
        content, media = exports.as_csv(lines, trust_name=name), "text/csv; charset=utf-8"
    else:
        # Here, and not above: most processes never make a workbook, and its library takes long to load.
        from trustportal.acceptance import excel

        content = excel.as_excel(lines, title=found.title, trust_name=name)
        media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer = make_response(content)
    answer.headers["Content-Type"] = media
    answer.headers["Content-Disposition"] = f'attachment; filename="signing-{found.academic_year}.{kind}"'
    return answer
