"""What people bring in: comparisons of a school's own policy, and the queue of files of a ZIP."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.domain.joining import Proposal
from trustportal.policies.import_models import ImportBatch, ImportEntry, Joining, JoiningPair
from trustportal.policies.models import ImportReading


@dataclass(frozen=True, slots=True)
class OpenJoining:
    """A comparison that a school has open. `waiting` of its clauses wait for the head, `prepared` of these with a
    suggestion of the trust's office.
    """

    policy_id: UUID
    school_id: UUID
    waiting: int
    prepared: int


def find_open_joining(policy_id: UUID, school_id: UUID, *, lock: bool = False) -> Joining | None:
    """The comparison that a school has open about a policy."""
    statement = select(Joining).where(
        Joining.policy_id == policy_id, Joining.school_id == school_id, Joining.state == "open"
    )
    if lock:
        statement = statement.with_for_update()
    return db.session.scalars(statement).one_or_none()


def list_open_joinings(school_ids: Collection[UUID]) -> list[OpenJoining]:
    """The comparisons that schools have open, with how many clauses wait for the head and how many are prepared."""
    waits = (JoiningPair.proposal != Proposal.NOTHING.value) & JoiningPair.choice.is_(None)
    rows = db.session.execute(
        select(
            Joining.policy_id,
            Joining.school_id,
            func.count(JoiningPair.id).filter(waits),
            func.count(JoiningPair.id).filter(waits & JoiningPair.prepared.is_not(None)),
        )
        .join(
            JoiningPair,
            (JoiningPair.trust_id == Joining.trust_id) & (JoiningPair.joining_id == Joining.id),
        )
        .where(Joining.school_id.in_(school_ids), Joining.state == "open")
        .group_by(Joining.policy_id, Joining.school_id)
    )
    return [OpenJoining(*row) for row in rows]


def get_joining(joining_id: UUID) -> Joining:
    """A comparison by its id. Raises `NotFound`."""
    found = db.session.scalars(select(Joining).where(Joining.id == joining_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def joining_pairs(joining_id: UUID) -> list[JoiningPair]:
    """All rows of a comparison, in order."""
    statement = select(JoiningPair).where(JoiningPair.joining_id == joining_id)
    return list(db.session.scalars(statement.order_by(JoiningPair.position)))


def get_joining_pair(joining_id: UUID, pair_id: UUID, *, lock: bool = False) -> JoiningPair:
    """One row of a comparison. Raises `NotFound`."""
    statement = select(JoiningPair).where(JoiningPair.joining_id == joining_id, JoiningPair.id == pair_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_batches(person_id: UUID | None) -> list[ImportBatch]:
    """The ZIPs that somebody brought, the newest first."""
    statement = select(ImportBatch).where(ImportBatch.person_id == person_id)
    return list(db.session.scalars(statement.order_by(ImportBatch.created_at.desc())))


def get_batch(batch_id: UUID, person_id: UUID | None) -> ImportBatch:
    """A ZIP; only whoever brought it sees it. Raises `NotFound`."""
    found = db.session.scalars(
        select(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.person_id == person_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class QueuedFile:
    """A file of a ZIP as its list shows it; the reading's own words stay in the database."""

    entry: ImportEntry
    reading_id: UUID | None
    corrected: bool
    saved: bool
    title: str
    clauses: int
    doubts: int


def entries_of(batch_id: UUID) -> Sequence[QueuedFile]:
    """The files of a ZIP in its order, with what was read in each."""
    rows = db.session.execute(
        select(
            ImportEntry,
            ImportReading.id,
            ImportReading.row_version,
            ImportReading.used_at,
            ImportReading.reading["title"].astext,
            func.jsonb_array_length(ImportReading.reading["clauses"]),
            func.jsonb_array_length(ImportReading.reading["uncertain"]),
        )
        .join(
            ImportReading,
            (ImportReading.trust_id == ImportEntry.trust_id) & (ImportReading.id == ImportEntry.reading_id),
            isouter=True,
        )
        .where(ImportEntry.batch_id == batch_id)
        .order_by(ImportEntry.position)
    )
    return [
        QueuedFile(
            entry=row[0],
            reading_id=row[1],
            corrected=(row[2] or 1) > 1,
            saved=row[3] is not None,
            title=row[4] or "",
            clauses=row[5] or 0,
            doubts=row[6] or 0,
        )
        for row in rows
    ]


def batch_of(entry: ImportEntry) -> ImportBatch:
    """The ZIP that a file came in."""
    return db.session.scalars(select(ImportBatch).where(ImportBatch.id == entry.batch_id)).one()


def get_entry(entry_id: UUID, *, lock: bool = False, batch_id: UUID | None = None) -> ImportEntry:
    """One file of a ZIP, of a certain one where that is asked. Raises `NotFound`."""
    statement = select(ImportEntry).where(ImportEntry.id == entry_id)
    if batch_id is not None:
        statement = statement.where(ImportEntry.batch_id == batch_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def count_entries(batch_ids: Sequence[UUID]) -> dict[UUID, int]:
    """ZIP -> how many files it holds."""
    rows = db.session.execute(
        select(ImportEntry.batch_id, func.count(ImportEntry.id))
        .where(ImportEntry.batch_id.in_(batch_ids))
        .group_by(ImportEntry.batch_id)
    )
    return {row[0]: row[1] for row in rows}


def find_entry_of(reading_id: UUID) -> ImportEntry | None:
    """The file of a ZIP that a reading came from."""
    return db.session.scalars(select(ImportEntry).where(ImportEntry.reading_id == reading_id)).one_or_none()
