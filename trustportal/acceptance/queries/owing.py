"""Who owes a signature: what reminders and escalation work on. And the trust's schedule for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from trustportal.acceptance.domain.chasing import Schedule
from trustportal.acceptance.models import Assignment, Campaign, OutsideEdition, Question
from trustportal.acceptance.models import Schedule as ScheduleRow
from trustportal.acceptance.queries import outside
from trustportal.acceptance.queries.facts import Place, at_places
from trustportal.acceptance.queries.mine import TITLE
from trustportal.db import db
from trustportal.policies import queries as policies
from trustportal.policies.models import Policy
from trustportal.times import day_of


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that somebody has not signed. `escalated`: as `domain.chasing.Level`."""

    assignment_id: UUID
    person_id: UUID
    school_id: UUID | None
    title: str
    due_on: date
    asked_on: date
    reminded_on: date | None
    escalated: int


def find_schedule(*, lock: bool = False) -> ScheduleRow | None:
    """What the trust has chosen, if it has chosen."""
    statement = select(ScheduleRow)
    return db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def get_schedule() -> Schedule:
    """What the trust has chosen, or the usual."""
    row = find_schedule()
    return Schedule.read(row.choices) if row is not None else Schedule()


def list_owed(
    today: date,
    *,
    due_by: date | None = None,
    due_before: date | None = None,
    campaign_id: UUID | None = None,
    places: Collection[Place] | None = None,
    person_id: UUID | None = None,
    chased: bool = False,
) -> Sequence[Owed]:
    """What is owed, by person and day, and can be signed now. Whoever is away owes nothing meanwhile.

    `chased`: without what somebody asked about: they wait for an answer, not the other way round.
    """
    waiting = (
        select(Question.id)
        .where(
            Question.trust_id == Assignment.trust_id,
            Question.assignment_id == Assignment.id,
            Question.state == "open",
        )
        .exists()
    )
    statement = (
        select(
            Assignment.id,
            Assignment.person_id,
            Assignment.school_id,
            TITLE.label("title"),
            Assignment.due_on,
            Assignment.created_at,
            Assignment.reminded_on,
            Assignment.escalated,
            func.coalesce(Assignment.edition_id, Assignment.outside_edition_id).label("edition_id"),
        )
        .outerjoin(Policy, Policy.id == Assignment.policy_id)
        .outerjoin(OutsideEdition, OutsideEdition.id == Assignment.outside_edition_id)
        .join(Campaign, Campaign.id == Assignment.campaign_id)
        .where(Assignment.state == "open", Assignment.paused_on.is_(None))
        .order_by(Assignment.person_id, Assignment.due_on, TITLE)
    )
    if chased:
        statement = statement.where(~waiting)
    if due_by is not None:
        statement = statement.where(Assignment.due_on <= due_by)
    if due_before is not None:
        statement = statement.where(Assignment.due_on < due_before)
    if campaign_id is not None:
        statement = statement.where(Assignment.campaign_id == campaign_id)
    if places is not None:
        statement = statement.where(at_places(Assignment.school_id, places))
    if person_id is not None:
        statement = statement.where(Assignment.person_id == person_id)
    rows = db.session.execute(statement).all()
    in_force = {edition.id for edition in policies.editions_in_force(today)} if rows else set()
    in_force |= outside.current_ids(today) if rows else set()
    return [
        Owed(
            row.id,
            row.person_id,
            row.school_id,
            row.title,
            row.due_on,
            day_of(row.created_at),
            row.reminded_on,
            row.escalated,
        )
        for row in rows
        if row.edition_id in in_force
    ]
