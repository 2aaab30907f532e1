"""Thin doors for workers."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from trustportal.jobs import Event, job
from trustportal.tenants.services import accounts, notices
from trustportal.times import now


@job("default", on=Event.DAY_BEGAN)
def end_sessions_of_leavers(*, slot: str) -> None:
    """Sign out whose last role ended yesterday; `slot` is the day."""
    accounts.begin_day(day=date.fromisoformat(slot), now=now())


@job("mail", on=Event.NOTICE_WRITTEN)
def send_notices(*, person_id: str) -> None:
    """Gather what a person is to be told into one mail."""
    notices.send_notices(person_id=UUID(person_id))
