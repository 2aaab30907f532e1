"""What a changed placeholder value means for a place's policies."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from trustportal.db import current_unit, unit_of_work
from trustportal.jobs import Event
from trustportal.policies import queries, reading
from trustportal.tenants import queries as tenants


def look_at_place(school_id: UUID | None, *, now: datetime, today: date) -> None:
    """Mark the policies of a place whose printed words follow from a changed value; adopt what waited for one.

    The trust's own values (None) are also those of every school that has not filled in its own.
    """
    with unit_of_work():
        places: list[UUID | None] = [school_id]
        if school_id is None:
            places += [school.id for school in tenants.list_schools(open_on=today)]
        for place in places:
            for standing in queries.standings_at(place):
                _look(standing.policy_id, place)


def _look(policy_id: UUID, school_id: UUID | None) -> None:
    standing = queries.get_standing(policy_id, school_id, lock=True)
    policy = queries.get_policy_by_id(policy_id)
    version = queries.get_version(standing.version_id)
    if standing.missing:
        waiting = queries.find_publication_place(version.id, school_id)
        if waiting is not None and waiting.outcome == "values_missing":
            current_unit().announce(Event.PLACE_TO_REBASE, place_id=waiting.id)
            return
    latest = queries.find_latest_edition(policy_id, school_id)
    if latest is None or latest.template_version_id != version.id:
        return
    shown = reading.preview(policy, version, school_id, reading.answers_in(latest))
    standing.release_due = not shown.resolved.missing and shown.resolved.content_hash != latest.content_hash
