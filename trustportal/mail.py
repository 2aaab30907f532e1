"""Outgoing mail. Notices to one person are gathered into one mail; a mail is *sending* before and *sent* after.

A mail goes out at least once: when a worker dies between the two, it is sent again with the same Message-ID.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

from flask import current_app, render_template
from sqlalchemy import select, text

from trustportal.config import Settings
from trustportal.db import current_scope, current_unit, db, unit_of_work
from trustportal.errors import NotFound
from trustportal.jobs import Event, job
from trustportal.kernel_models import DemonstrationMail, Mail, Notice
from trustportal.times import now

if TYPE_CHECKING:
    from datetime import datetime


def notify(
    person_id: UUID,
    *,
    subject: str,
    body: str,
    path: str,
    school_id: UUID | None = None,
    not_before: datetime | None = None,
) -> None:
    """Tell a person something, in the open unit of work. Several notices to one person become one mail.

    `path` is an address of the portal, beginning with `/`. Nothing confidential belongs in any of the words.
    """
    made = notice(person_id, subject=subject, body=body, path=path, school_id=school_id)
    db.session.add(Notice(**made))
    current_unit().announce(
        Event.NOTICE_WRITTEN, person_id=person_id, not_before=not_before or gathered_at(made["created_at"])
    )


def notice(
    person_id: UUID, *, subject: str, body: str, path: str, school_id: UUID | None = None
) -> dict[str, Any]:
    """The row of a notice, for `notify`, and for whoever writes it with their own rows in one statement."""
    return {
        "id": uuid4(),
        "school_id": school_id,
        "person_id": person_id,
        "subject": subject,
        "body": body,
        "path": path,
        "created_at": now(),
    }


def withdraw(person_id: UUID, *, path: str) -> None:
    """Take back what a person was to be told about an address and has not been yet, in the open unit of work.

    For jobs, and for whoever takes part in the case that the address is of: the web cannot read what others are told,
    so a function of the database does it.
    """
    value = current_scope()
    assert value is not None
    db.session.flush()
    db.session.execute(
        text("SELECT withdraw_notices(CAST(:trust AS uuid), CAST(:person AS uuid), :path)"),
        {"trust": str(value.trust_id), "person": str(person_id), "path": path},
        execution_options={"unscoped_because": "the function checks the trust, and who may take back what"},
    )


def gathered_at(created: datetime) -> datetime:
    """When a notice goes out that was written at an instant: others to the same person may join it until then."""
    settings: Settings = current_app.config["PORTAL"]
    return created + timedelta(seconds=settings.mail_batch_seconds)


def queue_mail(
    *,
    to_address: str,
    to_name: str,
    subject: str,
    lines: Sequence[dict[str, str]],
    person_id: UUID | None = None,
) -> UUID:
    """Queue one mail of its own (an invitation, a reset). `lines`: [{"text": …, "path": …, "link": …}]."""
    unit = current_unit()
    settings: Settings = current_app.config["PORTAL"]
    domain = parseaddr(settings.mail_from)[1].partition("@")[2] or "trustportal.example"
    mail = Mail(
        id=uuid4(),
        person_id=person_id,
        to_address=to_address,
        to_name=to_name,
        subject=subject,
        body={"lines": [{"path": "", "link": "", **line} for line in lines]},
        message_id="",
        state="queued",
        created_at=now(),
    )
    mail.message_id = f"<{mail.id}@{domain}>"
    db.session.add(mail)
    unit.announce(Event.MAIL_QUEUED, mail_id=mail.id)
    return mail.id


@job("mail", on=Event.MAIL_QUEUED, outside=True)
def send_mail(*, mail_id: str) -> None:
    """Send one mail over SMTP. Without an SMTP server it stays in the mailbox, marked as sent there."""
    settings: Settings = current_app.config["PORTAL"]
    with unit_of_work():
        mail = db.session.scalars(
            select(Mail).where(Mail.id == UUID(mail_id)).with_for_update()
        ).one_or_none()
        if mail is None:
            raise NotFound()
        if mail.state in {"sent", "held", "withdrawn"}:
            return
        mail.state = "sending"
        message = compose(mail, settings)
    if settings.smtp_url:
        deliver(message, settings.smtp_url)
    with unit_of_work():
        mail = db.session.scalars(select(Mail).where(Mail.id == UUID(mail_id)).with_for_update()).one()
        first = mail.state != "sent"
        mail.state, mail.sent_at = "sent", now()
        if settings.demo and first:
            db.session.add(_shown(mail))
        if settings.smtp_url and not settings.demo:
            # It may hold a one-time link, which nobody who reads the database should find.
            mail.body = {"lines": []}


def _shown(mail: Mail) -> DemonstrationMail:
    return DemonstrationMail(
        id=uuid4(),
        mail_id=mail.id,
        to_address=mail.to_address,
        to_name=mail.to_name,
        subject=mail.subject,
        lines=mail.body["lines"],
        created_at=mail.created_at,
    )


def compose(mail: Mail, settings: Settings) -> EmailMessage:
    """The message of a mail row, plain text and HTML."""
    message = EmailMessage()
    sender_name, sender = parseaddr(settings.mail_from)
    user, _, domain = mail.to_address.partition("@")
    message["From"] = Address(sender_name, addr_spec=sender)
    message["To"] = Address(mail.to_name, user, domain)
    message["Subject"] = mail.subject
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(mail.created_at)
    message["Auto-Submitted"] = "auto-generated"
    context = {"mail": mail, "lines": mail.body["lines"], "base": settings.public_url}
    message.set_content(render_template("mail/message.txt", **context))
    message.add_alternative(render_template("mail/message.html", **context), subtype="html")
    return message


@cache
def _trusted() -> ssl.SSLContext:
    """The machine's certificate authorities: reading them takes longer than sending a mail."""
    return ssl.create_default_context()


def deliver(message: EmailMessage, smtp_url: str) -> None:
    """Hand a message to the SMTP server; raises smtplib.SMTPException or OSError when it does not take it."""
    parts = urlsplit(smtp_url)
    secure = parts.scheme == "smtps"
    host, port = parts.hostname or "localhost", parts.port or (465 if secure else 25)
    client: smtplib.SMTP = (
        smtplib.SMTP_SSL(host, port, timeout=20, context=_trusted())
        if secure
        else smtplib.SMTP(host, port, timeout=20)
    )
    with client:
        client.ehlo()
        if not secure and client.has_extn("starttls"):
            client.starttls(context=_trusted())
            client.ehlo()
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        client.send_message(message)
