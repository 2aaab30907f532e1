"""The daily anchors of the cases' chains: kept, told to the operator alone, stamped, and compared with the chains."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from trustportal import mail
from trustportal.acceptance import stamping
from trustportal.acceptance.domain.anchors import (
    AGAIN_AFTER,
    Anchored,
    anchor_faults,
    stamp_fault,
    words_of_many,
)
from trustportal.config import Settings
from trustportal.db import current_scope, db, unit_of_work
from trustportal.jobs import Event
from trustportal.workflows.models import CaseAnchor, CaseEvent, CaseHead, CaseStamp

log = logging.getLogger(__name__)


def anchor(*, on: date, now: datetime) -> int:
    """Keep where each case's chain stands, if it has grown since its last anchor. Returns how many were kept.

    A day that is stamped is closed: a row more would belie its stamp.
    """
    with unit_of_work():
        if db.session.scalars(select(CaseStamp).where(CaseStamp.anchored_on >= on).limit(1)).first():
            return 0
        rows = db.session.execute(
            select(CaseAnchor.case_id, func.max(CaseAnchor.position)).group_by(CaseAnchor.case_id)
        )
        last = {row[0]: row[1] for row in rows}
        heads = [
            one
            for one in db.session.scalars(select(CaseHead).order_by(CaseHead.case_id))
            if one.position != last.get(one.case_id)
        ]
        if heads:
            db.session.execute(
                insert(CaseAnchor)
                .values(
                    [
                        {
                            "trust_id": one.trust_id,
                            "case_id": one.case_id,
                            "anchored_on": on,
                            "position": one.position,
                            "hash": bytes(one.hash),
                            "made_at": now,
                        }
                        for one in heads
                    ]
                )
                .on_conflict_do_nothing()
            )
    return len(heads)


def tell_operator(*, on: date, now: datetime, settings: Settings) -> bool:
    """Mail the anchors of a day to whoever runs the installation. Not by the table of mails, which belongs to the
    trust: it goes straight to the mail server. Returns whether it went.
    """
    scope = current_scope()
    assert scope is not None
    if not settings.operator_email or not settings.smtp_url:
        return False
    with unit_of_work():
        lines = [
            f"{one.case_id} {one.position} {bytes(one.hash).hex()}"
            for one in db.session.scalars(
                select(CaseAnchor).where(CaseAnchor.anchored_on == on).order_by(CaseAnchor.case_id)
            )
        ]
    if not lines:
        return False
    message = EmailMessage()
    message["From"], message["To"] = settings.mail_from, settings.operator_email
    message["Subject"] = f"Anchors of {on.isoformat()}, trust {scope.trust_id}"
    message["Date"] = format_datetime(now)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        "Keep this outside the portal: number, length and fingerprint of each chain that has grown.\n\n"
        + "\n".join(lines)
        + "\n"
    )
    mail.deliver(message, settings.smtp_url)
    return True


def stamp(*, on: date, now: datetime, settings: Settings) -> bool:
    """Have the authority stamp the anchors up to a day, those of all cases at once. Where it does not answer, or not
    rightly, it is asked again in an hour. Returns whether they are stamped, or there is nothing to stamp.
    """
    with unit_of_work():
        wanted = _unstamped(on)
    if wanted is None:
        return True
    if not settings.timestamp_url or settings.timestamp_roots is None:
        return False
    day, words = wanted
    try:
        got = stamping.ask(settings.timestamp_url, settings.timestamp_roots.read_bytes(), words)
    except (stamping.StampingFailed, OSError) as failed:
        log.warning("no time stamp: %s", failed)
        with unit_of_work() as uow:
            uow.announce(Event.CASES_STAMP_WANTED, day=on.isoformat(), not_before=now + AGAIN_AFTER)
        return False
    with unit_of_work():
        db.session.execute(
            insert(CaseStamp)
            .values(
                trust_id=_trust_id(),
                anchored_on=day,
                response=got.response,
                stamped_at=got.stamped_at,
                authority=settings.timestamp_url[:300],
            )
            .on_conflict_do_nothing()
        )
    return True


def _unstamped(on: date) -> tuple[date, bytes] | None:
    """The last day up to `on` with anchors that no stamp covers, and what is to be stamped; None: all are covered."""
    words = _words(on)
    covered = db.session.scalars(select(func.max(CaseStamp.anchored_on))).one()
    last = max(words, default=None)
    if last is None or (covered is not None and covered >= last):
        return None
    return last, words[last]


def pending(on: date) -> date | None:
    """The last day up to `on` whose anchors are still to be stamped."""
    wanted = _unstamped(on)
    return wanted[0] if wanted else None


def _words(on: date) -> Mapping[date, bytes]:
    return words_of_many(
        _trust_id(),
        (
            (str(one.case_id), _anchored(one))
            for one in db.session.scalars(select(CaseAnchor).where(CaseAnchor.anchored_on <= on))
        ),
    )


def _trust_id() -> UUID:
    scope = current_scope()
    assert scope is not None
    return scope.trust_id


def _anchored(one: CaseAnchor) -> Anchored:
    return Anchored(one.trust_id, one.anchored_on, one.position, bytes(one.hash).hex())


def verify_stamps(settings: Settings) -> Iterator[str]:
    """Which stamps of the cases' anchors do not hold any more, in words."""
    stamps = db.session.scalars(select(CaseStamp).order_by(CaseStamp.anchored_on)).all()
    if not stamps:
        return
    if settings.timestamp_roots is None:
        yield "The time stamps cannot be checked: TIMESTAMP_ROOTS names no certificates."
        return
    roots = settings.timestamp_roots.read_bytes()
    words = _words(stamps[-1].anchored_on)
    made = {
        row[0]: row[1]
        for row in db.session.execute(
            select(CaseAnchor.anchored_on, func.max(CaseAnchor.made_at)).group_by(CaseAnchor.anchored_on)
        )
    }
    for one in stamps:
        day = one.anchored_on.isoformat()
        if one.anchored_on not in words:
            yield f"The anchors of {day} are missing, of which there is a time stamp."
            continue
        try:
            said = stamping.check(one.response, roots, words[one.anchored_on])
        except stamping.StampingFailed:
            yield (
                f"The time stamp of {day} is not of these anchors, or not of this authority: an anchor of that day or "
                "an earlier one was altered, added or taken out."
            )
            continue
        if said != one.stamped_at:
            yield f"The time stamp of {day} names another time than its row."
        if fault := stamp_fault(one.anchored_on, stamped_at=said, made_at=made[one.anchored_on]):
            yield fault


def verify_anchors() -> Iterator[tuple[UUID, str]]:
    """What of the cases' chains does not fit their anchors: (case, words)."""
    anchors: dict[UUID, list[Anchored]] = defaultdict(list)
    for one in db.session.scalars(select(CaseAnchor)):
        anchors[one.case_id].append(_anchored(one))
    links: dict[UUID, dict[int, str]] = defaultdict(dict)
    rows = db.session.execute(
        select(CaseEvent.case_id, CaseEvent.position, CaseEvent.hash).where(
            CaseEvent.case_id.in_(list(anchors))
        )
    )
    for case_id, position, digest in rows:
        links[case_id][position] = bytes(digest).hex()
    for case_id in sorted(anchors):
        length = max(links[case_id], default=0)
        for fault in anchor_faults(anchors[case_id], links[case_id], length=length):
            yield case_id, fault
