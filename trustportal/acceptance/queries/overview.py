"""How far a campaign is, for one reader: what they may see of it, at the places where they may."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from trustportal.acceptance.domain.campaign import reaches
from trustportal.acceptance.models import Campaign
from trustportal.acceptance.queries import facts, outside, progress, unsigned
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.queries.progress import Course, Tally
from trustportal.acceptance.queries.unsigned import UnsignedPage
from trustportal.access import Actor, Permission, Role
from trustportal.errors import NotFound
from trustportal.policies import queries as policies
from trustportal.tenants import queries as tenants

#: How the trust itself stands in the address of a filter.
AT_TRUST = "trust"
NOBODY = Tally()
#: How many places a page shows with how far they are, unless all of them are asked for.
PLACES = 25


class PlaceShown(NamedTuple):
    """A place with how far it is. `slug` is "trust" for the trust itself."""

    id: Place
    slug: str
    name: str
    short_name: str
    tally: Tally = NOBODY


@dataclass(frozen=True, slots=True)
class Overview:
    """A campaign as one reader sees it. `unsigned` is None for those who see totals only."""

    campaign: Campaign
    policies: Sequence[str]
    #: Those where somebody is asked, the trust first, then schools by name.
    places: Sequence[PlaceShown]
    total: Tally
    roles: Mapping[Role, Tally]
    by_policy: Mapping[str, Tally]
    course: Course
    unsigned: UnsignedPage | None
    chosen_place: PlaceShown | None
    chosen_role: Role | None
    #: Whether names may be seen, and people reminded, at every place that is shown.
    names: bool


def furthest_behind(places: Sequence[PlaceShown]) -> list[PlaceShown]:
    """Places where somebody is asked: where the smallest part has signed first, then where more are late."""

    def how_far(place: PlaceShown) -> tuple[float, int, str]:
        return place.tally.signed / place.tally.asked, -place.tally.late, place.name

    return sorted(places, key=how_far)


def places_of(actor: Actor, permission: Permission) -> list[PlaceShown]:
    """The places where somebody may do something: the trust first, then its schools by name."""
    found = []
    if actor.can(permission):
        name = tenants.get_trust().name
        found.append(PlaceShown(None, AT_TRUST, name, "Central team"))
    return found + [
        PlaceShown(school.id, school.slug, school.name, school.short_name)
        for school in tenants.name_schools()
        if actor.can(permission, school.id)
    ]


def choose(places: Sequence[PlaceShown], slug: str) -> PlaceShown | None:
    """The place of a filter, or None for all. Raises `NotFound` for one that is not among them."""
    if not slug:
        return None
    found = next((place for place in places if place.slug == slug), None)
    if found is None:
        raise NotFound()
    return found


def choose_role(campaign: Campaign, name: str) -> Role | None:
    """The role of a filter, or None for all. Raises `NotFound` for one that the campaign does not ask."""
    if not name:
        return None
    if name not in campaign.roles:
        raise NotFound()
    return Role(name)


def get_overview(
    actor: Actor, campaign_id: UUID, *, today: date, place: str = "", role: str = "", page: int = 1
) -> Overview:
    """How far a campaign is. A fixed number of queries for any number of schools and people."""
    campaign = facts.get_campaign(campaign_id)
    visible = [
        one for one in places_of(actor, Permission.ACCEPTANCE_TOTALS) if reaches(campaign.places, one.id)
    ]
    chosen, chosen_role = choose(visible, place), choose_role(campaign, role)
    # Who sees the whole trust needs no list of its places: two hundred would be looked up for each person.
    whole = not campaign.places and actor.can(Permission.ACCEPTANCE_TOTALS)
    everywhere: Collection[Place] = facts.EVERYWHERE if whole else [one.id for one in visible]
    counted = progress.tallies_of(campaign, everywhere, today)
    shown = [one._replace(tally=counted.places.get(one.id, NOBODY)) for one in visible]
    narrowed = [one for one in shown if chosen is None or one.id == chosen.id]
    ids = everywhere if chosen is None else [chosen.id]
    if chosen is not None:
        counted = progress.tallies_of(campaign, ids, today)
    named = [one for one in narrowed if actor.can(Permission.ACCEPTANCE_OVERSEE, one.id)]
    titles, asked = texts(), facts.policy_ids_of(campaign.id) | facts.document_ids_of(campaign.id)
    wanted = [title for text_id, title in titles.items() if text_id in asked]
    return Overview(
        campaign=campaign,
        policies=wanted,
        places=[one for one in shown if one.tally.asked],
        total=sum((one.tally for one in narrowed), NOBODY),
        roles=counted.roles,
        # One policy says nothing beside the total.
        by_policy=progress.tally_by_policy(campaign, ids, titles, today) if len(wanted) > 1 else {},
        course=progress.course_of(campaign, ids, today),
        unsigned=_unsigned(campaign, named, today, role=chosen_role, page=page) if named else None,
        chosen_place=chosen,
        chosen_role=chosen_role,
        names=bool(named) and len(named) == len(narrowed),
    )


def _unsigned(
    campaign: Campaign, named: Sequence[PlaceShown], today: date, *, role: Role | None, page: int
) -> UnsignedPage:
    """The page of those who have not signed. Without a role it is known from the tallies which places it shows."""
    if role is not None:
        return unsigned.list_unsigned(campaign, [one.id for one in named], today, role=role, page=page)
    # In the order of the list: the trust first, then schools by name.
    ordered = sorted(named, key=lambda one: (one.id is not None, one.name))
    first, last = (page - 1) * unsigned.PAGE, page * unsigned.PAGE
    wanted: list[Place] = []
    before, skip = 0, 0
    for one in ordered:
        begins, before = before, before + one.tally.missing
        if before > first and begins < last and one.tally.missing:
            if not wanted:
                skip = first - begins
            wanted.append(one.id)
    return unsigned.list_unsigned(campaign, wanted, today, page=page, total=before, skip=skip)


def texts() -> dict[UUID, str]:
    """All that people can be asked to sign, by id: the policies by title, then the outside documents."""
    return {policy.id: policy.title for policy in policies.list_policies()} | outside.titles()


@dataclass(frozen=True, slots=True)
class CampaignShown:
    """A line of the list of campaigns."""

    campaign: Campaign
    tally: Tally


def list_shown(actor: Actor, *, today: date) -> list[CampaignShown]:
    """The campaigns that ask somebody where the reader may see totals, the newest first."""
    places = [one.id for one in places_of(actor, Permission.ACCEPTANCE_TOTALS)]
    campaigns = [
        one for one in facts.list_campaigns() if not one.places or any(reaches(one.places, p) for p in places)
    ]
    tallies = progress.tally_of_campaigns(campaigns, places, today)
    return [CampaignShown(one, tallies.get(one.id, NOBODY)) for one in campaigns]
