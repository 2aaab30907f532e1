"""How many people a new edition would ask to sign again, and how many a version did ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import func, select

from trustportal.acceptance.domain.campaign import reaches
from trustportal.acceptance.domain.planning import Cause, EditionStep, PlaceFacts, plan_assignments
from trustportal.acceptance.models import Assignment
from trustportal.acceptance.queries import facts
from trustportal.acceptance.queries.facts import Place
from trustportal.db import db
from trustportal.policies.models import Edition, Publication

#: Later than any edition.
_LAST = (2**31, 0)


def would_ask(policy_id: UUID, school_id: Place, *, material: bool, on: date) -> int:
    """How many people of a place would be asked to sign again, if a policy had another edition in force on a day.

    By the same plan by which they are asked, made twice: with the new edition, and without it.
    """
    running = [
        one
        for one in facts.running_campaigns(on)
        if policy_id in one.facts.policy_ids and reaches(one.places, school_id)
    ]
    if not running:
        return 0
    known = facts.place_facts(on, running, [school_id])[school_id]
    steps = [replace(one, in_force=one.in_force and one.policy_id != policy_id) for one in known.editions]
    new = EditionStep(uuid4(), policy_id, _LAST, material, in_force=True, ready=True)
    return len(_asked_by(replace(known, editions=[new, *steps]), policy_id) - _asked_by(known, policy_id))


def _asked_by(known: PlaceFacts, policy_id: UUID) -> set[UUID]:
    return {
        one.person_id
        for one in plan_assignments(known).open
        if one.policy_id == policy_id and one.cause is Cause.CHANGED
    }


def asked(version_id: UUID) -> dict[Place, int]:
    """How many people were asked to sign again because of the editions that a version brought, by place."""
    rows = db.session.execute(
        select(Assignment.school_id, func.count())
        .join(Edition, Edition.id == Assignment.edition_id)
        .join(Publication, Publication.version_id == Edition.template_version_id)
        .where(
            Edition.template_version_id == version_id,
            Assignment.cause == Cause.CHANGED.value,
            Assignment.created_at >= Publication.started_at,
        )
        .group_by(Assignment.school_id)
    )
    return {row[0]: row[1] for row in rows}
