"""The daily anchor of a trust's audit trail: kept, told to the trust, stamped by an authority where there is one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from trustportal import mail
from trustportal.acceptance import mail as wording
from trustportal.acceptance import stamping
from trustportal.acceptance.domain.anchors import (
    AGAIN_AFTER,
    Anchored,
    anchor_faults,
    stamp_fault,
    words_of,
)
from trustportal.acceptance.models import AuditAnchor, AuditStamp
from trustportal.access import Role
from trustportal.config import Settings
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound
from trustportal.jobs import Event
from trustportal.kernel_models import AuditEvent, AuditHead, Outbox
from trustportal.tenants import queries as tenants

log = logging.getLogger(__name__)


def anchor(*, on: date, now: datetime, settings: Settings) -> AuditAnchor | None:
    """Keep where the trust's chain stands, once a day; a chain that has not grown since the last anchor needs none.

    The trust's clerk is told (without one its network managers), so that a copy lies outside the portal.
    """
    with unit_of_work() as uow:
        head = db.session.scalars(select(AuditHead)).one_or_none()
        newest = _newest()
        if head is None or (newest is not None and newest.position == head.position):
            _ask_again(settings)
            return None
        made = db.session.execute(
            insert(AuditAnchor)
            .values(
                id=uuid4(),
                trust_id=head.trust_id,
                anchored_on=on,
                position=head.position,
                hash=bytes(head.hash),
                made_at=now,
                wants_stamp=bool(settings.timestamp_url),
            )
            .on_conflict_do_nothing()
            .returning(AuditAnchor.id)
        ).scalar_one_or_none()
        if made is None:
            return None
        row = get_anchor(made)
        message = wording.anchored(on=on, position=row.position, head=bytes(row.hash).hex())
        for person_id in _told(on):
            mail.notify(person_id, subject=message.subject, body=message.body, path=message.path)
        if row.wants_stamp:
            uow.announce(Event.STAMP_WANTED, anchor_id=row.id)
        _ask_again(settings, but=row.id)
    return row


def _newest() -> AuditAnchor | None:
    return db.session.scalars(
        select(AuditAnchor).order_by(AuditAnchor.anchored_on.desc()).limit(1)
    ).one_or_none()


def _told(on: date) -> Sequence[UUID]:
    return tenants.people_with_role(Role.CLERK, on=on) or tenants.people_with_role(
        Role.NETWORK_MANAGER, on=on
    )


def _ask_again(settings: Settings, *, but: UUID | None = None) -> None:
    """Announce the stamps that are pending and that nothing asks for any more: the authority was away, or unset."""
    if not settings.timestamp_url:
        return
    asked = {
        row.payload.get("anchor_id")
        for row in db.session.scalars(
            select(Outbox).where(
                Outbox.event == str(Event.STAMP_WANTED),
                Outbox.done_at.is_(None),
                Outbox.failed_at.is_(None),
            )
        )
    }
    with unit_of_work() as uow:
        for row in pending():
            if row.id != but and str(row.id) not in asked:
                uow.announce(Event.STAMP_WANTED, anchor_id=row.id)


def get_anchor(anchor_id: UUID) -> AuditAnchor:
    """One anchor of the trust."""
    found = db.session.scalars(select(AuditAnchor).where(AuditAnchor.id == anchor_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def pending() -> Sequence[AuditAnchor]:
    """The anchors that are to be stamped and are not yet, the oldest first."""
    return db.session.scalars(
        select(AuditAnchor)
        .where(AuditAnchor.wants_stamp, AuditAnchor.id.not_in(select(AuditStamp.anchor_id)))
        .order_by(AuditAnchor.anchored_on)
    ).all()


def anchored(row: AuditAnchor) -> Anchored:
    """What an anchor says."""
    return Anchored(row.trust_id, row.anchored_on, row.position, bytes(row.hash).hex())


def stamp(*, anchor_id: UUID, now: datetime, settings: Settings) -> bool:
    """Ask the authority for an anchor's stamp. Where it does not answer, or not rightly, the anchor stays pending and
    is asked for again in an hour: no clock of ours takes the authority's place. Returns whether it is stamped.
    """
    with unit_of_work():
        row = get_anchor(anchor_id)
        words = words_of(anchored(row))
        done = db.session.scalars(select(AuditStamp.id).where(AuditStamp.anchor_id == anchor_id)).first()
    if done is not None:
        return True
    if not settings.timestamp_url or settings.timestamp_roots is None:
        return False
    try:
        got = stamping.ask(settings.timestamp_url, settings.timestamp_roots.read_bytes(), words)
    except (stamping.StampingFailed, OSError) as failed:
        log.warning("no time stamp: %s", failed, extra={"anchor_id": str(anchor_id)})
        with unit_of_work() as uow:
            uow.announce(Event.STAMP_WANTED, anchor_id=anchor_id, not_before=now + AGAIN_AFTER)
        return False
    with unit_of_work():
        row = get_anchor(anchor_id)
        db.session.execute(
            insert(AuditStamp)
            .values(
                id=uuid4(),
                trust_id=row.trust_id,
                anchor_id=anchor_id,
                response=got.response,
                stamped_at=got.stamped_at,
                authority=settings.timestamp_url[:300],
            )
            .on_conflict_do_nothing()
        )
    return True


def verify_anchors(settings: Settings) -> Iterator[str]:
    """What of the trust's chain does not fit its anchors, and which stamps do not hold, in words."""
    rows = db.session.scalars(select(AuditAnchor).order_by(AuditAnchor.anchored_on)).all()
    links = {
        position: bytes(digest).hex()
        for position, digest in db.session.execute(
            select(AuditEvent.position, AuditEvent.hash).where(
                AuditEvent.position.in_([one.position for one in rows])
            )
        )
    }
    last = db.session.scalars(
        select(AuditEvent.position).order_by(AuditEvent.position.desc()).limit(1)
    ).first()
    yield from anchor_faults([anchored(one) for one in rows], links, length=last or 0)
    stamps = {one.anchor_id: one for one in db.session.scalars(select(AuditStamp))}
    roots = settings.timestamp_roots.read_bytes() if settings.timestamp_roots is not None else None
    for row in rows:
        held = stamps.get(row.id)
        if held is None:
            continue
        day = row.anchored_on.isoformat()
        if roots is None:
            yield f"The time stamp of {day} cannot be checked: TIMESTAMP_ROOTS names no certificates."
            continue
        try:
            said = stamping.check(held.response, roots, words_of(anchored(row)))
        except stamping.StampingFailed:
            yield f"The time stamp of {day} is not of this anchor, or not of this authority."
            continue
        if said != held.stamped_at:
            yield f"The time stamp of {day} names another time than its row."
        if fault := stamp_fault(row.anchored_on, stamped_at=said, made_at=row.made_at):
            yield fault
