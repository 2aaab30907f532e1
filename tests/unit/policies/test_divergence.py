"""Who follows and who differs: cells, filters, and what somebody types into the search box."""

from __future__ import annotations

import pytest

from tests.unit.policies.given_policies import clause, section
from trustportal.policies.domain.clauses import Mode
from trustportal.policies.domain.divergence import Cell, Filter, State, at_school, cells_of

TREE = (
    section("s", mode=Mode.ADAPTABLE),
    clause("a", "s", mode=Mode.ADAPTABLE),
    clause("b", "s", mode=Mode.ADAPTABLE),
    section("t"),
    clause("c", "t", mode=Mode.EXTEND),
)


def test_each_state_and_which_one_counts_when_there_are_several():
    cells = cells_of(
        at_school(
            TREE,
            answers={"a": "replace", "s": "leave_out"},
            added={"own-1": "c", "own-2": "own-1"},
            undecided=frozenset({"b"}),
            behind=frozenset({"c", "a"}),
        )
    )
    assert cells == {
        "s": Cell(State.LEFT_OUT),
        "a": Cell(State.LEFT_OUT),
        "b": Cell(State.CONFLICT),
        "c": Cell(State.BEHIND, 2),
    }


def test_a_school_without_answers_has_no_cells():
    assert cells_of(at_school(TREE, answers={}, added={})) == {}


def test_a_circle_of_additions_ends():
    facts = at_school(TREE, answers={}, added={"x": "y", "y": "x"})
    assert sum(facts.added.values()) == 2


@pytest.mark.parametrize(
    ("state", "cell", "shown"),
    [
        ("", None, True),
        ("follows", None, True),
        ("follows", Cell(State.ADAPTED), False),
        ("differs", None, False),
        ("differs", Cell(State.BEHIND), True),
        ("added", Cell(State.ADAPTED, 1), True),
        ("added", Cell(State.ADAPTED), False),
        ("conflict", Cell(State.CONFLICT), True),
    ],
)
def test_what_a_filter_shows(state: str, cell: Cell | None, shown: bool):
    assert Filter(state=state).shows(cell) is shown
