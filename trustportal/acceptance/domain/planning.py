"""Who is asked to sign what at one place: facts in, plan out. Pure.

A campaign asks everybody of its audience once in its academic year. After signing, somebody is asked again only when
an edition since the one they signed is material; otherwise the old signature stands. An open assignment moves to the
newest edition. Whoever leaves the audience is closed, never deleted, and a signature is never touched. Whoever is away
for long is asked nothing: what was open waits, and goes on with days of its own when they are back.

What is said here of policies holds for outside documents too: their editions are the same everywhere, so somebody who
serves at two schools is asked at one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from trustportal.access import Role


class Cause(StrEnum):
    """Why somebody is asked."""

    ANNUAL = "annual"
    JOINER = "joiner"
    CHANGED = "changed"
    RETURNED = "returned"  # was away when the campaign opened


class Because(StrEnum):
    """Why an assignment was closed without a signature."""

    LEFT = "left"  # no longer of the audience at this place
    ENDED = "ended"  # the campaign was closed
    REPLACED = "replaced"  # a later campaign asks for the same policy, or a signature stands
    WITHDRAWN = "withdrawn"  # the policy says nothing at this place any more


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """A running campaign."""

    id: UUID
    academic_year: int
    roles: frozenset[Role]
    policy_ids: frozenset[UUID]
    opens_on: date
    due_on: date
    joiner_days: int


@dataclass(frozen=True, slots=True)
class EditionStep:
    """An approved edition of the place. `in_force`: today's; `ready`: its PDF is stored, so it can be signed."""

    id: UUID
    policy_id: UUID
    order: tuple[int, int]
    material: bool
    in_force: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody holds at the place on the day."""

    person_id: UUID
    role: Role
    from_on: date


@dataclass(frozen=True, slots=True)
class Asked:
    """An open assignment at the place."""

    id: UUID
    campaign_id: UUID
    academic_year: int
    policy_id: UUID
    person_id: UUID
    edition_id: UUID
    due_on: date | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """The last signature of a person for a policy at the place."""

    person_id: UUID
    policy_id: UUID
    edition_id: UUID
    academic_year: int


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """All that the plan of one place needs. `campaigns`: those that run on the day and reach this place."""

    today: date
    campaigns: Sequence[CampaignFacts] = ()
    editions: Sequence[EditionStep] = ()
    held: Sequence[Held] = ()
    asked: Sequence[Asked] = ()
    signed: Sequence[Signed] = ()
    #: Who is away for long on the day.
    away: frozenset[UUID] = frozenset()
    #: Who was away, with the day on which they were back.
    back: Mapping[UUID, date] = field(default_factory=dict)
    #: Who is asked for which outside document at another place.
    elsewhere: frozenset[tuple[UUID, UUID]] = frozenset()


@dataclass(frozen=True, slots=True)
class Open:
    """A new assignment."""

    campaign_id: UUID
    policy_id: UUID
    person_id: UUID
    edition_id: UUID
    cause: Cause
    due_on: date


@dataclass(frozen=True, slots=True)
class Move:
    """An open assignment goes on to a newer edition."""

    assignment_id: UUID
    edition_id: UUID


@dataclass(frozen=True, slots=True)
class Close:
    """An open assignment ends without a signature."""

    assignment_id: UUID
    because: Because


@dataclass(frozen=True, slots=True)
class Resume:
    """An assignment that waited for somebody goes on, with days enough to sign it."""

    assignment_id: UUID
    due_on: date


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done at a place. Closing goes before opening."""

    close: tuple[Close, ...] = ()
    move: tuple[Move, ...] = ()
    open: tuple[Open, ...] = ()
    pause: tuple[UUID, ...] = ()
    resume: tuple[Resume, ...] = ()
    keep: tuple[UUID, ...] = ()
    #: Signatures that stand: (person, policy).
    stands: tuple[tuple[UUID, UUID], ...] = ()


@dataclass(frozen=True, slots=True)
class _Wanted:
    campaign: CampaignFacts
    first_day: date


@dataclass(slots=True)
class _Editions:
    """The editions of a place, as the plan asks about them."""

    by_id: dict[UUID, EditionStep] = field(default_factory=dict)
    of_policy: dict[UUID, list[EditionStep]] = field(default_factory=lambda: defaultdict(list))
    in_force: dict[UUID, EditionStep] = field(default_factory=dict)

    @classmethod
    def of(cls, steps: Iterable[EditionStep]) -> _Editions:
        found = cls()
        for step in steps:
            found.by_id[step.id] = step
            found.of_policy[step.policy_id].append(step)
            if step.in_force:
                found.in_force[step.policy_id] = step
        return found

    def material_since(self, signed_id: UUID, now: EditionStep) -> bool:
        """Whether any edition after the signed one, up to today's, is material. An unknown one counts as material."""
        signed = self.by_id.get(signed_id)
        if signed is None:
            return True
        return any(
            step.material for step in self.of_policy[now.policy_id] if signed.order < step.order <= now.order
        )


def due_day(campaign: CampaignFacts, cause: Cause, *, first_day: date, today: date) -> date:
    """By when: the campaign's day; a joiner's own; and nobody is asked for a day that is nearly or long past."""
    grace = timedelta(days=campaign.joiner_days)
    if cause in {Cause.JOINER, Cause.RETURNED}:
        own = first_day + grace
        return own if own >= today else today + grace
    if cause is Cause.ANNUAL and today <= campaign.due_on:
        return campaign.due_on
    return max(campaign.due_on, today + grace)


def plan_assignments(facts: PlaceFacts) -> Plan:
    """What one place's assignments should become on a day; planning again after applying it changes nothing."""
    editions = _Editions.of(facts.editions)
    wanted = _wanted(facts)
    signed = {(one.person_id, one.policy_id): one for one in facts.signed}
    asked = {(one.person_id, one.policy_id): one for one in facts.asked}
    close: list[Close] = []
    move: list[Move] = []
    opened: list[Open] = []
    pause: list[UUID] = []
    resume: list[Resume] = []
    keep: list[UUID] = []
    stands: list[tuple[UUID, UUID]] = []

    def wait_or_go_on(one: Asked, campaign: CampaignFacts) -> None:
        if one.person_id in facts.away and not one.paused:
            pause.append(one.id)
        elif one.person_id not in facts.away and one.paused:
            own = facts.today + timedelta(days=campaign.joiner_days)
            resume.append(Resume(one.id, max(own, one.due_on or own)))

    for pair, existing in asked.items():
        if pair not in wanted:
            close.append(Close(existing.id, Because.LEFT))

    for (person_id, policy_id), want in wanted.items():
        campaign = want.campaign
        pair = (person_id, policy_id)
        standing = asked.get(pair)
        target = editions.in_force.get(policy_id)
        if target is None:
            if standing is not None:
                close.append(Close(standing.id, Because.WITHDRAWN))
            continue
        if not target.ready:
            if standing is not None:
                keep.append(standing.id)
                wait_or_go_on(standing, campaign)
            continue
        last = signed.get(pair)
        this_year = last is not None and last.academic_year >= campaign.academic_year
        if last is not None and this_year and not editions.material_since(last.edition_id, target):
            stands.append(pair)
            if standing is not None:
                close.append(Close(standing.id, Because.REPLACED))
            continue
        if standing is not None:
            if standing.academic_year >= campaign.academic_year:
                if standing.edition_id != target.id:
                    move.append(Move(standing.id, target.id))
                else:
                    keep.append(standing.id)
                wait_or_go_on(standing, campaign)
                continue
            close.append(Close(standing.id, Because.REPLACED))
        if person_id in facts.away or pair in facts.elsewhere:
            continue
        back_on = facts.back.get(person_id)
        first_day = want.first_day
        if this_year:
            cause = Cause.CHANGED
        elif back_on is not None and back_on > max(campaign.opens_on, first_day):
            cause, first_day = Cause.RETURNED, back_on
        elif want.first_day > campaign.opens_on:
            cause = Cause.JOINER
        else:
            cause = Cause.ANNUAL
        due_on = due_day(campaign, cause, first_day=first_day, today=facts.today)
        opened.append(Open(campaign.id, policy_id, person_id, target.id, cause, due_on))
    return Plan(
        tuple(close), tuple(move), tuple(opened), tuple(pause), tuple(resume), tuple(keep), tuple(stands)
    )


def _wanted(facts: PlaceFacts) -> dict[tuple[UUID, UUID], _Wanted]:
    """Each person and policy with the one campaign that asks: the latest of those that reach both."""
    held: dict[UUID, list[Held]] = defaultdict(list)
    for one in facts.held:
        if one.from_on <= facts.today:
            held[one.person_id].append(one)
    found: dict[tuple[UUID, UUID], _Wanted] = {}
    running = [one for one in facts.campaigns if one.opens_on <= facts.today]
    for campaign in sorted(running, key=lambda one: (one.academic_year, one.opens_on, one.id)):
        for person_id, roles in held.items():
            first_days = [one.from_on for one in roles if one.role in campaign.roles]
            if first_days:
                for policy_id in campaign.policy_ids:
                    found[person_id, policy_id] = _Wanted(campaign, min(first_days))
    return found
