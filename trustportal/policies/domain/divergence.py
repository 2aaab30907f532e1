"""Who follows and who differs: the state of each clause of the trust's at each school. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from trustportal.policies.domain.clauses import Clause, by_key, descendants

__all__ = ["AtSchool", "Cell", "Filter", "State", "at_school", "cells_of"]


class State(StrEnum):
    """How a school stands to one clause. What asks for most comes first."""

    CONFLICT = "conflict"  # both changed it, and the head has not decided
    LEFT_OUT = "left_out"
    ADAPTED = "adapted"
    BEHIND = "behind"  # the school's edition has the words of an earlier version
    ADDED = "added"  # the trust's words, and a clause of the school's own after them
    FOLLOWS = "follows"


#: What a filter can ask for besides a state.
DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Cell:
    """One clause at one school. `added`: how many clauses of its own the school has after it."""

    state: State
    added: int = 0


@dataclass(frozen=True, slots=True)
class AtSchool:
    """What a school's newest approved edition answers, by clause key, and what it has not decided."""

    adapted: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    #: Trust's clause -> how many of the school's own stand after it.
    added: Mapping[str, int] = field(default_factory=dict)
    conflict: frozenset[str] = frozenset()
    behind: frozenset[str] = frozenset()


def at_school(
    tree: Sequence[Clause],
    *,
    answers: Mapping[str, str],
    added: Mapping[str, str],
    undecided: frozenset[str] = frozenset(),
    behind: frozenset[str] = frozenset(),
) -> AtSchool:
    """The facts of a school. `answers`: key -> "replace" or "leave_out"; `added`: own key -> the key it stands after.

    What is left out takes with it all that is below; an addition counts for the trust's clause where its chain began.
    """
    left_out = {key for key, answer in answers.items() if answer == "leave_out"}
    if left_out:  # most schools leave out nothing, and the tree is long
        known = by_key(tree)
        left_out.update(*(descendants(tree, key) for key in sorted(left_out) if key in known))
    roots: Counter[str] = Counter()
    for key in added:
        root, seen = key, set[str]()
        while root in added and root not in seen:
            seen.add(root)
            root = added[root]
        roots[root] += 1
    return AtSchool(
        adapted=frozenset(key for key, answer in answers.items() if answer == "replace"),
        left_out=frozenset(left_out),
        added=roots,
        conflict=undecided,
        behind=behind,
    )


def cells_of(facts: AtSchool) -> dict[str, Cell]:
    """Every cell of a school that does not simply follow, by clause key."""
    found: dict[str, Cell] = {}
    for state, keys in (
        (State.ADDED, facts.added.keys()),
        (State.BEHIND, facts.behind),
        (State.ADAPTED, facts.adapted),
        (State.LEFT_OUT, facts.left_out),
        (State.CONFLICT, facts.conflict),
    ):
        for key in keys:
            found[key] = Cell(state, facts.added.get(key, 0))
    return found


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the map is asked for: clauses of a mode, and clauses and schools with a state ("" for all)."""

    mode: str = ""
    state: str = ""

    def shows(self, cell: Cell | None) -> bool:
        """Whether a cell is what is asked for."""
        if not self.state:
            return True
        if cell is None:
            return self.state == State.FOLLOWS
        if self.state == DIFFERS:
            return True
        return self.state == cell.state or (self.state == State.ADDED and cell.added > 0)
