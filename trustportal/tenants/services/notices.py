"""Telling people: whatever waits for one person becomes one mail."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from trustportal.db import db, unit_of_work
from trustportal.kernel_models import Notice
from trustportal.mail import queue_mail
from trustportal.tenants import queries


def send_notices(*, person_id: UUID) -> UUID | None:
    """Put all that waits for a person into one mail. None where nothing waits, or the person has no address.

    Each notice announces this once; the first to run takes them all, so that a busy minute is one mail.
    """
    with unit_of_work():
        waiting = db.session.scalars(
            select(Notice)
            .where(Notice.person_id == person_id, Notice.mail_id.is_(None))
            .order_by(Notice.created_at)
            .with_for_update()
        ).all()
        person = queries.get_person(person_id)
        if not waiting or person.email is None:
            return None
        subject = waiting[0].subject if len(waiting) == 1 else f"TrustPortal: {len(waiting)} things for you"
        mail_id = queue_mail(
            to_address=person.email,
            to_name=person.name,
            subject=subject,
            lines=[{"text": one.body, "path": one.path} for one in waiting],
            person_id=person_id,
        )
        db.session.flush()
        for notice in waiting:
            notice.mail_id = mail_id
    return mail_id
