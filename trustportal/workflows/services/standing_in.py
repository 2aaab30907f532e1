"""Who gives the data protection officer's consent to disposals where that post may not decide: somebody it is about
leads it, or is close to it. The chair of the trust board names them, whatever there is to be disposed of: so a name
says nothing about any record.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.times import day_of
from trustportal.workflows.allegation_models import StandIn
from trustportal.workflows.queries import stand_ins as queries


def name(actor: Actor, *, person_id: UUID | None, reason: str, now: datetime) -> UUID:
    """Name somebody. Never oneself, since two people have to agree, and never who gives the other consent."""
    actor.require(Permission.STAND_IN_NAME)
    words = " ".join(reason.split())
    if not words:
        raise RuleBroken("Say why it is them.", "reason")
    if len(words) > 400:
        raise RuleBroken("The reason can have up to 400 characters.", "reason")
    with unit_of_work() as uow:
        if (
            person_id is None
            or person_id not in queries.nameable(day_of(now))
            or person_id == actor.person_id
        ):
            raise RuleBroken("Choose who stands in.", "person")
        if any(one.person_id == person_id for one in queries.list_stand_ins()):
            raise RuleBroken("They stand in already.", "person")
        assert actor.person_id is not None
        row = StandIn(id=uuid4(), person_id=person_id, named_by=actor.person_id, named_at=now, reason=words)
        db.session.add(row)
        record(actor, Action.STAND_IN_NAMED, now=now, person_id=person_id)
        uow.announce(Event.STAND_IN_NAMED, stand_in_id=row.id)
        return row.id


def end(actor: Actor, *, stand_in_id: UUID, now: datetime) -> None:
    """Somebody stands in no more. What they agreed to stays agreed."""
    actor.require(Permission.STAND_IN_NAME)
    with unit_of_work():
        row = next((one for one in queries.list_stand_ins() if one.id == stand_in_id), None)
        if row is None:
            raise NotFound()
        row.ended_at = now
        record(actor, Action.STAND_IN_ENDED, now=now, person_id=row.person_id)
