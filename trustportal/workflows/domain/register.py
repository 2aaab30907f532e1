"""The register of accounts: what is wrong with an entry on a day, and what can be changed in it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from trustportal.errors import RuleBroken
from trustportal.workflows.domain.answers import as_day
from trustportal.workflows.domain.routing import people_in

#: How many of each an account has at least.
LEAST = 2
#: An account is looked at again at least this often.
REVIEW_DAYS = 365
#: So many days before it closes, its people are told.
CLOSING_SOON = timedelta(days=28)


class Part(StrEnum):
    """What somebody does for an account."""

    ADMINISTRATOR = "administrator"
    MODERATOR = "moderator"


class Flag(StrEnum):
    """What somebody has to see to."""

    FEW_ADMINISTRATORS = "few_administrators"
    FEW_MODERATORS = "few_moderators"
    NO_CUSTODIAN = "no_custodian"
    REVIEW_DUE = "review_due"
    CLOSING_SOON = "closing_soon"
    CLOSING_PASSED = "closing_passed"


FLAG_WORDS: Mapping[Flag, str] = {
    Flag.FEW_ADMINISTRATORS: "fewer than two administrators",
    Flag.FEW_MODERATORS: "fewer than two moderators",
    Flag.NO_CUSTODIAN: "nobody keeps the sign-in details",
    Flag.REVIEW_DUE: "has to be looked at again",
    Flag.CLOSING_SOON: "closes soon",
    Flag.CLOSING_PASSED: "should be closed by now",
}
#: Flags that mean that something is wrong, not only that a day comes.
RED: frozenset[Flag] = frozenset(
    {Flag.FEW_ADMINISTRATORS, Flag.FEW_MODERATORS, Flag.NO_CUSTODIAN, Flag.CLOSING_PASSED}
)


@dataclass(frozen=True, slots=True)
class Account:
    """An entry that is not closed, as facts."""

    administrators: frozenset[UUID]
    moderators: frozenset[UUID]
    custodian: UUID | None
    review_on: date
    closes_on: date


def flags(account: Account, *, serving: Collection[UUID], on: date) -> frozenset[Flag]:
    """What is to be seen to on a day. `serving`: who holds a role at the school or the trust."""
    there = set(serving)
    found = set()
    if len(account.administrators & there) < LEAST:
        found.add(Flag.FEW_ADMINISTRATORS)
    if len(account.moderators & there) < LEAST:
        found.add(Flag.FEW_MODERATORS)
    if account.custodian not in there:
        found.add(Flag.NO_CUSTODIAN)
    if account.review_on <= on:
        found.add(Flag.REVIEW_DUE)
    if account.closes_on <= on:
        found.add(Flag.CLOSING_PASSED)
    elif account.closes_on - CLOSING_SOON <= on:
        found.add(Flag.CLOSING_SOON)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry as an approved form makes it."""

    name: str
    platform: str
    address: str
    official_email: str
    purpose: str
    administrators: frozenset[UUID]
    moderators: frozenset[UUID]
    custodian: UUID | None
    go_live_on: date
    closes_on: date
    review_on: date


def entry_from(values: Mapping[str, Any], *, today: date) -> NewEntry:
    """The entry of an approved form. Raises `RuleBroken` where the form lacks what the register needs."""
    go_live, closes = as_day(values.get("go_live_on")), as_day(values.get("closes_on"))
    if go_live is None or closes is None:
        raise RuleBroken("The register needs the days on which the account goes live and closes.")
    custodian = next(iter(people_in(values.get("custodian"))), None)
    return NewEntry(
        name=str(values.get("site_name") or ""),
        platform=str(values.get("platform") or ""),
        address=str(values.get("address") or ""),
        official_email=str(values.get("official_email") or ""),
        purpose=str(values.get("aims") or ""),
        administrators=people_in(values.get("administrators")),
        moderators=people_in(values.get("moderators")),
        custodian=custodian,
        go_live_on=go_live,
        closes_on=closes,
        review_on=min(closes, max(go_live, today) + timedelta(days=REVIEW_DAYS)),
    )


def check_people(people: Collection[UUID], *, serving: Collection[UUID], field: str) -> frozenset[UUID]:
    """Two different people at least, all of whom serve. Raises `RuleBroken`."""
    listed, named = list(people), set(people)
    if not named <= set(serving):
        raise RuleBroken("Choose people who serve here today.", field)
    if len(named) < len(listed):
        raise RuleBroken("The same person stands here twice: name different people.", field)
    if len(named) < LEAST:
        raise RuleBroken("Name at least two different people.", field)
    return frozenset(named)


def check_review(review_on: date | None, *, closes_on: date, today: date) -> date:
    """The next look at an account: ahead, within a year, not after it closes. Raises `RuleBroken`."""
    if review_on is None or review_on <= today:
        raise RuleBroken("Enter a day that lies ahead.", "review_on")
    if review_on > today + timedelta(days=REVIEW_DAYS + 1):
        raise RuleBroken("An account is looked at again within a year.", "review_on")
    if review_on > closes_on > today:
        raise RuleBroken("The account closes before that day: look at it earlier.", "review_on")
    return review_on
