"""Many policies in one ZIP: each file becomes an entry of a queue, read by a job, corrected and saved one by one."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID, uuid4

from trustportal.access import Actor, Permission
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries
from trustportal.policies.import_models import ImportBatch, ImportEntry
from trustportal.policies.importing import files
from trustportal.policies.importing import reading as readings
from trustportal.policies.importing.archives import unpack_archive
from trustportal.policies.importing.reading import ImportRefused
from trustportal.policies.models import ImportReading

WAITING, READ, REFUSED, DROPPED = "waiting", "read", "refused", "dropped"


def bring_archive(actor: Actor, *, content: bytes, filename: str, now: datetime) -> ImportBatch:
    """Unpack a ZIP into a queue; each file is read by a job of its own. Raises `ImportRefused` for what is no ZIP."""
    actor.require(Permission.TEMPLATE_EDIT)
    unpacked = unpack_archive(content, filename)
    with unit_of_work() as uow:
        batch = ImportBatch(id=uuid4(), person_id=actor.person_id, filename=filename[:200], created_at=now)
        db.session.add(batch)
        db.session.flush()
        for position, one in enumerate(unpacked):
            entry = ImportEntry(
                id=uuid4(),
                batch_id=batch.id,
                position=position,
                filename=one.name,
                content=one.content,
                state=WAITING if one.content is not None else REFUSED,
                reason=one.refused,
                changed_at=now,
            )
            db.session.add(entry)
            if one.content is not None:
                uow.announce(Event.IMPORT_WAITS, entry_id=entry.id)
    return batch


def read_entry(*, entry_id: UUID, now: datetime) -> None:
    """Read one file of a ZIP, once. What cannot be read is refused with its reason; the file itself is not kept."""
    with unit_of_work():
        entry = queries.get_entry(entry_id, lock=True)
        if entry.state != WAITING or entry.content is None:
            return
        content, entry.content, entry.changed_at = entry.content, None, now
        try:
            reading = files.read_file(content, entry.filename)
        except ImportRefused as refused:
            entry.state, entry.reason = REFUSED, refused.message
            return
        row = ImportReading(
            id=uuid4(),
            person_id=queries.batch_of(entry).person_id,
            filename=entry.filename,
            source_hash=hashlib.sha256(content).hexdigest(),
            reading=readings.pack(reading),
            created_at=now,
        )
        db.session.add(row)
        db.session.flush()
        entry.state, entry.reading_id = READ, row.id


def drop_entry(actor: Actor, *, batch_id: UUID, entry_id: UUID, now: datetime) -> None:
    """Take a file out of the queue; its reading is kept, and it can be put back."""
    _set(actor, batch_id, entry_id, DROPPED, now)


def put_back(actor: Actor, *, batch_id: UUID, entry_id: UUID, now: datetime) -> None:
    """Put a dropped file back into the queue."""
    _set(actor, batch_id, entry_id, READ, now)


def _set(actor: Actor, batch_id: UUID, entry_id: UUID, state: str, now: datetime) -> None:
    actor.require(Permission.TEMPLATE_EDIT)
    with unit_of_work():
        batch = queries.get_batch(batch_id, actor.person_id)
        entry = queries.get_entry(entry_id, lock=True, batch_id=batch.id)
        if entry.reading_id is None:
            raise RuleBroken("This file was not read, so there is nothing to drop or put back.")
        if queries.get_reading(entry.reading_id, actor.person_id).used_at is not None:
            raise RuleBroken("This file was saved as a draft already.")
        entry.state, entry.changed_at = state, now
