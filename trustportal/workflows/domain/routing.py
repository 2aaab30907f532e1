"""Who gets a task. Rules are tried in order; whoever may not act is dropped; nobody left means a tier up, and then
nobody at all: a task that finds no one stays where nobody can open it, and an alarm is raised. It fails closed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from trustportal.access import SCHOOL_ROLES, Role
from trustportal.workflows.domain.definition import STARTER, Definition, Rule, RuleKind, Seat, State

_STAFF_OF_A_SCHOOL = SCHOOL_ROLES - {
    Role.HEADTEACHER,
    Role.CHAIR_OF_GOVERNORS,
    Role.VICE_CHAIR_OF_GOVERNORS,
    Role.GOVERNOR,
}
#: Who leads whom by post, at the same school or at the trust.
LEADS_AT_SCHOOL: Mapping[Role, frozenset[Role]] = {
    Role.HEADTEACHER: _STAFF_OF_A_SCHOOL,
    Role.CHAIR_OF_GOVERNORS: frozenset({Role.GOVERNOR}),
}
LEADS_AT_TRUST: Mapping[Role, frozenset[Role]] = {
    Role.CEO: frozenset({Role.NETWORK_MANAGER, Role.HR_LEAD, Role.DPO, Role.CENTRAL_STAFF, Role.CLERK}),
    Role.CHAIR_OF_TRUST_BOARD: frozenset({Role.CEO, Role.TRUSTEE}),
}
#: Heads are led by the chief executive, and so is nobody else at a school.
LEADS_HEADS = Role.CEO


@dataclass(frozen=True, slots=True)
class Post:
    """A role that somebody holds today: at a school or (None) at the trust. `rank` orders those of one role."""

    person: UUID
    role: Role
    school: UUID | None
    acting: bool = False
    since: date = date.min


@dataclass(frozen=True, slots=True)
class Tie:
    """Two people who should not decide about each other: related, or one leads the other beyond what posts say."""

    one: UUID
    other: UUID
    #: Whether `one` leads `other`; otherwise it holds both ways.
    leads: bool = False


@dataclass(frozen=True)
class Roster:
    """Who serves where today, and what ties people declared."""

    posts: tuple[Post, ...]
    ties: tuple[Tie, ...] = ()
    #: Who is away for long: what cannot wait goes to somebody else.
    absent: frozenset[UUID] = frozenset()

    @cached_property
    def _serving(self) -> frozenset[UUID]:
        return frozenset(post.person for post in self.posts)

    @cached_property
    def _holders(self) -> Mapping[tuple[Role, UUID | None], tuple[UUID, ...]]:
        found: dict[tuple[Role, UUID | None], dict[UUID, None]] = {}
        # An acting holder first (the other is away), then who has held it longest.
        for post in sorted(self.posts, key=lambda post: (not post.acting, post.since, str(post.person))):
            found.setdefault((post.role, post.school), {})[post.person] = None
        return {key: tuple(people) for key, people in found.items()}

    def people(self) -> frozenset[UUID]:
        """Everybody who holds a role today."""
        return self._serving

    def roles_of(self, person: UUID, school: UUID | None) -> frozenset[Role]:
        """The roles of somebody at a school and at the trust; wherever they are held, if there are none of these."""
        here = frozenset(
            post.role for post in self.posts if post.person == person and post.school in {school, None}
        )
        return here or frozenset(post.role for post in self.posts if post.person == person)

    def holders(self, role: Role, school: UUID | None) -> tuple[UUID, ...]:
        """Who holds a role there, the one to ask first."""
        return self._holders.get((role, school), ())

    def led_by(self, person: UUID) -> frozenset[UUID]:
        """Everybody whom somebody leads, by post or as declared."""
        found = {tie.other for tie in self.ties if tie.leads and tie.one == person}
        for held in self.posts:
            if held.person != person:
                continue
            at_school, at_trust = LEADS_AT_SCHOOL.get(held.role), LEADS_AT_TRUST.get(held.role)
            for post in self.posts:
                if at_school and post.school == held.school and post.role in at_school:
                    found.add(post.person)
                if held.school is None and at_trust and post.school is None and post.role in at_trust:
                    found.add(post.person)
                if held.school is None and held.role is LEADS_HEADS and post.role is Role.HEADTEACHER:
                    found.add(post.person)
        return frozenset(found) - {person}

    def related_to(self, person: UUID) -> frozenset[UUID]:
        """Everybody with whom somebody has a declared tie."""
        return frozenset(
            tie.other if tie.one == person else tie.one
            for tie in self.ties
            if not tie.leads and person in {tie.one, tie.other}
        )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What routing has to know about a case. `signers`: who signed in which state; `out`: who stepped back."""

    school: UUID | None
    starter: UUID | None
    values: Mapping[str, Any]
    subjects: frozenset[UUID] = frozenset()
    signers: tuple[tuple[str, UUID], ...] = ()
    out: frozenset[UUID] = frozenset()
    #: What stands for `route` in this case, where something else than the definition's own table decides.
    routed: tuple[Rule, ...] | None = None


@dataclass(frozen=True, slots=True)
class Routed:
    """Who gets a task: `people` share it; `rule` says why. Nobody: `people` is empty."""

    people: tuple[UUID, ...]
    rule: Rule | None = None
    #: How many rules found nobody before.
    passed_over: int = 0

    @property
    def found(self) -> bool:
        """Whether there is somebody."""
        return bool(self.people)


def barred(roster: Roster, subjects: Iterable[UUID]) -> frozenset[UUID]:
    """Who must never receive a case about these people: they themselves, whom they lead, and whom they are tied to."""
    found: set[UUID] = set()
    for subject in subjects:
        found |= {subject} | roster.led_by(subject) | roster.related_to(subject)
    return frozenset(found)


def people_in(value: Any) -> frozenset[UUID]:
    """The people that an answer names."""
    values = value if isinstance(value, (list, tuple)) else [value]
    found = set()
    for one in values:
        try:
            found.add(UUID(str(one)))
        except ValueError:
            continue
    return frozenset(found)


def apart(seat: Seat, case: Circumstances) -> frozenset[UUID]:
    """Who may not sit in a seat because of what else they are in the case."""
    found: set[UUID] = set()
    for one in seat.apart_from:
        if one == STARTER:
            found |= {case.starter} if case.starter else set()
        elif one.startswith("state:"):
            found |= {person for state, person in case.signers if f"state:{state}" == one}
        else:
            found |= people_in(case.values.get(one))
    return frozenset(found)


def _candidates(rule: Rule, definition: Definition, roster: Roster, case: Circumstances) -> tuple[UUID, ...]:
    if rule.kind is RuleKind.STARTER:
        return (case.starter,) if case.starter else ()
    if rule.kind is RuleKind.FIELD:
        return tuple(sorted(people_in(case.values.get(rule.field)), key=str))
    if rule.kind is RuleKind.PERSON:
        return (rule.person,) if rule.person else ()
    if rule.kind is RuleKind.ROLE and rule.role is not None:
        return roster.holders(rule.role, case.school if rule.role in SCHOOL_ROLES else None)
    return ()


def _expanded(
    rules: Iterable[Rule], definition: Definition, roster: Roster, case: Circumstances
) -> list[Rule]:
    """The rules with the routing table in the place of `route`: its first line that any subject falls under."""
    found: list[Rule] = []
    for rule in rules:
        if rule.kind is not RuleKind.ROUTE:
            found.append(rule)
            continue
        if case.routed is not None:
            found += case.routed
            continue
        held = frozenset().union(*(roster.roles_of(subject, case.school) for subject in case.subjects))
        line = next((one for one in definition.routes if not one.roles or held & set(one.roles)), None)
        found += line.to if line else ()
    return found


def choose(
    rules: Iterable[Rule],
    definition: Definition,
    roster: Roster,
    case: Circumstances,
    *,
    without: frozenset[UUID] = frozenset(),
) -> Routed:
    """The first rule that finds somebody who serves today, is not barred by the subjects and not in `without`."""
    not_them = barred(roster, case.subjects) | case.out | without
    if definition.safeguarding:
        not_them |= roster.absent
    serving = roster.people()
    passed = 0
    for rule in _expanded(rules, definition, roster, case):
        left = tuple(
            person
            for person in _candidates(rule, definition, roster, case)
            if person in serving and person not in not_them
        )
        if left:
            shared = rule.everyone or rule.kind is RuleKind.FIELD
            return Routed(left if shared else left[:1], rule, passed)
        passed += 1
    return Routed((), None, passed)


def all_candidates(
    rules: Iterable[Rule], definition: Definition, roster: Roster, case: Circumstances
) -> frozenset[UUID]:
    """Everybody whom any of the rules names and who serves today: who can stand in for one of them."""
    found = {
        person
        for rule in _expanded(rules, definition, roster, case)
        for person in _candidates(rule, definition, roster, case)
    }
    return frozenset(found) & roster.people() - barred(roster, case.subjects)


def route(
    definition: Definition,
    seat: Seat,
    roster: Roster,
    case: Circumstances,
    *,
    taken: frozenset[UUID] = frozenset(),
) -> Routed:
    """Who sits in a seat: by its own rules, then upwards; never anybody barred, nor (`taken`) who sits beside it."""
    rules = (*seat.rules, *definition.upwards)
    return choose(rules, definition, roster, case, without=apart(seat, case) | taken)


def next_above(
    definition: Definition,
    state: State,
    roster: Roster,
    case: Circumstances,
    *,
    passed: frozenset[UUID] = frozenset(),
) -> Routed:
    """Whom a late step goes to: the next in the order of the definition, and then upwards. Never a subject or anybody
    barred by one, nobody who stepped back, nobody in `passed` (who has it, or was told already), and not the starter,
    whom it would tell only what they wait for.
    """
    if state.deadline is None or not state.deadline.escalate:
        return Routed(())
    starter = frozenset({case.starter}) if case.starter else frozenset[UUID]()
    rules = (*state.deadline.escalate, *definition.upwards)
    return choose(rules, definition, roster, case, without=passed | starter)


def watchers(definition: Definition, roster: Roster, case: Circumstances) -> frozenset[UUID]:
    """Who else sees a case."""
    found: set[UUID] = set()
    for rule in definition.watchers:
        found |= set(choose([rule], definition, roster, case).people)
    return frozenset(found)
