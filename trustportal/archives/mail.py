"""What people are told about archives: never a word of what is in one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from trustportal.words import day


@dataclass(frozen=True, slots=True)
class Message:
    """One notice."""

    subject: str
    body: str
    path: str


def _decisions(trust_slug: str) -> str:
    return f"/t/{trust_slug}/archives"


def _own(trust_slug: str, archive_id: UUID) -> str:
    return f"/t/{trust_slug}/settings/archives/{archive_id}"


def asked(*, trust_slug: str, until: datetime) -> Message:
    """To each of the two."""
    return Message(
        "Please decide about an archive with case records",
        "Somebody asks for an archive of the trust’s data with the records of cases. It is made only if you and one"
        f" other person agree. Please decide by {day(until)}.",
        _decisions(trust_slug),
    )


_ENDED = {
    "refused": "The archive with case records that you asked for was refused. It is not made. You can ask for one"
    " without case records.",
    "lapsed": "The archive with case records that you asked for is not made: nobody agreed in time, or a post changed"
    " hands. You can ask for it again.",
    "failed": "The archive that you asked for could not be made. Please tell whoever runs the portal for you; then ask"
    " for it again.",
}


def ended(*, trust_slug: str, archive_id: UUID, state: str) -> Message:
    """To whoever asked."""
    return Message("Your archive is not made", _ENDED[state], _own(trust_slug, archive_id))


def agreed(*, trust_slug: str, archive_id: UUID) -> Message:
    """To whoever asked for one with cases: somebody else collects it."""
    return Message(
        "The archive that you asked for was made",
        "Both people agreed, and the archive was made. The data protection officer collects it.",
        _own(trust_slug, archive_id),
    )


def ready(*, trust_slug: str, archive_id: UUID, until: datetime | None, with_cases: bool) -> Message:
    """To whoever collects it."""
    return Message(
        "An archive is ready",
        f"The archive is ready to be taken until {day(until)}. Then it is removed.",
        _decisions(trust_slug) if with_cases else _own(trust_slug, archive_id),
    )
