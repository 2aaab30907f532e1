"""By when schools decide: when a head is reminded, and from when on the trust may force its text. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from trustportal.errors import RuleBroken

__all__ = ["check_deadline", "check_force", "may_force", "reminder_due"]

#: A head is reminded so many days before the deadline, and on the day itself.
BEFORE = (14, 7, 2, 0)
#: After the deadline once a week; without one, every two weeks.
WEEKLY, WITHOUT_DEADLINE = 7, 14


def reminder_due(*, opened_on: date, due_on: date | None, reminded_on: date | None, today: date) -> bool:
    """Whether a reminder falls on today, or fell on a day since the last one on which none was sent."""
    since = max(opened_on, reminded_on or opened_on)
    if due_on is None:
        return (today - since).days >= WITHOUT_DEADLINE
    days = [due_on - timedelta(days=before) for before in BEFORE]
    if today > due_on:
        late = (today - due_on).days
        days.append(due_on + timedelta(days=late - late % WEEKLY))
    return any(since < day <= today for day in days)


def may_force(due_on: date | None, today: date) -> bool:
    """Whether the deadline has passed. Without one, nothing is ever forced."""
    return due_on is not None and due_on < today


def check_force(due_on: date | None, today: date, *, has_it: bool, reason: str) -> None:
    """Raise `RuleBroken` unless the trust may force its text here now. `has_it`: its edition is made already."""
    if has_it:
        raise RuleBroken("This school has its edition of this version already. There is nothing to force.")
    if due_on is None:
        raise RuleBroken("No deadline was set, so the school's decision is waited for. Set a deadline first.")
    if not may_force(due_on, today):
        raise RuleBroken(
            f"The school has until {due_on.day} {due_on:%B %Y} to decide. Only after that day can the trust's"
            " text be forced."
        )
    if not reason.strip():
        raise RuleBroken("Say why. The school reads it, and it stands in the change log.", "reason")


def check_deadline(due_on: date, today: date) -> None:
    """Raise `RuleBroken` for a deadline that nobody could keep."""
    if due_on < today:
        raise RuleBroken("The day by which schools decide has passed.", "due_on")
