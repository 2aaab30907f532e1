"""What follows from an action; and that no case is ever lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.workflows.given_workflows import SCHOOL, definitions, person, rosters
from trustportal.access import Role
from trustportal.errors import NotFound, RuleBroken
from trustportal.workflows.domain import checking, editing, engine, reading
from trustportal.workflows.domain.days import escalate_on
from trustportal.workflows.domain.definition import ActionKind, Definition
from trustportal.workflows.domain.engine import CaseFacts, Given, Pending
from trustportal.workflows.domain.routing import Circumstances, Roster, barred, next_above, route

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TEACHER, LEADER, HEAD, OTHER = (person(number) for number in range(4))
EVERYBODY = {TEACHER, LEADER, HEAD, OTHER}


def form(**instead: Any) -> dict[str, Any]:
    return {
        "administrators": [str(TEACHER), str(OTHER)],
        "moderators": [str(LEADER), str(OTHER)],
        "line_manager": str(LEADER),
        "go_live_on": "2027-01-10",
        "closes_on": "2027-07-01",
        **instead,
    }


def waiting(state: str, holder: UUID, **instead: Any) -> CaseFacts:
    facts: dict[str, Any] = {
        "state": state,
        "values": form(),
        "starter": TEACHER,
        "tasks": (Pending(uuid4(), state, frozenset({holder})),),
        "school": SCHOOL,
        **instead,
    }
    return CaseFacts(**facts)


APPROVAL = reading.shipped()["site-approval"]


def act(case: CaseFacts, action: str, by: UUID, **given_: Any) -> engine.Plan:
    return engine.advance(
        APPROVAL, case, action, by, NOW, given=Given(confirmed=True, **given_), may_be_named=EVERYBODY
    )


def test_signing_hands_on_with_a_deadline_of_working_days() -> None:
    plan = act(waiting("line_manager", LEADER), "sign", LEADER)
    assert (plan.state, plan.entered, plan.closed) == ("head", True, False)
    assert plan.signs == "I have read this form and support the request."
    assert plan.dated is not None
    assert plan.dated.due == date(2026, 11, 30)


def test_approving_enters_the_register() -> None:
    plan = act(waiting("head", HEAD), "approve", HEAD)
    assert plan.closed
    assert [str(one) for one in plan.effects] == ["register"]
    assert plan.letters == ("approval",)


@pytest.mark.parametrize("who", [TEACHER, OTHER, HEAD])
def test_nobody_else_signs(who: UUID) -> None:
    with pytest.raises(NotFound):
        act(waiting("line_manager", LEADER), "sign", who)


def test_a_statement_is_ticked() -> None:
    with pytest.raises(RuleBroken, match="Tick the box"):
        engine.advance(APPROVAL, waiting("line_manager", LEADER), "sign", LEADER, NOW)


def test_sending_back_says_why_and_voids() -> None:
    case = waiting("head", HEAD)
    with pytest.raises(RuleBroken, match="Say why"):
        act(case, "return", HEAD)
    plan = act(case, "return", HEAD, comment="Who reads it at weekends?")
    assert (plan.state, plan.voids) == ("returned", True)


def test_two_who_left_stop_the_approval() -> None:
    case = waiting("head", HEAD)
    with pytest.raises(RuleBroken, match="fewer than 2"):
        engine.advance(
            APPROVAL,
            case,
            "approve",
            HEAD,
            NOW,
            given=Given(confirmed=True),
            may_be_named=EVERYBODY - {OTHER},
        )


def test_no_approval_after_the_day_on_which_it_goes_live() -> None:
    case = waiting("head", HEAD, values=form(go_live_on="2026-11-23"))
    with pytest.raises(RuleBroken, match="has passed"):
        act(case, "approve", HEAD)


def test_a_subject_can_do_nothing() -> None:
    case = waiting("head", HEAD, subjects=frozenset({HEAD}))
    assert engine.possible(APPROVAL, case, HEAD) == ()


def test_every_seat_of_a_step_goes_forward_before_the_case_does() -> None:
    two = editing.add_approver(APPROVAL, "head", role=Role.DSL)
    first, second = uuid4(), uuid4()
    case = CaseFacts(
        "head",
        form(),
        TEACHER,
        tasks=(Pending(first, "head", frozenset({HEAD})), Pending(second, "dsl", frozenset({OTHER}))),
    )
    plan = engine.advance(
        two, case, "approve", HEAD, NOW, given=Given(confirmed=True), may_be_named=EVERYBODY
    )
    assert (plan.state, plan.entered, plan.closed, plan.effects) == ("head", False, False, ())
    left = replace(case, tasks=(replace(case.tasks[0], done=True), case.tasks[1]))
    plan = engine.advance(
        two, left, "approve", OTHER, NOW, given=Given(confirmed=True), may_be_named=EVERYBODY
    )
    assert plan.closed


# -- random walks -------------------------------------------------------------------------------------------------


@given(definitions())
def test_random_definitions_are_valid_and_survive_being_stored(definition: Definition) -> None:
    assert checking.is_usable(checking.check_shape(definition))
    assert reading.from_data(reading.to_data(definition)) == definition


def all_the_way_up(definition: Definition, among: Roster, case: CaseFacts) -> set[UUID]:
    """Everybody to whom a late step goes, one after the other, until nobody is left."""
    state = definition.state(case.state)
    around = Circumstances(SCHOOL, case.starter, case.values, case.subjects)
    passed = {one for task in case.tasks for one in task.people}
    found: set[UUID] = set()
    dated = engine.dated(state, NOW.date())
    assert dated is not None
    assert state.deadline is not None
    on = dated.escalate
    assert (on is not None) == (state.deadline.escalate_after > 0)
    assert on is None or on > dated.due
    while people := set(
        next_above(definition, state, among, around, passed=frozenset(passed | found)).people
    ):
        assert not people & found, "nobody is told twice"
        found |= people
        if on is not None:
            later = escalate_on(state.deadline, on)
            assert later is not None
            assert later > on
            on = later
    return found


@settings(max_examples=200)
@given(definitions(), rosters(), st.integers(0, 9), st.integers(0, 9), st.data())
def test_a_random_walk_never_strands_a_case(
    definition: Definition, among: Roster, starter: int, subject: int, data: st.DataObject
) -> None:
    """It never waits for a subject, and at every moment it is closed, or somebody has it, or an alarm is due because
    nobody at all may have it.
    """
    began, about = person(starter), frozenset({person(subject)})
    never = barred(among, about)
    values = {"about": str(person(subject))}

    def tasks_of(key: str) -> tuple[Pending, ...]:
        state = definition.state(key)
        case = Circumstances(SCHOOL, began, values, about)
        return tuple(
            Pending(uuid4(), seat.key, frozenset(route(definition, seat, among, case).people))
            for seat in state.seats
        )

    plan = engine.begin(definition, values, now=NOW)
    case = CaseFacts(plan.state, values, began, about, tasks_of(plan.state), school=SCHOOL)
    for _ in range(30):
        state = definition.state(case.state)
        if state.closed:
            return
        open_tasks = [task for task in case.tasks if not task.done]
        assert open_tasks, "nobody has anything to do"
        assert all(not task.people & never for task in case.tasks)
        went_up = all_the_way_up(definition, among, case)
        assert not went_up & (never | {began}), "it went up to whom it is about, or to whoever waits for it"
        assert not any(task.people & went_up for task in open_tasks), "whoever has it was asked again"
        stuck = [task for task in open_tasks if not task.people]
        for task in stuck:
            seat = state.seat(task.seat)
            assert seat is not None
            apart = {began} if "starter" in seat.apart_from else set()
            reachable = {
                holder
                for rule in (*seat.rules, *definition.upwards)
                if rule.role is not None
                for at in (SCHOOL, None)
                for holder in among.holders(rule.role, at)
            }
            assert reachable <= never | apart, "somebody could have had it"
        actors = {one for task in open_tasks for one in task.people} | {began}
        moves = [
            (one, action)
            for one in sorted(actors, key=str)
            for action in engine.possible(definition, case, one)
        ]
        if data.draw(st.booleans()):
            # Its day passes: where it goes on by itself, it does; anywhere else nothing happens.
            over = engine.lapse(definition, case, now=NOW)
            if over is not None:
                assert over.closed or over.dated is not None
                case = replace(case, state=over.state, tasks=() if over.closed else tasks_of(over.state))
                continue
        if not moves:
            assert stuck, "nobody can do anything, and no alarm is due"
            return
        actor, action = data.draw(st.sampled_from(moves))
        plan = engine.advance(
            definition, case, action.key, actor, NOW, given=Given(comment="So.", confirmed=True)
        )
        done = tuple(replace(task, done=True) if task.id == plan.task else task for task in case.tasks)
        if plan.entered:
            assert plan.dated is not None
            done = tasks_of(plan.state)
        case = replace(case, state=plan.state, tasks=() if plan.closed else done)
        assert plan.closed or action.kind is not ActionKind.END
