"""The daily anchors of the cases' chains: kept, told to the operator alone, and compared with the chains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from trustportal import mail
from trustportal.acceptance.domain.anchors import Anchored, anchor_faults
from trustportal.config import Settings
from trustportal.db import current_scope, db, unit_of_work
from trustportal.workflows.models import CaseAnchor, CaseEvent, CaseHead


def anchor(*, on: date, now: datetime) -> int:
    """Keep where each case's chain stands, if it has grown since its last anchor. Returns how many were kept."""
    with unit_of_work():
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


def verify_anchors() -> Iterator[tuple[UUID, str]]:
    """What of the cases' chains does not fit their anchors: (case, words)."""
    anchors: dict[UUID, list[Anchored]] = defaultdict(list)
    for one in db.session.scalars(select(CaseAnchor)):
        anchors[one.case_id].append(
            Anchored(one.trust_id, one.anchored_on, one.position, bytes(one.hash).hex())
        )
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
