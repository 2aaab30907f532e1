"""The tiers of a trust's policies, and when a review reminds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from trustportal.access import ROLE_LABELS, Role
from trustportal.policies.domain.clauses import Mode
from trustportal.policies.domain.lifecycle import months_before

__all__ = ["TIER_WORDS", "RegisterLine", "Tier", "post_named", "reminder_slot", "tier_of"]


class Tier(StrEnum):
    """The three of real trusts: its own words everywhere; a template with local clauses; a school's own policy."""

    TRUST = "trust"
    TEMPLATE = "template"
    SCHOOL = "school"


TIER_WORDS: Mapping[Tier, str] = {
    Tier.TRUST: "Trust policy",
    Tier.TEMPLATE: "Trust template with local clauses",
    Tier.SCHOOL: "School policy",
}


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One policy of the register."""

    title: str
    slug: str
    reference: str
    tier: str
    owner: str
    responsible: str
    #: Who holds the post today, by name.
    holders: tuple[str, ...]
    approving_body: str
    statutory: bool
    public: bool
    version: str
    since: date | None
    review_months: int
    review_on: date | None
    overdue: bool
    withdrawn_on: date | None
    state: str
    #: (place, edition, since), by place.
    places: tuple[tuple[str, str, date], ...]
    school_slug: str = ""


def tier_of(modes: Iterable[Mode], *, of_school: bool) -> Tier:
    """A policy's tier: where every clause is locked, schools follow it word for word."""
    if of_school:
        return Tier.SCHOOL
    return Tier.TRUST if all(mode is Mode.LOCKED for mode in modes) else Tier.TEMPLATE


def reminder_slot(review_on: date, today: date) -> date | None:
    """The newest slot of a review that has come: two months, one month and one week before, then weekly after.

    A slot is the day from which it counts, so that one that fell on a weekend, or that a clock slept through, reminds
    on the next day on which anybody looks; and each reminds once. None before the first.
    """
    slots = [months_before(review_on, 2), months_before(review_on, 1), review_on - timedelta(days=7)]
    late = (today - review_on).days // 7
    if late >= 1:
        slots.append(review_on + timedelta(days=7 * late))
    come = [slot for slot in slots if slot <= today]
    return max(come, default=None)


def post_named(
    words: str, labels: Iterable[Mapping[str, str]], roles: Iterable[Role] = tuple(Role)
) -> Role | None:
    """The post that a header means by "Person responsible", if it names one that the portal knows.

    `labels`: how the place, and then the trust, calls its posts; the portal's own names hold besides.
    """
    wanted = _plain(words)
    if not wanted:
        return None
    known = list(roles)
    for names in (*labels, {role.value: label for role, label in ROLE_LABELS.items()}):
        for role in known:
            if _plain(names.get(role.value, "")) == wanted:
                return role
    return next((role for role in known if _plain(role.value) == wanted), None)


def _plain(words: str) -> str:
    return " ".join(words.lower().replace("_", " ").replace("the ", " ").split())
