"""Opening and closing campaigns, and showing beforehand who would be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from trustportal.acceptance.domain.campaign import (
    Draft,
    check_campaign,
    check_change,
    place_key,
    place_of,
    reaches,
)
from trustportal.acceptance.domain.planning import Because, Open, plan_assignments
from trustportal.acceptance.domain.statement import USUAL_STATEMENT
from trustportal.acceptance.domain.years import USUAL_JOINER_DAYS, role_order, suggest
from trustportal.acceptance.models import Assignment, Campaign, CampaignDocument, CampaignPolicy
from trustportal.acceptance.queries import facts, outside
from trustportal.acceptance.queries.facts import Place, Running
from trustportal.access import Actor, Permission, Role
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries as policies
from trustportal.tenants import queries as tenants
from trustportal.tenants.domain import long_day


@dataclass(frozen=True, slots=True)
class PlacePreview:
    """Whom a campaign would ask at one place."""

    school_id: Place
    name: str
    people: int
    signatures: int
    #: Policies that say nothing here yet, or whose PDF is still being made: asked for as soon as they do.
    waiting: tuple[str, ...]
    #: Who is asked what, by name: the first hundred.
    asked: tuple[tuple[str, tuple[str, ...]], ...] = ()


#: So many people of a place are named in a preview; a campaign can reach twenty thousand.
NAMED = 100


def preview_campaign(actor: Actor, draft: Draft, *, today: date) -> list[PlacePreview]:
    """Whom a campaign would ask at each place that it reaches, on its first day, by what is known today."""
    actor.require(Permission.ACCEPTANCE_MANAGE)
    draft = _checked(draft, today=today)
    day = max(today, draft.opens_on)
    running = [*facts.running_campaigns(day), Running.of_draft(uuid4(), draft)]
    places = [place for place in facts.all_places(day) if reaches(draft.places, place)]
    found = facts.place_facts(day, running, places)
    titles = {policy.id: policy.title for policy in policies.list_policies()} | outside.titles()
    names: dict[Place, str] = {one.id: one.name for one in tenants.list_schools()}
    names[None] = tenants.get_trust().name
    rows = []
    plans = {
        place: [one for one in plan_assignments(found[place]).open if one.campaign_id == running[-1].facts.id]
        for place in places
    }
    plans = _once(plans, draft.document_ids)
    named = tenants.names_of({one.person_id for opened in plans.values() for one in opened})
    for place in places:
        opened = plans[place]
        by_person: dict[str, list[str]] = defaultdict(list)
        for one in opened:
            by_person[f"{named[one.person_id]}\n{one.person_id}"].append(titles[one.policy_id])
        ready = {step.policy_id for step in found[place].editions if step.in_force and step.ready}
        rows.append(
            PlacePreview(
                place,
                names[place],
                len({one.person_id for one in opened}),
                len(opened),
                tuple(sorted(titles[policy] for policy in (draft.policy_ids | draft.document_ids) - ready)),
                tuple(
                    (who.partition("\n")[0], tuple(sorted(by_person[who])))
                    for who in sorted(by_person)[:NAMED]
                ),
            )
        )
    return rows


def _once(plans: Mapping[Place, list[Open]], documents: Collection[UUID]) -> dict[Place, list[Open]]:
    """Plans of several places together: an outside document is asked of a person at the first of them only."""
    seen: set[tuple[UUID, UUID]] = set()
    kept: dict[Place, list[Open]] = {}
    for place, opened in plans.items():
        kept[place] = [
            one
            for one in opened
            if one.policy_id not in documents or (one.person_id, one.policy_id) not in seen
        ]
        seen |= {(one.person_id, one.policy_id) for one in kept[place] if one.policy_id in documents}
    return kept


def suggest_campaign(actor: Actor, *, today: date) -> dict[str, Any]:
    """What `open_campaign` takes: last year's campaign again, or where there is none, all policies, everywhere."""
    actor.require(Permission.ACCEPTANCE_MANAGE)
    suggested = suggest(today)
    in_force = {edition.policy_id for edition in policies.editions_in_force(today)}
    before = facts.find_campaign_before(suggested.academic_year)
    taken = facts.find_campaign_named(suggested.academic_year, suggested.title) is not None
    return {
        "title": f"Signing from {long_day(suggested.opens_on)}" if taken else suggested.title,
        "academic_year": suggested.academic_year,
        "policy_ids": sorted(in_force & facts.policy_ids_of(before.id) if before else in_force)
        or sorted(in_force),
        "document_ids": sorted(facts.document_ids_of(before.id)) if before else [],
        "roles": role_order(before.roles if before else suggested.roles),
        "places": _still_there(before.places if before else [], today),
        "opens_on": suggested.opens_on,
        "due_on": suggested.due_on,
        "joiner_days": before.joiner_days if before else suggested.joiner_days,
        "statement": before.statement if before else USUAL_STATEMENT,
    }


def _still_there(places: Iterable[str], today: date) -> list[str]:
    there = {place_key(place) for place in facts.all_places(today)}
    return [place for place in places if place in there]


def proposed_year(today: date) -> int | None:
    """The academic year whose campaign is due to be started: the last one had one, this one has none. Else None."""
    year = suggest(today).academic_year
    return year if facts.find_campaign_before(year) and not facts.has_campaign(year) else None


def open_campaign(
    actor: Actor,
    *,
    title: str,
    academic_year: int,
    policy_ids: Iterable[UUID],
    roles: Iterable[Role],
    opens_on: date,
    due_on: date,
    now: datetime,
    today: date,
    places: Iterable[str] = (),
    joiner_days: int = USUAL_JOINER_DAYS,
    statement: str = USUAL_STATEMENT,
    document_ids: Iterable[UUID] = (),
) -> Campaign:
    """Ask an audience to sign policies by a day. People are asked from its first day on, by a job for each place.

    `places`: ids of schools as text, and "trust"; none: everywhere. Raises `RuleBroken` with the field's name.
    """
    actor.require(Permission.ACCEPTANCE_MANAGE)
    draft = _checked(
        Draft(
            title=title,
            academic_year=academic_year,
            policy_ids=frozenset(policy_ids),
            roles=frozenset(roles),
            places=frozenset(places),
            opens_on=opens_on,
            due_on=due_on,
            joiner_days=joiner_days,
            statement=statement,
            document_ids=frozenset(document_ids),
        ),
        today=today,
    )
    with unit_of_work() as uow:
        campaign = Campaign(
            id=uuid4(),
            academic_year=draft.academic_year,
            title=draft.title,
            roles=sorted(str(role) for role in draft.roles),
            places=sorted(draft.places),
            statement=draft.statement,
            opens_on=draft.opens_on,
            due_on=draft.due_on,
            joiner_days=draft.joiner_days,
            state="open",
            created_by=actor.person_id,
            created_at=now,
        )
        db.session.add(campaign)
        try:
            db.session.flush()
        except IntegrityError as error:
            raise _taken(draft) from error
        db.session.add_all(
            CampaignPolicy(id=uuid4(), campaign_id=campaign.id, policy_id=policy_id)
            for policy_id in sorted(draft.policy_ids)
        )
        _add_documents(campaign.id, draft.document_ids)
        record(
            actor,
            Action.CAMPAIGN_OPENED,
            now=now,
            campaign_id=campaign.id,
            academic_year=campaign.academic_year,
            due_on=campaign.due_on,
        )
        uow.announce(Event.CAMPAIGN_OPENED, campaign_id=campaign.id)
    return campaign


def change_campaign(
    actor: Actor,
    *,
    campaign_id: UUID,
    title: str,
    academic_year: int,
    policy_ids: Iterable[UUID],
    roles: Iterable[Role],
    opens_on: date,
    due_on: date,
    now: datetime,
    today: date,
    places: Iterable[str] = (),
    joiner_days: int = USUAL_JOINER_DAYS,
    statement: str = USUAL_STATEMENT,
    document_ids: Iterable[UUID] = (),
) -> Campaign:
    """Change a campaign that is open. Who is newly in its audience is asked, who is not any more is closed; what was
    signed stays. A later due day holds for everybody who was asked for the old one.
    """
    actor.require(Permission.ACCEPTANCE_MANAGE)
    with unit_of_work() as uow:
        campaign = facts.get_campaign(campaign_id, lock=True)
        standing = _draft_of(campaign)
        draft = check_change(
            standing,
            _checked(
                Draft(
                    title=title,
                    academic_year=academic_year,
                    policy_ids=frozenset(policy_ids),
                    roles=frozenset(roles),
                    places=frozenset(places),
                    opens_on=opens_on,
                    due_on=due_on,
                    joiner_days=joiner_days,
                    statement=statement,
                    document_ids=frozenset(document_ids),
                ),
                today=today,
                but=campaign,
            ),
            today=today,
            closed=campaign.state == "closed",
        )
        changed = [
            name for name in Draft.__dataclass_fields__ if getattr(standing, name) != getattr(draft, name)
        ]
        if not changed:
            return campaign
        campaign.title, campaign.statement = draft.title, draft.statement
        campaign.roles = sorted(str(role) for role in draft.roles)
        campaign.places = sorted(draft.places)
        campaign.opens_on, campaign.due_on, campaign.joiner_days = (
            draft.opens_on,
            draft.due_on,
            draft.joiner_days,
        )
        db.session.execute(
            delete(CampaignPolicy)
            .where(
                CampaignPolicy.campaign_id == campaign.id, CampaignPolicy.policy_id.not_in(draft.policy_ids)
            )
            .execution_options(synchronize_session=False)
        )
        db.session.add_all(
            CampaignPolicy(id=uuid4(), campaign_id=campaign.id, policy_id=policy_id)
            for policy_id in sorted(draft.policy_ids - standing.policy_ids)
        )
        db.session.execute(
            delete(CampaignDocument)
            .where(
                CampaignDocument.campaign_id == campaign.id,
                CampaignDocument.document_id.not_in(draft.document_ids),
            )
            .execution_options(synchronize_session=False)
        )
        _add_documents(campaign.id, draft.document_ids - standing.document_ids)
        if draft.due_on != standing.due_on:
            db.session.execute(
                update(Assignment)
                .where(
                    Assignment.campaign_id == campaign.id,
                    Assignment.state == "open",
                    Assignment.due_on == standing.due_on,
                )
                .values(due_on=draft.due_on, escalated=0)
                .execution_options(synchronize_session=False)
            )
        record(actor, Action.CAMPAIGN_CHANGED, now=now, campaign_id=campaign.id, fields=changed)
        uow.announce(Event.CAMPAIGN_CHANGED, campaign_id=campaign.id)
    return campaign


def _add_documents(campaign_id: UUID, document_ids: Collection[UUID]) -> None:
    db.session.add_all(
        CampaignDocument(id=uuid4(), campaign_id=campaign_id, document_id=document_id)
        for document_id in sorted(document_ids)
    )


def _draft_of(campaign: Campaign) -> Draft:
    return Draft(
        title=campaign.title,
        academic_year=campaign.academic_year,
        policy_ids=facts.policy_ids_of(campaign.id),
        roles=frozenset(Role(role) for role in campaign.roles),
        places=frozenset(campaign.places),
        opens_on=campaign.opens_on,
        due_on=campaign.due_on,
        joiner_days=campaign.joiner_days,
        statement=campaign.statement,
        document_ids=facts.document_ids_of(campaign.id),
    )


def close_campaign(actor: Actor, *, campaign_id: UUID, now: datetime) -> Campaign:
    """End a campaign: nobody is asked any more, and who has not signed is kept as it stands."""
    actor.require(Permission.ACCEPTANCE_MANAGE)
    with unit_of_work():
        campaign = facts.get_campaign(campaign_id, lock=True)
        if campaign.state == "closed":
            return campaign
        campaign.state, campaign.closed_at = "closed", now
        db.session.execute(
            update(Assignment)
            .where(Assignment.campaign_id == campaign.id, Assignment.state == "open")
            .values(state="closed", closed_at=now, closed_because=str(Because.ENDED))
            .execution_options(synchronize_session=False)
        )
        record(actor, Action.CAMPAIGN_CLOSED, now=now, campaign_id=campaign.id)
    return campaign


def _checked(draft: Draft, *, today: date, but: Campaign | None = None) -> Draft:
    draft = check_campaign(draft, today=today)
    known = {policy.id for policy in policies.list_policies()}
    if not draft.policy_ids <= known:
        raise RuleBroken("Choose policies of this trust.", "policies")
    if not draft.document_ids <= outside.titles().keys():
        raise RuleBroken("Choose outside documents that are recorded here.", "documents")
    schools = {school.id for school in tenants.list_schools()}
    try:
        places = {place_of(key) for key in draft.places}
    except ValueError:
        raise RuleBroken("Choose schools of this trust.", "places") from None
    if not places - {None} <= schools:
        raise RuleBroken("Choose schools of this trust.", "places")
    taken = facts.find_campaign_named(draft.academic_year, draft.title)
    if taken is not None and (but is None or taken.id != but.id):
        raise _taken(draft)
    return draft


def _taken(draft: Draft) -> RuleBroken:
    return RuleBroken(f"There is a campaign “{draft.title}” in this academic year already.", "title")
