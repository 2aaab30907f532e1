"""Doors for workers. Each calls one service; each may run twice without harm."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from trustportal.acceptance.domain.campaign import place_of
from trustportal.acceptance.services import assigning, reminding
from trustportal.jobs import Event, job
from trustportal.times import now, today


@job("default", on=Event.CAMPAIGN_OPENED)
def plan_campaign(*, campaign_id: str) -> None:
    """A job for each place of a new campaign."""
    assigning.plan_campaign(campaign_id=UUID(campaign_id), today=today())


@job("default", on=Event.DAY_BEGAN)
def plan_day(*, slot: str) -> None:
    """A job for each place: people began and left, campaigns opened."""
    assigning.plan_day(today=today())


@job("default", on=Event.DAY_BEGAN)
def forget_traces(*, slot: str) -> None:
    """Dispose of what is kept for twelve months only."""
    reminding.forget_traces(now=now())


@job("default", on=Event.PLACE_TO_ASSIGN)
def assign_place(*, place: str) -> None:
    """Ask the people of one place."""
    assigning.assign_place(place_of(place), today=today(), now=now())


@job("default", on=Event.EDITION_IN_FORCE)
def edition_in_force(*, edition_id: str) -> None:
    """Ask for an edition, if its PDF is stored."""
    assigning.assign_for_edition(edition_id=UUID(edition_id), today=today(), now=now())


@job("default", on=Event.PDF_STORED)
def pdf_stored(*, edition_id: str) -> None:
    """Ask for an edition, if it is in force."""
    assigning.assign_for_edition(edition_id=UUID(edition_id), today=today(), now=now())


@job("default", on=Event.POLICY_WITHDRAWN)
def policy_withdrawn(*, policy_id: str) -> None:
    """Nobody is asked any more to sign a policy that was withdrawn: every place that a campaign reaches is planned."""
    assigning.plan_day(today=today())


@job("default", on=Event.MEMBERSHIP_CHANGED)
def membership_changed(*, person_id: str, membership_id: str = "", school_id: str = "") -> None:
    """Ask a joiner, close a leaver's: at all places of the person, since another role may still hold."""
    assigning.assign_person(person_id=UUID(person_id), today=today(), now=now())


@job("default", on=Event.REMINDERS_DUE)
def remind_due(*, slot: str) -> None:
    """One reminder for each person who is due one."""
    reminding.remind_due(today=date.fromisoformat(slot))
