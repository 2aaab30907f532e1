"""Making an archive in steps, each a job: on disk while it is written, then sealed and in pieces in the database.

A step ends after some megabytes, so that none outlives its lease. The row says how many chapters are done; where a
chapter goes on stands in the job alone, since it can be the id of a case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete

from trustportal import audit
from trustportal.access import Actor
from trustportal.archives import mail as wording
from trustportal.archives import queries
from trustportal.archives.chapters import chapters
from trustportal.archives.cover import cover
from trustportal.archives.domain import KEPT, KEPT_WITH_CASES
from trustportal.archives.models import Archive, ArchiveFile, ArchivePiece
from trustportal.archives.sealing import ArchiveSeal
from trustportal.archives.services.asking import end, still_agreed
from trustportal.archives.writing import Wanted
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.packing import Member, Steps
from trustportal.tenants import queries as tenants

#: A step ends after this many bytes, or this many calls of chapters.
STEP_BYTES, STEP_CALLS = 8 << 20, 20
#: How long it may take.
GIVEN_UP = timedelta(days=1)
#: How many bytes lie in one row.
PIECE = 1 << 20


def step(*, archive_id: UUID, after: str, now: datetime) -> None:
    """Write some more of an archive; the last step adds the cover, the manifest and the directory."""
    with unit_of_work() as uow:
        archive = queries.get_archive(archive_id, lock=True)
        if archive.state != "making":
            return
        agreed_by = still_agreed(archive, now) if archive.with_cases else frozenset()
        if archive.with_cases and not agreed_by:
            _forget(archive_id)
            end(archive, "lapsed", now=now)
            return
        wanted = Wanted(archive_id, archive.school_id, agreed_by, now)
        plan = chapters(with_cases=archive.with_cases)
        pieces, base = queries.written(archive_id)
        with Steps(base) as out:
            for _ in range(STEP_CALLS):
                after = plan[archive.done](wanted, after, out)
                if not after:
                    archive.done += 1
                if archive.done == len(plan) or out.size >= STEP_BYTES:
                    break
            earlier = queries.members_of(archive_id) if archive.done == len(plan) else []
            if archive.done == len(plan):
                cover(archive, [*earlier, *out.members], out, now=now)
                out.finish(earlier)
        _keep(archive, out, pieces)
        if archive.done < len(plan):
            uow.announce(Event.ARCHIVE_STEP, archive_id=archive_id, after=after)
            return
        archive.state, archive.finished_at = "ready", now
        archive.expires_at = now + (KEPT_WITH_CASES if archive.with_cases else KEPT)
        db.session.flush()
        audit.record(
            Actor.portal(archive.trust_id),
            Action.ARCHIVE_MADE,
            now=now,
            archive_id=archive_id,
            school_id=archive.school_id,
            expires_at=archive.expires_at,
        )
        _tell(archive)


def _keep(archive: Archive, out: Steps, pieces: int) -> None:
    """Seal what a step wrote, a piece at a time, for whoever collects it."""
    assert archive.collector_id is not None
    seal = ArchiveSeal(archive.trust_id, archive.id)
    of = {"archive_id": archive.id, "person_id": archive.collector_id}
    for number, content in enumerate(out.pieces(PIECE), start=pieces):
        sealed = seal.close(content, number)
        row = ArchivePiece(id=uuid4(), **of, number=number, size=len(content), sealed=sealed)
        db.session.add(row)
        db.session.flush()
        db.session.expunge(row)
    db.session.add_all(ArchiveFile(id=uuid4(), **of, **_said(member)) for member in out.members)
    db.session.flush()


def _said(member: Member) -> dict[str, str | int]:
    return {
        "name": member.name,
        "sha256": member.sha256,
        "size": member.size,
        "packed": member.packed,
        "crc": member.crc,
        "method": member.method,
        "starts_at": member.starts_at,
    }


def _tell(archive: Archive) -> None:
    slug = tenants.get_trust().slug
    people: Sequence[UUID | None] = (archive.collector_id,)
    if archive.with_cases:
        message = wording.agreed(trust_slug=slug, archive_id=archive.id)
        notify(archive.asked_by, subject=message.subject, body=message.body, path=message.path)
    for person_id in people:
        assert person_id is not None
        message = wording.ready(
            trust_slug=slug,
            archive_id=archive.id,
            until=archive.expires_at,
            with_cases=archive.with_cases,
        )
        notify(person_id, subject=message.subject, body=message.body, path=message.path)


def _forget(archive_id: UUID) -> None:
    """Remove what was written of an archive."""
    for model in (ArchivePiece, ArchiveFile):
        db.session.execute(
            delete(model).where(model.archive_id == archive_id).execution_options(synchronize_session=False)
        )


def remove(archive: Archive, because: str, *, by: Actor, now: datetime) -> None:
    """Remove the bytes of an archive in the open unit of work; that there was one stays."""
    _forget(archive.id)
    archive.state, archive.ended_at = "removed", now
    db.session.flush()
    audit.record(
        by,
        Action.ARCHIVE_REMOVED,
        now=now,
        archive_id=archive.id,
        school_id=archive.school_id,
        because=because,
    )


def sweep(*, now: datetime) -> None:
    """The job of each day: what was not decided in time lapses, what was kept long enough goes, and what could not
    be made within a day of its last word is given up, so that another can be asked for.
    """
    with unit_of_work():
        for archive in queries.list_in_state("waiting", "making", "ready"):
            begun = max(
                (one.answered_at or now for one in queries.list_consents(archive.id)),
                default=archive.asked_at,
            )
            if archive.state == "making" and begun + GIVEN_UP <= now:
                _forget(archive.id)
                end(archive, "failed", now=now)
            elif archive.state == "waiting" and archive.decide_until <= now:
                end(archive, "lapsed", now=now)
            elif archive.expires_at is not None and archive.expires_at <= now:
                remove(archive, "expired", by=Actor.portal(archive.trust_id), now=now)
