"""What a new version does at one place: one plan, from which publishing acts and which the dry run shows. Pure.

That both go by the same plan is why the figures before publishing come true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from trustportal.policies.domain.answers import Added, Override
from trustportal.policies.domain.clauses import Clause
from trustportal.policies.domain.plan import Plan, Settled, Situation
from trustportal.policies.domain.rebase import rebase

__all__ = ["Answers", "Detail", "Group", "Outcome", "PlacePlan", "Totals", "group_of", "plan_place", "totals"]

Answers = tuple[Mapping[str, Override], Sequence[Added]]
NO_ANSWERS: Answers = ({}, ())


class Outcome(StrEnum):
    """What becomes of a place, as its row keeps it."""

    WAITING = "waiting"
    ADOPTED = "adopted"  # its first edition
    FOLLOWS = "follows"
    UNCHANGED = "unchanged"  # it takes the version, and nothing that people read differs
    TO_DECIDE = "to_decide"  # the head confirms or decides
    VALUES_MISSING = "values_missing"


@dataclass(frozen=True, slots=True)
class PlacePlan:
    """What a version does at one place.

    `edition`: the answers with which its edition is made by the template's own approval; None where none is made.
    `working`: what becomes of the answers that the school is working on; None where there is nothing to rebase.
    """

    edition: Answers | None
    working: Plan | None
    #: What becomes of the answers of its newest approved edition; None where it has none.
    approved: Plan | None = None

    @property
    def needs_decision(self) -> bool:
        """Whether the head is asked."""
        return self.working is not None and self.working.needs_decision

    @property
    def ended(self) -> tuple[Settled, ...]:
        """The school's answers that end by themselves; their words are kept, and the school is told."""
        return self.working.settled if self.working is not None else ()


def plan_place(
    new_tree: Sequence[Clause],
    *,
    approved: tuple[Sequence[Clause], Answers] | None,
    working: tuple[Sequence[Clause], Answers] | None,
) -> PlacePlan:
    """Plan a version at one place.

    `approved`: the tree that the place's newest approved edition was made from, with its answers; None where it has
    no edition. `working`: the tree that the school's answers stand on, with them; None for the trust itself and for
    a place that is new to the policy. What a school works on is never approved by the trust's approval.
    """
    edition: Answers | None = NO_ANSWERS
    plan = None
    if approved is not None:
        plan = rebase(approved[0], new_tree, *approved[1])
        edition = None if plan.needs_decision else (plan.overrides, plan.added)
    if working is None or working == approved:
        # Most schools work on nothing: their answers are those of their edition.
        return PlacePlan(edition, plan if working is not None else None, plan)
    return PlacePlan(edition, rebase(working[0], new_tree, *working[1]), plan)


@dataclass(frozen=True, slots=True)
class Detail:
    """Which clauses a version touches at a place, by key, and how heavy its edition is.

    `asks`: what else the head decides (deleted, left out and changed, …). `told`: answers that ended by themselves.
    `changed`: how many printed clauses differ. `material` None: no edition is made yet.
    """

    conflicts: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    changed: int = 0
    material: bool | None = None
    missing: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, plan: PlacePlan, *, changed: int = 0, material: bool | None = None, missing: Iterable[str] = ()
    ) -> Self:
        """From a plan, and what is known of the edition that it makes."""
        if plan.working is None:
            return cls(changed=changed, material=material, missing=tuple(missing))
        pending = plan.working.pending
        kinds = (Situation.CONFLICT, Situation.MERGED)
        return cls(
            conflicts=tuple(one.key for one in pending if one.situation is Situation.CONFLICT),
            merged=tuple(one.key for one in pending if one.situation is Situation.MERGED),
            asks=tuple(one.key for one in pending if one.situation not in kinds),
            told=tuple(one.key for one in plan.working.settled),
            changed=changed,
            material=material,
            missing=tuple(missing),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "conflicts": list(self.conflicts),
            "merged": list(self.merged),
            "asks": list(self.asks),
            "told": list(self.told),
            "changed": self.changed,
            "material": self.material,
            "missing": list(self.missing),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            conflicts=tuple(stored.get("conflicts", ())),
            merged=tuple(stored.get("merged", ())),
            asks=tuple(stored.get("asks", ())),
            told=tuple(stored.get("told", ())),
            changed=stored.get("changed", 0),
            material=stored.get("material"),
            missing=tuple(stored.get("missing", ())),
        )


class Group(StrEnum):
    """How places are put together for the person who publishes; each place is in one."""

    WAITING = "waiting"
    DECIDES = "decides"
    CONFIRMS = "confirms"
    MISSING = "missing"
    FOLLOWS = "follows"
    UNCHANGED = "unchanged"


def group_of(outcome: str, detail: Detail) -> Group:
    """The group of a place: what asks for most comes first."""
    if outcome == Outcome.TO_DECIDE:
        return Group.DECIDES if detail.conflicts or detail.asks else Group.CONFIRMS
    return {
        Outcome.WAITING: Group.WAITING,
        Outcome.VALUES_MISSING: Group.MISSING,
        Outcome.UNCHANGED: Group.UNCHANGED,
    }.get(Outcome(outcome), Group.FOLLOWS)


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of all places. `clauses`: key -> at how many places it conflicts, most first."""

    places: int
    done: int
    groups: Mapping[Group, int]
    clauses: Mapping[str, int] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return self.done == self.places


def totals(places: Iterable[tuple[str, Detail]]) -> Totals:
    """Add up the places: (outcome, detail) of each."""
    groups: Counter[Group] = Counter()
    clauses: Counter[str] = Counter()
    for outcome, detail in places:
        groups[group_of(outcome, detail)] += 1
        clauses.update((*detail.conflicts, *detail.asks))
    count = groups.total()
    return Totals(
        count,
        count - groups[Group.WAITING],
        groups,
        dict(sorted(clauses.items(), key=lambda one: (-one[1], one[0]))),
    )
