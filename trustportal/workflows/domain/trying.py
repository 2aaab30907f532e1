"""Trying a definition out: who would get a case at a school, and by when, if everybody went forward. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from trustportal.workflows.domain.days import Break, due_on, escalate_on
from trustportal.workflows.domain.definition import Definition, Rule
from trustportal.workflows.domain.routing import Circumstances, Roster, next_above, route


@dataclass(frozen=True, slots=True)
class TriedSeat:
    """Who would sit in a seat. Nobody: `people` is empty, and it would end with the LADO or an alarm."""

    title: str
    people: tuple[UUID, ...]
    rule: Rule | None
    passed_over: int


@dataclass(frozen=True, slots=True)
class TriedStep:
    """One state on the way: who, by when at the latest, and who would be told after that."""

    state: str
    title: str
    seats: tuple[TriedSeat, ...]
    due: date | None
    told: tuple[UUID, ...] = ()
    closed: bool = False
    #: When they would be told, where that is not at once.
    up: date | None = None


def try_out(
    definition: Definition,
    roster: Roster,
    *,
    school: UUID | None,
    starter: UUID | None,
    values: Mapping[str, Any],
    subjects: frozenset[UUID] = frozenset(),
    on: date,
    breaks: Collection[Break] = (),
) -> tuple[TriedStep, ...]:
    """The way of a case that begins on a day, each step taking as long as it may."""
    steps: list[TriedStep] = []
    signers: list[tuple[str, UUID]] = []
    day = on
    for state in definition.forward_path():
        case = Circumstances(school, starter, values, subjects, tuple(signers))
        seats = []
        for seat in state.seats:
            routed = route(definition, seat, roster, case)
            seats.append(TriedSeat(seat.title, routed.people, routed.rule, routed.passed_over))
            signers += [(state.key, person) for person in routed.people[:1]]
        due: date | None = None
        up: date | None = None
        told: tuple[UUID, ...] = ()
        if state.deadline:
            due = due_on(state.deadline, day, breaks)
            sit = frozenset(person for seat in seats for person in seat.people)
            told = next_above(definition, state, roster, case, passed=sit).people
            up = escalate_on(state.deadline, due, breaks)
        steps.append(TriedStep(state.key, state.title, tuple(seats), due, told, state.closed, up))
        day = due or day
    return tuple(steps)
