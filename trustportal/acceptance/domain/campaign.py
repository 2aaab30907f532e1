"""What a campaign may be: its audience, its places and its dates. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from trustportal.acceptance.domain.statement import check_statement
from trustportal.acceptance.domain.years import academic_year, year_label
from trustportal.access import Role
from trustportal.errors import RuleBroken

#: How the trust itself, where the central team signs, stands in a campaign's places.
AT_TRUST = "trust"


def place_key(school_id: UUID | None) -> str:
    """A place as campaigns and jobs name it: the school's id, or "trust"."""
    return AT_TRUST if school_id is None else str(school_id)


def place_of(key: str) -> UUID | None:
    """The reverse of `place_key`. Raises ValueError for anything else."""
    return None if key == AT_TRUST else UUID(key)


def reaches(places: Collection[str], school_id: UUID | None) -> bool:
    """Whether a campaign asks people at a place; one that names no places asks everywhere."""
    return not places or place_key(school_id) in places


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign as the network manager writes it. `places` empty: everywhere."""

    title: str
    academic_year: int
    policy_ids: frozenset[UUID]
    roles: frozenset[Role]
    places: frozenset[str]
    opens_on: date
    due_on: date
    joiner_days: int
    statement: str
    #: Outside documents that people confirm they have read.
    document_ids: frozenset[UUID] = frozenset()


def check_campaign(draft: Draft, *, today: date) -> Draft:
    """The campaign with its words tidied. Raises `RuleBroken`, naming the field, where it cannot be opened."""
    title = " ".join(draft.title.split())
    if not title:
        raise RuleBroken("Give the campaign a name, like “Annual signing 2026–27”.", "title")
    if len(title) > 200:
        raise RuleBroken("The name can have up to 200 characters.", "title")
    if not draft.policy_ids and not draft.document_ids:
        raise RuleBroken("Choose at least one policy.", "policies")
    if not draft.roles:
        raise RuleBroken("Choose at least one role.", "roles")
    if draft.due_on < draft.opens_on:
        raise RuleBroken("The last day to sign must be on or after the day on which it opens.", "due_on")
    if draft.due_on <= today:
        raise RuleBroken("The last day to sign must be in the future.", "due_on")
    if academic_year(draft.due_on) != draft.academic_year:
        raise RuleBroken(
            f"The last day to sign must be in the academic year {year_label(draft.academic_year)}.", "due_on"
        )
    if not 1 <= draft.joiner_days <= 90:
        raise RuleBroken("Give people who join later between 1 and 90 days.", "joiner_days")
    return Draft(
        title=title,
        academic_year=draft.academic_year,
        policy_ids=draft.policy_ids,
        roles=draft.roles,
        places=draft.places,
        opens_on=draft.opens_on,
        due_on=draft.due_on,
        joiner_days=draft.joiner_days,
        statement=check_statement(draft.statement),
        document_ids=draft.document_ids,
    )


def check_change(standing: Draft, draft: Draft, *, today: date, closed: bool) -> Draft:
    """A campaign as it may be changed while it runs. Raises `RuleBroken`, naming the field."""
    if closed:
        raise RuleBroken("This campaign is closed: start another one.")
    if draft.academic_year != standing.academic_year:
        raise RuleBroken("The academic year of a campaign stays: start another one.", "academic_year")
    if draft.opens_on != standing.opens_on and standing.opens_on <= today:
        raise RuleBroken("It has opened already: people were asked.", "opens_on")
    return draft
