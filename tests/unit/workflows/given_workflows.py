"""Rosters and definitions for the pure tests, some of them random."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from trustportal.access import Role
from trustportal.workflows.domain.definition import (
    Action,
    ActionKind,
    Condition,
    Deadline,
    Definition,
    Field,
    FieldKind,
    Fork,
    Rule,
    RuleKind,
    Seat,
    State,
)
from trustportal.workflows.domain.routing import Post, Roster, Tie

SCHOOL, OTHER_SCHOOL = UUID(int=1), UUID(int=2)
ROLES_HERE = (
    Role.HEADTEACHER,
    Role.DEPUTY_HEADTEACHER,
    Role.CHAIR_OF_GOVERNORS,
    Role.BUSINESS_MANAGER,
    Role.STAFF,
)
ROLES_ABOVE = (Role.CEO, Role.CHAIR_OF_TRUST_BOARD)


def person(number: int) -> UUID:
    """Somebody."""
    return UUID(int=1000 + number)


def roster(**held: Any) -> Roster:
    """`roster(headteacher=1, staff=[2, 3], ceo=9)`: who holds which role, by number."""
    posts = []
    for name, numbers in held.items():
        role = Role(name)
        for number in numbers if isinstance(numbers, list) else [numbers]:
            school = (
                SCHOOL if role in ROLES_HERE or role in {Role.DSL, Role.LINE_MANAGER, Role.GOVERNOR} else None
            )
            posts.append(Post(person(number), role, school, since=date(2020, 1, 1)))
    return Roster(tuple(posts))


def role_rule(role: Role) -> Rule:
    """The holder of a role."""
    return Rule(role=role)


UPWARDS = tuple(role_rule(role) for role in (Role.CHAIR_OF_GOVERNORS, Role.CEO, Role.CHAIR_OF_TRUST_BOARD))


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """A valid definition: some states in a row, ways back, an end from some of them, seats for random roles."""
    count = draw(st.integers(1, 4))
    states = []
    for number in range(count):
        onward = f"s{number + 1}" if number + 1 < count else "done"
        seats = tuple(
            Seat(
                f"seat{one}",
                f"Seat {one}",
                tuple(
                    role_rule(role)
                    for role in draw(st.lists(st.sampled_from(ROLES_HERE), min_size=1, max_size=3))
                ),
                apart_from=draw(st.sampled_from([(), ("starter",)])),
            )
            for one in range(draw(st.integers(1, 3)))
        )
        forks = draw(st.sampled_from([(), (Fork("done", Condition("about", (str(person(3)),))),)]))
        actions = [Action("on", "Go on", onward, forks=forks)]
        if draw(st.booleans()):
            actions.append(Action("note", "Note it", f"s{number}", ActionKind.NOTE))
        if draw(st.booleans()):
            actions.append(Action("anew", "Begin it anew", f"s{number}", ActionKind.OTHER, at_most=2))
        if number and draw(st.booleans()):
            actions.append(
                Action("back", "Send back", f"s{draw(st.integers(0, number - 1))}", ActionKind.BACK)
            )
        if draw(st.booleans()):
            actions.append(Action("end", "Refuse", "refused", ActionKind.END))
        if draw(st.booleans()):
            actions.append(Action("withdraw", "Withdraw", "refused", ActionKind.END, by_starter=True))
        deadline = Deadline(
            draw(st.integers(1, 10)),
            on_the_day=draw(st.booleans()),
            escalate=tuple(
                role_rule(role)
                for role in draw(
                    st.lists(st.sampled_from((*ROLES_HERE, *ROLES_ABOVE)), min_size=1, max_size=3)
                )
            ),
            escalate_after=draw(st.integers(0, 3)),
            lapse_to=draw(st.sampled_from(["", onward])),
        )
        states.append(State(f"s{number}", f"Step {number}", seats, tuple(actions), deadline))
    leads_to_refused = any(action.to == "refused" for state in states for action in state.actions)
    ends = [State("done", "Done", closed=True)]
    if leads_to_refused:
        ends.append(State("refused", "Refused", closed=True))
    return Definition(
        key="random",
        title="Random",
        summary="",
        start_label="Begin",
        states=(*states, *ends),
        fields=(Field("about", "About whom?", FieldKind.PERSON, required=False),),
        subject_fields=("about",),
        upwards=UPWARDS,
    )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Ten people with random roles and random ties; posts may be vacant, and one person may hold several."""
    people = [person(number) for number in range(10)]
    posts = []
    for role in (*ROLES_HERE, *ROLES_ABOVE):
        school = SCHOOL if role in ROLES_HERE else None
        for holder in draw(st.lists(st.sampled_from(people), max_size=3, unique=True)):
            posts.append(Post(holder, role, school, acting=draw(st.booleans())))
    ties = tuple(
        Tie(one, other, leads)
        for one, other, leads in draw(
            st.lists(st.tuples(st.sampled_from(people), st.sampled_from(people), st.booleans()), max_size=4)
        )
        if one != other
    )
    return Roster(tuple(posts), ties)


def by_field(field: str) -> Rule:
    """Whoever stands in a field."""
    return Rule(RuleKind.FIELD, field=field)
