"""Archives, who was asked about them, and their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from trustportal.access import Actor
from trustportal.archives.domain import SEATS, Seat
from trustportal.archives.models import Archive, ArchiveConsent, ArchiveFile, ArchivePiece
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.packing import Member


def get_archive(archive_id: UUID, *, lock: bool = False) -> Archive:
    """An archive by its id; with `lock`, so that nobody else changes it meanwhile."""
    statement = select(Archive).where(Archive.id == archive_id)
    found = db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_archives() -> Sequence[Archive]:
    """What was asked for, newest first."""
    return db.session.scalars(select(Archive).order_by(Archive.asked_at.desc()).limit(50)).all()


def find_in_state(*states: str) -> Archive | None:
    """One of the archives in some states, if there is any."""
    return db.session.scalars(select(Archive).where(Archive.state.in_(states)).limit(1)).one_or_none()


def list_in_state(*states: str) -> Sequence[Archive]:
    """Archives in some states, locked; for the job of each day."""
    return db.session.scalars(
        select(Archive).where(Archive.state.in_(states)).order_by(Archive.id).with_for_update()
    ).all()


def list_consents(archive_id: UUID) -> Sequence[ArchiveConsent]:
    """What the two were asked and answered, as far as the scope may see: jobs both, a person their own."""
    return db.session.scalars(
        select(ArchiveConsent).where(ArchiveConsent.archive_id == archive_id).order_by(ArchiveConsent.seat)
    ).all()


def find_consent(archive_id: UUID, person_id: UUID | None, *, lock: bool = False) -> ArchiveConsent | None:
    """What somebody was asked about an archive."""
    statement = select(ArchiveConsent).where(
        ArchiveConsent.archive_id == archive_id, ArchiveConsent.person_id == person_id
    )
    return db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def list_asked(actor: Actor) -> Sequence[tuple[Archive, ArchiveConsent]]:
    """What somebody was asked to agree to in a post that they still hold, newest first."""
    rows = db.session.execute(
        select(Archive, ArchiveConsent)
        .join(ArchiveConsent, ArchiveConsent.archive_id == Archive.id)
        .where(ArchiveConsent.person_id == actor.person_id)
        .order_by(Archive.asked_at.desc())
        .limit(50)
    )
    return [(archive, consent) for archive, consent in rows if SEATS[Seat(consent.seat)] in actor.trust_roles]


def members_of(archive_id: UUID) -> list[Member]:
    """The files that are in it so far, in the order in which they stand there."""
    rows = db.session.execute(
        select(
            ArchiveFile.name,
            ArchiveFile.sha256,
            ArchiveFile.size,
            ArchiveFile.packed,
            ArchiveFile.crc,
            ArchiveFile.method,
            ArchiveFile.starts_at,
        )
        .where(ArchiveFile.archive_id == archive_id)
        .order_by(ArchiveFile.starts_at)
    )
    return [Member(*row) for row in rows]


def written(archive_id: UUID) -> tuple[int, int]:
    """How many pieces there are, and how many bytes they hold."""
    pieces, size = db.session.execute(
        select(func.count(ArchivePiece.id), func.coalesce(func.sum(ArchivePiece.size), 0)).where(
            ArchivePiece.archive_id == archive_id
        )
    ).one()
    return int(pieces), int(size)


def get_sealed(archive_id: UUID, number: int) -> bytes:
    """The sealed bytes of one piece."""
    found = db.session.scalars(
        select(ArchivePiece)
        .where(ArchivePiece.archive_id == archive_id, ArchivePiece.number == number)
        .options(undefer(ArchivePiece.sealed))
    ).one_or_none()
    if found is None:
        raise NotFound()
    sealed = bytes(found.sealed)
    db.session.expunge(found)
    return sealed
