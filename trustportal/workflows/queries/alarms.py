"""Alarms without content."""

from __future__ import annotations

from sqlalchemy import select

from trustportal.db import current_scope, db
from trustportal.workflows.models import Alarm


def find_mine() -> Alarm | None:
    """The oldest alarm that still holds for the person of the scope."""
    scope = current_scope()
    if scope is None or scope.person_id is None:
        return None
    return db.session.scalars(
        select(Alarm)
        .where(Alarm.person_id == scope.person_id, Alarm.cleared_at.is_(None))
        .order_by(Alarm.raised_at)
        .limit(1)
    ).one_or_none()
