"""Who receives allegations: proposed by one person, approved by a trustee, and only then used.

Nobody approves what they proposed; the table in force stays in force until another is approved.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select

from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.mail import notify
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.workflows import mail as wording
from trustportal.workflows.allegation_models import AllegationRouting
from trustportal.workflows.domain import recipients as domain
from trustportal.workflows.domain.recipients import Table
from trustportal.workflows.queries import people
from trustportal.workflows.queries import recipients as queries

#: Whose approval counts.
_DECIDERS = ("trustee", "chair_of_trust_board", "vice_chair_of_trust_board")


def _me(actor: Actor) -> UUID:
    if actor.person_id is None:
        raise NotFound()
    return actor.person_id


def propose(actor: Actor, *, table: Table, reason: str, now: datetime) -> AllegationRouting:
    """Propose another table. One waits at a time; trustees are asked."""
    actor.require(Permission.ROUTING_PROPOSE)
    with unit_of_work():
        domain.check(table)
        if queries.find_proposed() is not None:
            raise RuleBroken(
                "A table waits for the trustees already. It has to be decided, or taken back, first."
            )
        if not domain.differs(queries.get_table(), table):
            raise RuleBroken("Nothing was changed.")
        words = reason.strip()
        if not words:
            raise RuleBroken("Say why, in a sentence.", "reason")
        for one in table.schools.values():
            if one.legal_head is not None and one.legal_head not in people.roster(day_of(now)).people():
                raise RuleBroken("A legal headteacher is somebody who serves today.")
        row = AllegationRouting(
            id=uuid4(),
            state="proposed",
            content=table.stored(),
            reason=words[:400],
            proposed_by=_me(actor),
            proposed_at=now,
            comment="",
        )
        db.session.add(row)
        message = wording.recipients_proposed(trust_slug=tenants.get_trust().slug)
        asked = {one for role in _DECIDERS for one in tenants.people_with_role(role, on=day_of(now))}  # type: ignore[arg-type]
        for person_id in sorted(asked - {actor.person_id}, key=str):
            notify(person_id, subject=message.subject, body=message.body, path=message.path)
        record(actor, Action.RECIPIENTS_PROPOSED, now=now, routing_id=row.id, reason=row.reason)
    return row


def withdraw(actor: Actor, *, routing_id: UUID, now: datetime) -> None:
    """Take back what one proposed."""
    actor.require(Permission.ROUTING_PROPOSE)
    with unit_of_work():
        row = queries.get_proposed(routing_id)
        if row.proposed_by != _me(actor):
            raise NotFound()
        row.state = "withdrawn"
        record(actor, Action.RECIPIENTS_DECIDED, now=now, routing_id=row.id, decision="withdrawn")


def decide(
    actor: Actor, *, routing_id: UUID, approve: bool, comment: str, now: datetime
) -> AllegationRouting:
    """A trustee approves a table, which counts from this moment for every case; or declines it, with a reason."""
    actor.require(Permission.ROUTING_DECIDE)
    with unit_of_work():
        row = queries.get_proposed(routing_id)
        if row.proposed_by == _me(actor):
            raise RuleBroken("You proposed this yourself: another trustee decides.")
        words = comment.strip()
        if not approve and not words:
            raise RuleBroken("Say what has to be different.", "comment")
        if approve:
            domain.check(Table.read(row.content))
            newest = db.session.scalars(select(func.max(AllegationRouting.number))).one()
            row.number = (newest or 0) + 1
        row.state = "approved" if approve else "declined"
        row.comment, row.decided_by, row.decided_at = words[:400], _me(actor), now
        record(actor, Action.RECIPIENTS_DECIDED, now=now, routing_id=row.id, decision=row.state)
    return row
