"""Declaring a tie: whoever has one with somebody never decides about them. Only jobs and whoever declared it see it,
unless they want it to stand in the register of interests too.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from trustportal.access import Actor
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.times import day_of
from trustportal.workflows.meeting_models import InterestEntry
from trustportal.workflows.models import Tie
from trustportal.workflows.queries import ties as queries

#: What a tie can be, as people choose it.
KINDS = {
    "related": "We are related, a couple, close friends, or do business with each other",
    "leads": "I lead them, beyond what our posts say",
    "led": "They lead me, beyond what our posts say",
}


def declare(
    actor: Actor,
    *,
    other_id: UUID | None,
    kind: str,
    in_register: bool,
    words: str,
    now: datetime,
) -> UUID:
    """Declare a tie. Cases that are open are given out again, so that it holds from now on."""
    if actor.person_id is None:
        raise NotFound()
    if kind not in KINDS:
        raise RuleBroken("Choose what joins you.", "kind")
    said = " ".join(words.split())
    if in_register and not said:
        raise RuleBroken("Say in a few words what the register should say.", "words")
    if len(said) > 400:
        raise RuleBroken("This can have up to 400 characters.", "words")
    with unit_of_work() as uow:
        if other_id is None or other_id not in queries.nameable(day_of(now)):
            raise RuleBroken("Choose who it is.", "other")
        if any(
            one.row.other_id == other_id and one.row.kind == kind and one.row.ended_at is None
            for one in queries.list_mine()
        ):
            raise RuleBroken("You have declared this already.", "other")
        row = Tie(id=uuid4(), person_id=actor.person_id, other_id=other_id, kind=kind, declared_at=now)
        db.session.add(row)
        if in_register:
            db.session.add(
                InterestEntry(
                    id=uuid4(),
                    person_id=actor.person_id,
                    other_id=other_id,
                    tie_id=row.id,
                    words=said,
                    declared_on=day_of(now),
                )
            )
        record(actor, Action.TIE_DECLARED, now=now)
        uow.announce(Event.TIE_CHANGED, tie_id=row.id)
        return row.id


def end(actor: Actor, *, tie_id: UUID, now: datetime) -> None:
    """A tie holds no more. What was decided while it held stays as it is."""
    with unit_of_work() as uow:
        row = queries.get_mine(tie_id)
        if row.ended_at is not None:
            raise RuleBroken("This has ended already.")
        row.ended_at = now
        entry = queries.find_entry(tie_id)
        if entry is not None:
            entry.ended_on = day_of(now)
        record(actor, Action.TIE_ENDED, now=now)
        uow.announce(Event.TIE_CHANGED, tie_id=row.id)
