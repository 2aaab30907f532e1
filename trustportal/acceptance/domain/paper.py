"""What the record of a signature on paper must say. Pure."""

from __future__ import annotations

from datetime import date

from trustportal.errors import RuleBroken


def check_note(*, signed_on: date, kept: str, today: date) -> str:
    """Where the paper is kept, tidied. Raises `RuleBroken`, naming the field."""
    if signed_on > today:
        raise RuleBroken("The day of signing cannot be in the future.", "signed_on")
    tidy = " ".join(kept.split())
    if not tidy:
        raise RuleBroken("Say where the paper is kept, like “Personnel file, school office”.", "kept")
    if len(tidy) > 300:
        raise RuleBroken("Keep it to 300 characters.", "kept")
    return tidy
