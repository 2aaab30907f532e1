"""What follows from an action in a case: facts in, plan out, or `RuleBroken`. Pure.

Who gets the tasks that a plan opens is not decided here but by `routing`, in a job: whoever acts may not know the
ties that routing has to look at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from trustportal.errors import NotFound, RuleBroken
from trustportal.times import day_of
from trustportal.workflows.domain import answers, naming
from trustportal.workflows.domain.days import Break, due_on, escalate_on, remind_on
from trustportal.workflows.domain.definition import (
    Action,
    ActionKind,
    Comment,
    Definition,
    Effect,
    FieldKind,
    Guard,
    Meeting,
    State,
    Values,
)
from trustportal.workflows.domain.routing import people_in


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that counts: in which state, in which seat, by whom."""

    state: str
    seat: str
    person: UUID


@dataclass(frozen=True, slots=True)
class Pending:
    """A task of the present state. `people` may do it; nobody yet: it is being given out, or nobody can get it."""

    id: UUID
    seat: str
    people: frozenset[UUID]
    done: bool = False


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """A case as the engine sees it."""

    state: str
    values: Mapping[str, Any]
    starter: UUID | None
    subjects: frozenset[UUID] = frozenset()
    tasks: tuple[Pending, ...] = ()
    signatures: tuple[Signed, ...] = ()
    school: UUID | None = None
    #: How often an action was taken already, where the definition limits it.
    taken: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody sends with an action."""

    comment: str = ""
    confirmed: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dated:
    """When a state is due, when those who have not acted are reminded, and when it goes upwards."""

    due: date
    remind: date | None
    on_the_day: date | None = None
    escalate: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What changes. `task`: the one that the actor has done; `entered`: the state's seats get tasks anew.

    `voids`: every signature so far counts no more. `signs`: the words that the actor has signed, "" for none.
    """

    state: str
    said: str
    action: str
    task: UUID | None = None
    entered: bool = False
    closed: bool = False
    voids: bool = False
    signs: str = ""
    seat: str = ""
    comment: str = ""
    values: Values = field(default_factory=dict)
    dated: Dated | None = None
    effects: tuple[Effect, ...] = ()
    letters: tuple[str, ...] = ()
    #: Answers that are not kept in the case.
    apart: Values = field(default_factory=dict)
    meeting: Meeting | None = None


#: What the starter does when they change the form of a case that waits with somebody else.
CHANGE = "change"
#: What the clock does when a day has passed on which something ends by itself.
LAPSE = "lapse"


def dated(
    state: State, on: date, breaks: Collection[Break] = (), values: Mapping[str, Any] | None = None
) -> Dated | None:
    """When a state that is entered on a day is due; None for one without a deadline."""
    if state.deadline is None:
        return None
    since = (
        answers.as_day((values or {}).get(state.deadline.from_field)) if state.deadline.from_field else None
    )
    due = due_on(state.deadline, since or on, breaks)
    return Dated(
        due,
        remind_on(state.deadline, on, due),
        due if state.deadline.on_the_day and due > on else None,
        escalate_on(state.deadline, due, breaks),
    )


def lapse(
    definition: Definition, case: CaseFacts, *, now: datetime, breaks: Collection[Break] = ()
) -> Plan | None:
    """What follows by itself when the deadline of a state has passed; None where nothing does."""
    state = definition.state(case.state)
    if state.deadline is None or not state.deadline.lapse_to:
        return None
    target = definition.state(state.deadline.lapse_to)
    return Plan(
        state=target.key,
        said="ended by itself",
        action=LAPSE,
        entered=not target.closed,
        closed=target.closed,
        values=dict(case.values),
        dated=dated(target, day_of(now), breaks, case.values),
    )


def begin(
    definition: Definition, values: Mapping[str, Any], *, now: datetime, breaks: Collection[Break] = ()
) -> Plan:
    """A case that begins: its first state is entered with the form as it was sent."""
    state = definition.first
    return Plan(
        state=state.key,
        said="sent the form",
        action="begin",
        entered=True,
        closed=state.closed,
        values=dict(values),
        dated=dated(state, day_of(now), breaks, values),
    )


def task_of(case: CaseFacts, person: UUID | None) -> Pending | None:
    """The task of the present state that waits for somebody."""
    return next((one for one in case.tasks if not one.done and person in one.people), None)


def possible(definition: Definition, case: CaseFacts, person: UUID | None) -> tuple[Action, ...]:
    """What somebody can do in a case now. A subject can do nothing, whatever else they are."""
    state = definition.state(case.state)
    if person is None or person in case.subjects or state.closed:
        return ()
    sits, began = task_of(case, person) is not None, person == case.starter
    return tuple(
        one
        for one in state.actions
        if (began if one.by_starter else sits)
        and not (one.at_most and case.taken.get(one.key, 0) >= one.at_most)
    )


def may_change(definition: Definition, case: CaseFacts, person: UUID | None) -> bool:
    """Whether somebody can change the form now."""
    state = definition.state(case.state)
    return state.starter_edits and not state.closed and person is not None and person == case.starter


def advance(
    definition: Definition,
    case: CaseFacts,
    action: str,
    actor: UUID,
    now: datetime,
    *,
    given: Given | None = None,
    may_be_named: Collection[UUID] = frozenset(),
    breaks: Collection[Break] = (),
    chairs: Collection[UUID] = frozenset(),
) -> Plan:
    """The plan for an action. Raises `NotFound` where it is not the actor's, `RuleBroken` where a rule says no.

    `chairs`: who chairs the school's governors.
    """
    given = given or Given()
    chosen = next((one for one in possible(definition, case, actor) if one.key == action), None)
    if chosen is None:
        raise NotFound()
    asked = definition.asked_in(chosen)
    added = answers.tidy(asked, given.answers)
    values = {**case.values, **added}
    today = day_of(now)
    answers.check(definition, asked, values, starter=case.starter, may_be_named=may_be_named, today=today)
    for one in asked:
        if one.only and not answers.holds(one.required_if, values):
            values[one.key] = [] if one.kind in answers.LISTS else ""
    apart = {one.key: values.pop(one.key) for one in asked if one.apart}
    fork = next((one for one in chosen.forks if answers.holds(one.when, values)), None)
    letters = (*chosen.letters, *(fork.letters if fork else ()))
    comment = given.comment.strip()
    if chosen.comment is Comment.REQUIRED and not comment:
        raise RuleBroken("Say why, so that the others understand it.", "comment")
    if len(comment) > 4000:
        raise RuleBroken("This can have up to 4000 characters.", "comment")
    if chosen.statement and not given.confirmed:
        raise RuleBroken("Tick the box to say that you agree with the statement.", "confirmed")
    for guard in chosen.guards:
        if guard is Guard.UNNAMED:
            naming.check(definition, letters, values, comment)
        elif guard is Guard.CHAIR_ATTENDS:
            naming.check_chair(values, chairs)
        elif guard is Guard.MEETING_DAY_CAME:
            naming.check_day(values, today)
        else:
            _guard(guard, definition, values, may_be_named, today)
    mine = task_of(case, actor)
    others = [one for one in case.tasks if not one.done and (mine is None or one.id != mine.id)]
    waits = chosen.kind is ActionKind.FORWARD and not chosen.by_starter and bool(others)
    stays = waits or chosen.kind is ActionKind.NOTE
    target = definition.state(case.state if stays else fork.to if fork else chosen.to)
    entered = not stays and not target.closed
    goes_back = not waits and chosen.kind is ActionKind.BACK
    return Plan(
        state=target.key,
        said=chosen.said or f"chose “{chosen.label}”",
        action=chosen.key,
        task=mine.id if mine and not chosen.by_starter and chosen.kind is not ActionKind.NOTE else None,
        seat=mine.seat if mine else "",
        entered=entered,
        closed=target.closed,
        voids=goes_back,
        signs=chosen.statement,
        comment=comment,
        values=values,
        dated=dated(target, today, breaks, values) if entered else None,
        effects=() if waits else chosen.effects,
        letters=() if waits else letters,
        apart=apart,
        meeting=None if waits else chosen.meeting,
    )


def change(
    definition: Definition,
    case: CaseFacts,
    values: Mapping[str, Any],
    actor: UUID,
    now: datetime,
    *,
    may_be_named: Collection[UUID],
    breaks: Collection[Break] = (),
) -> Plan:
    """The plan for a changed form: what was signed is void, and the case begins again where it is read."""
    if not may_change(definition, case, actor):
        raise NotFound()
    tidied = answers.tidy(definition.form, values)
    answers.check(
        definition,
        definition.form,
        tidied,
        starter=case.starter,
        may_be_named=may_be_named,
        today=day_of(now),
    )
    if all(tidied.get(one.key) == case.values.get(one.key) for one in definition.form):
        raise RuleBroken("Nothing was changed.")
    state = definition.state(definition.resubmit_to or definition.first.key)
    return Plan(
        state=state.key,
        said="changed the form",
        action=CHANGE,
        entered=True,
        voids=True,
        values={**case.values, **tidied},
        dated=dated(state, day_of(now), breaks, {**case.values, **tidied}),
    )


def _guard(
    guard: Guard, definition: Definition, values: Mapping[str, Any], serving: Collection[UUID], today: date
) -> None:
    if guard is Guard.PEOPLE_SERVE:
        for one in definition.form:
            if one.kind is not FieldKind.PEOPLE or not values.get(one.key):
                continue
            left = people_in(values.get(one.key)) & set(serving)
            if len(left) < one.least:
                raise RuleBroken(
                    f"“{one.label}”: fewer than {one.least} of the people named still serve here. Send the form back."
                )
    elif guard is Guard.DAYS_AHEAD:
        for one in definition.form:
            day = answers.as_day(values.get(one.key)) if one.kind is FieldKind.DAY else None
            if one.after == "today" and day is not None and day <= today:
                raise RuleBroken(
                    f"“{one.label}” has passed: it has to be after the approval. Send the form back for another day."
                )
