"""Academic years, and the campaign that most trusts would run in one. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from trustportal.access import SCHOOL_ROLES, Role

FIRST_MONTH = 9
#: From this month on, a new campaign is for the academic year to come.
_PLANNING_MONTH = 6

#: Whom a new campaign asks unless somebody chooses otherwise: everybody who works or serves at a school, and the
#: trust's own staff. Trustees, their chair and their clerk are asked when they are ticked.
USUAL_ROLES: frozenset[Role] = SCHOOL_ROLES | {
    Role.CENTRAL_STAFF,
    Role.CEO,
    Role.DPO,
    Role.HR_LEAD,
    Role.NETWORK_MANAGER,
}
USUAL_JOINER_DAYS = 14


def academic_year(day: date) -> int:
    """The year in which a day's academic year (1 September to 31 August) began: 2026 for 12 March 2027."""
    return day.year if day.month >= FIRST_MONTH else day.year - 1


def year_label(year: int) -> str:
    """2026 -> "2026–27"."""
    return f"{year}–{(year + 1) % 100:02d}"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a form for a new campaign begins with."""

    academic_year: int
    title: str
    opens_on: date
    due_on: date
    roles: frozenset[Role]
    joiner_days: int


def suggest(today: date) -> Suggestion:
    """A campaign as most trusts would run it: opens on 1 September (or now), due on 30 September (or in 30 days)."""
    year = today.year if today.month >= _PLANNING_MONTH else today.year - 1
    opens_on = max(today, date(year, FIRST_MONTH, 1))
    due_on = date(year, FIRST_MONTH, 30)
    if due_on < opens_on + timedelta(days=14):
        due_on = opens_on + timedelta(days=30)
    return Suggestion(
        academic_year=year,
        title=f"Annual signing {year_label(year)}",
        opens_on=opens_on,
        due_on=due_on,
        roles=USUAL_ROLES,
        joiner_days=USUAL_JOINER_DAYS,
    )


def overdue(due_on: date, today: date) -> bool:
    """Whether a due day has passed."""
    return today > due_on


def role_order(roles: Collection[str]) -> list[Role]:
    """Roles in the order in which the portal lists them."""
    return [role for role in Role if role in roles]
