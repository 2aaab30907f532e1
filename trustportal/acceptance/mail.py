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


def receipt(
    *,
    trust_slug: str,
    policy: str,
    edition: str,
    place: str,
    signature_id: UUID,
    recorded_by: str = "",
    confirmed: bool = False,
) -> Message:
    """Somebody signed. `recorded_by`: who recorded it, where it was signed on paper. `confirmed`: it was an outside
    document.
    """
    path = f"/t/{trust_slug}/signatures/{signature_id}"
    if confirmed:
        text = f"{policy}, {edition}"
        if recorded_by:
            return Message(
                f"Your confirmation of {policy} was recorded",
                f"{recorded_by} recorded that you confirmed on paper, at {place}, that you have read {text}."
                " If you did not, tell your school at once.",
                path,
            )
        return Message(
            f"You confirmed {policy}",
            f"You confirmed at {place} that you have read {text}. Your receipt shows the words that you agreed to.",
            path,
        )
    if recorded_by:
        return Message(
            f"Your signature of {policy} was recorded",
            f"{recorded_by} recorded that you signed {policy}, edition {edition}, at {place} on paper."
            " If you did not, tell your school at once.",
            path,
        )
    return Message(
        f"You signed {policy}",
        f"You signed {policy}, edition {edition}, at {place}. Your receipt shows the words that you agreed to.",
        path,
    )


def question(
    *, trust_slug: str, asker: str, policy: str, place: str, question_id: UUID, refused: bool
) -> Message:
    """Somebody asks, or refuses to sign. The words themselves stay in the portal."""
    path = f"/t/{trust_slug}/questions/{question_id}"
    if refused:
        return Message(
            f"{asker} does not sign {policy}",
            f"{asker} ({place}) wrote why they do not sign {policy}. Please speak with them, and note what you agreed.",
            path,
        )
    return Message(
        f"{asker} has a question about {policy}",
        f"{asker} ({place}) has a question about {policy} before signing it. Your answer reaches them by mail.",
        path,
    )


def answered(*, trust_slug: str, policy: str, answerer: str, question_id: UUID) -> Message:
    """There is an answer."""
    return Message(
        f"An answer about {policy}",
        f"{answerer} answered what you wrote about {policy}. You can read it and then sign.",
        f"/t/{trust_slug}/questions/{question_id}",
    )


def late(
    *,
    trust_slug: str,
    names: Sequence[str],
    by_place: Sequence[tuple[str, int]],
    titles: Sequence[str],
) -> Message:
    """Somebody else is late. `by_place`: how many at each, for the trust; nobody: by name, for those who are nearer."""
    people = counted(len(names), "person", "people")
    if by_place:
        where = listed([f"{place} ({number})" for place, number in by_place])
        body = f"{people.capitalize()} should have signed {listed(titles)} some weeks ago: {where}."
    else:
        shown = list(names[:20]) + ([f"{len(names) - 20} more"] if len(names) > 20 else [])
        have = "has" if len(names) == 1 else "have"
        body = (
            f"{listed(shown)} {have} not signed {listed(titles)}, and the day has passed."
            " Please ask what keeps them."
        )
    return Message(f"{people.capitalize()} late with signing", body, f"/t/{trust_slug}/acceptance")


def anchored(*, on: date, position: int, head: str) -> Message:
    """Where the audit trail stood: a copy outside the portal, to be kept."""
    return Message(
        f"The audit trail on {long_day(on)}",
        f"Keep this: on {long_day(on)} the trust’s audit trail had {position:,} entries, and its fingerprint was"
        f" {head}. If anybody rewrote what was recorded until then, this number would not fit any more."
        " There is nothing to do.",
        "/",
    )
