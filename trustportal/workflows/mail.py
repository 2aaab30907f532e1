"""What people are told about cases and accounts: subject, body and path of notices. Sends nothing, loads nothing.

Of a case about somebody's conduct a mail says nothing but that something waits; the page says what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from trustportal.words import day, listed


@dataclass(frozen=True, slots=True)
class Message:
    """One notice."""

    subject: str
    body: str
    path: str


def case_path(trust_slug: str, case_id: UUID) -> str:
    """The address of a case."""
    return f"/t/{trust_slug}/cases/{case_id}"


def asked(
    *, trust_slug: str, case_id: UUID, workflow: str, step: str, due: date | None, quiet: bool
) -> Message:
    """Somebody has a task in a case."""
    if quiet:
        return Message(
            "A confidential item needs your attention",
            "A confidential item needs your attention in TrustPortal.",
            case_path(trust_slug, case_id),
        )
    by = f" Please do so by {day(due)}." if due else ""
    return Message(
        f"{workflow}: it is your turn",
        f"{workflow}. {step}: this is yours.{by}",
        case_path(trust_slug, case_id),
    )


def reminder(*, trust_slug: str, case_id: UUID, workflow: str, step: str, due: date, quiet: bool) -> Message:
    """Somebody has not done their task yet."""
    if quiet:
        return Message(
            "A confidential item still needs your attention",
            "A confidential item still needs your attention.",
            case_path(trust_slug, case_id),
        )
    return Message(
        f"{workflow}: by {day(due)}",
        f"{workflow}. {step}: please do your part by {day(due)}.",
        case_path(trust_slug, case_id),
    )


def overdue(*, trust_slug: str, case_id: UUID, workflow: str, step: str, due: date, quiet: bool) -> Message:
    """A step was not taken in time: to whose task it is, and to whom the definition names."""
    if quiet:
        return Message(
            "A confidential item is late",
            "A confidential item was not dealt with in time.",
            case_path(trust_slug, case_id),
        )
    return Message(
        f"{workflow}: late since {day(due)}",
        f"{workflow}. {step}: this was due on {day(due)} and has not been done.",
        case_path(trust_slug, case_id),
    )


def moved(*, trust_slug: str, case_id: UUID, workflow: str, state: str, quiet: bool) -> Message:
    """To whoever started a case: it is back with them, or at its end."""
    if quiet:
        return Message(
            "There is news", "There is news for you in TrustPortal.", case_path(trust_slug, case_id)
        )
    return Message(
        f"{workflow}: {state.lower()}", f"{workflow}. It is now: {state}.", case_path(trust_slug, case_id)
    )


def letter(*, trust_slug: str, case_id: UUID, title: str, quiet: bool) -> Message:
    """A letter is ready."""
    if quiet:
        return Message(
            "A letter for you", "A letter for you lies in TrustPortal.", case_path(trust_slug, case_id)
        )
    return Message(title, f"A letter for you is ready: {title}.", case_path(trust_slug, case_id))


def alarm(*, trust_slug: str) -> Message:
    """To the clerk: without content."""
    return Message(
        "Something waits that nobody can receive",
        "Something in TrustPortal waits and there is nobody who may receive it. Look at which posts are vacant: every"
        " school needs its posts filled. Nothing more can be said here.",
        f"/t/{trust_slug}/",
    )


def account_needs(
    *, trust_slug: str, school_slug: str, entry_id: UUID, name: str, what: Sequence[str]
) -> Message:
    """An account of the register needs somebody."""
    return Message(
        f"{name} needs you",
        f"The account “{name}”: {listed(what)}.",
        f"/t/{trust_slug}/schools/{school_slug}/register/{entry_id}",
    )


def disposal(*, trust_slug: str) -> Message:
    """To one of the two who have to agree that something is disposed of: without content."""
    return Message(
        "A confidential item needs your attention",
        "The time to keep a confidential record has come. Please decide whether it goes.",
        f"/t/{trust_slug}/kept",
    )


def stand_in_wanted(*, trust_slug: str) -> Message:
    """To the chair of the trust board: nobody may give the second consent to a disposal. Without content."""
    return Message(
        "Please name somebody who stands in",
        "The time to keep a confidential record has come, and neither the data protection officer nor anybody who"
        " stands in for them may decide about it. Please name somebody who can.",
        f"/t/{trust_slug}/kept",
    )


def recipients_proposed(*, trust_slug: str) -> Message:
    """To trustees: a table waits for one of them."""
    return Message(
        "Please decide who receives allegations",
        "Somebody proposes to change who receives an allegation about whom. A trustee has to approve it first.",
        f"/t/{trust_slug}/recipients",
    )
