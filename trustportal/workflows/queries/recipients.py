"""Who receives allegations, as the trust decided, and what waits for a decision about it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.workflows.allegation_models import AllegationRouting
from trustportal.workflows.domain.recipients import Table


def find_approved() -> AllegationRouting | None:
    """The table that counts; None: it is as it comes with the portal."""
    return db.session.scalars(
        select(AllegationRouting)
        .where(AllegationRouting.state == "approved")
        .order_by(AllegationRouting.number.desc())
        .limit(1)
    ).one_or_none()


def get_table() -> Table:
    """The table that counts."""
    found = find_approved()
    return Table.read(found.content if found else None)


def find_proposed(*, lock: bool = False) -> AllegationRouting | None:
    """What waits for a trustee."""
    statement = select(AllegationRouting).where(AllegationRouting.state == "proposed")
    return db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def get_proposed(routing_id: UUID) -> AllegationRouting:
    """The one that was shown to whoever decides. Decided already: `NotFound`."""
    found = find_proposed(lock=True)
    if found is None or found.id != routing_id:
        raise NotFound()
    return found


def list_decided() -> list[AllegationRouting]:
    """What was proposed and decided, newest first."""
    return list(
        db.session.scalars(
            select(AllegationRouting)
            .where(AllegationRouting.state != "proposed")
            .order_by(AllegationRouting.proposed_at.desc())
            .limit(20)
        )
    )
