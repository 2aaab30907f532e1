"""What people are told about signing: subject, body and path of notices, from facts. Sends nothing, loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from trustportal.tenants.domain import long_day


@dataclass(frozen=True, slots=True)
class Message:
    """One notice."""

    subject: str
    body: str
    path: str


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def counted(number: int, one: str, many: str) -> str:
    """ "two policies": small numbers in words."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return f"{words[number] if number < len(words) else number} {one if number == 1 else many}"


def asked(
    *, trust_slug: str, place: str, titles: Sequence[str], changed: Sequence[str], due_on: date
) -> Message:
    """Somebody is asked to sign. `changed`: those of the titles that changed materially since they signed."""
    what = counted(len(titles), "policy", "policies")
    body = f"{place} asks you to read and sign {listed(titles)} by {long_day(due_on)}."
    if changed:
        body += f" {listed(changed)} changed since you last signed: the page shows you what."
    return Message(f"Please sign {what} by {long_day(due_on)}", body, f"/t/{trust_slug}/sign")


def reminder(*, trust_slug: str, titles: Sequence[str], due_on: date, today: date) -> Message:
    """Somebody has not signed yet. `due_on`: the earliest of the days; each title once."""
    what = counted(len(titles), "policy", "policies")
    if due_on > today:
        subject = f"{what.capitalize()} to sign by {long_day(due_on)}"
        body = f"You have not signed {listed(titles)} yet. Please do so by {long_day(due_on)}; it takes a few minutes."
    elif due_on == today:
        subject = f"{what.capitalize()} to sign today"
        body = f"Today is the day by which you were asked to sign {listed(titles)}. It takes a few minutes."
    else:
        subject = f"{what.capitalize()} to sign: the day has passed"
        body = (
            f"You were asked to sign {listed(titles)} by {long_day(due_on)}. Please do so now, or tell your school"
            " what keeps you from it."
        )
    return Message(subject, body, f"/t/{trust_slug}/sign")


def receipt(*, trust_slug: str, policy: str, edition: str, place: str, signature_id: UUID) -> Message:
    """Somebody signed."""
    return Message(
        f"You signed {policy}",
        f"You signed {policy}, edition {edition}, at {place}. Your receipt shows the words that you agreed to.",
        f"/t/{trust_slug}/signatures/{signature_id}",
    )
