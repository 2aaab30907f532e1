"""Taking an archive, by the one person for whom it was made; each time is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.archives import queries
from trustportal.archives.domain import SEATS, Seat
from trustportal.archives.models import Archive
from trustportal.archives.sealing import ArchiveSeal
from trustportal.archives.services import making
from trustportal.audit import Action
from trustportal.db import unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.packing import slug
from trustportal.tenants import queries as tenants
from trustportal.times import day_of


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that may be taken: its name, its size in bytes, and how many pieces `read_piece` gives."""

    name: str
    size: int
    pieces: int


def collected_by(actor: Actor, archive_id: UUID, *, lock: bool = False) -> Archive:
    """An archive that somebody may take: made for them, and they still hold the post for which it was. Else missing."""
    archive = queries.get_archive(archive_id, lock=lock)
    # The chair of the trust board may agree too, and collects nothing, whatever post they held before.
    holds = SEATS[Seat.DPO] in actor.trust_roles if archive.with_cases else actor.can(Permission.ARCHIVE_ASK)
    if archive.collector_id is None or archive.collector_id != actor.person_id or not holds:
        raise NotFound()
    return archive


def take(actor: Actor, *, archive_id: UUID, now: datetime) -> Taken:
    """Take an archive, which is then read piece by piece: none is ever whole in memory."""
    with unit_of_work():
        archive = collected_by(actor, archive_id)
        if archive.state != "ready" or archive.expires_at is None or archive.expires_at <= now:
            raise RuleBroken("This archive is not there any more.")
        pieces, size = queries.written(archive_id)
        place = tenants.get_school(archive.school_id).slug if archive.school_id else tenants.get_trust().slug
        audit.record(actor, Action.ARCHIVE_TAKEN, now=now, archive_id=archive_id, school_id=archive.school_id)
    return Taken(f"{slug(place)}-{day_of(archive.asked_at).isoformat()}.zip", size, pieces)


def read_piece(actor: Actor, *, archive_id: UUID, number: int) -> bytes:
    """One piece of an archive that `take` let somebody have, opened; in the scope of that person, who alone sees it."""
    return ArchiveSeal(actor.trust_id, archive_id).open(queries.get_sealed(archive_id, number), number)


def discard(actor: Actor, *, archive_id: UUID, now: datetime) -> None:
    """Have an archive removed before its time, once it was taken."""
    with unit_of_work():
        archive = collected_by(actor, archive_id, lock=True)
        if archive.state != "ready":
            raise RuleBroken("This archive is not there any more.")
        making.remove(archive, "discarded", by=actor, now=now)
