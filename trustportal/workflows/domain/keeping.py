"""How long an allegation is kept, and what becomes of it then. Pure.

Malicious and false ones leave the personnel file at once, unless the person agrees that they stay; all others are kept
until normal pension age, or ten years from the allegation if that is longer. A legal hold stops disposal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from trustportal.access import Role
from trustportal.workflows.domain.answers import as_day

#: Who is asked, in order, for each of the two consents to a disposal.
SEATS: Mapping[str, tuple[Role, ...]] = {
    "dpo": (Role.DPO,),
    "chair": (Role.CHAIR_OF_TRUST_BOARD, Role.VICE_CHAIR_OF_TRUST_BOARD),
}


def may_consent(seat: str, roles: Collection[Role], *, stands_in: bool) -> bool:
    """Whether somebody with these roles at the trust may still give a consent for which they were asked."""
    return bool(set(roles) & set(SEATS[seat])) or (seat == "dpo" and stands_in)


class Basis(StrEnum):
    """Why a case may be disposed of."""

    REMOVED = "removed"
    PASSED = "passed"
    LEFT = "left"


BASIS_WORDS: Mapping[Basis, str] = {
    Basis.REMOVED: "The details are to be removed",
    Basis.PASSED: "The time to keep it has passed",
    Basis.LEFT: "It was a low-level concern, and the person has left",
}
_GONE = frozenset({"malicious", "false"})
#: Where a low-level concern ends.
LOW = "low_closed"
TEN = 10
SIX = 6


@dataclass(frozen=True, slots=True)
class Keeping:
    """Until when a case is kept, and on what ground it may go then."""

    until: date
    basis: Basis


def years_after(day: date, years: int) -> date:
    """The same day so many years later."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def keeping(
    values: Mapping[str, Any], *, state: str, alleged_on: date, closed_on: date, gone_on: date | None = None
) -> Keeping:
    """For a case that was closed in a state. `gone_on`: a day on which nobody whom it is about serves any more, which
    ends the time of a low-level concern.
    """
    if state == "elsewhere_closed":
        return Keeping(years_after(closed_on, SIX), Basis.PASSED)
    if state == LOW and gone_on is not None:
        return Keeping(max(closed_on, gone_on), Basis.LEFT)
    if state == "closed" and values.get("outcome") in _GONE and not values.get("consents"):
        return Keeping(closed_on, Basis.REMOVED)
    ten = years_after(alleged_on, TEN)
    pension = as_day(values.get("pension_on")) or ten
    return Keeping(max(ten, pension), Basis.PASSED)
