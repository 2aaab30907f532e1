"""Doors for workers. Each calls one service; each may run twice without harm."""

from __future__ import annotations

from uuid import UUID

from trustportal.archives.services import asking, making
from trustportal.jobs import Event, job
from trustportal.times import now


@job("default", on=Event.ARCHIVE_ASKED)
def ask_two(*, archive_id: str) -> None:
    """Ask the two who have to agree."""
    asking.ask_two(archive_id=UUID(archive_id), now=now())


@job("default", on=Event.ARCHIVE_ANSWERED)
def follow_answer(*, archive_id: str) -> None:
    """One refusal ends it, the second agreement begins it."""
    asking.follow(archive_id=UUID(archive_id), now=now())


@job("documents", on=Event.ARCHIVE_STEP)
def archive_step(*, archive_id: str, after: str) -> None:
    """Some more of an archive."""
    making.step(archive_id=UUID(archive_id), after=after, now=now())


@job("default", on=Event.DAY_BEGAN)
def sweep_archives(*, slot: str) -> None:
    """Remove what was kept long enough, end what was not decided in time."""
    making.sweep(now=now())
