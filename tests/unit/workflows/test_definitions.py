"""Reading, checking, editing and trying out definitions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from tests.unit.workflows.given_workflows import SCHOOL, person, role_rule, roster
from trustportal.access import Role
from trustportal.errors import RuleBroken
from trustportal.workflows.domain import checking, editing, reading, trying
from trustportal.workflows.domain.definition import (
    Action,
    Deadline,
    Definition,
    Field,
    FieldKind,
    Rule,
    RuleKind,
    Seat,
    State,
)

STAFFED = roster(
    headteacher=1, deputy_headteacher=2, chair_of_governors=3, business_manager=4, staff=[5, 6], line_manager=7,
    dsl=8, ceo=9, chair_of_trust_board=10,
    vice_chair_of_trust_board=11,
)  # fmt: skip
APPROVAL = reading.shipped()["site-approval"]


@pytest.mark.parametrize("key", reading.shipped())
def test_what_comes_with_the_portal_is_in_order(key: str) -> None:
    definition = reading.shipped()[key]
    assert [one.words for one in checking.check_shape(definition)] == []
    assert [one.words for one in checking.check_people(definition, STAFFED, [(SCHOOL, "Ashgrove")])] == []
    assert reading.from_data(reading.to_data(definition)) == definition


def simple(**instead: object) -> Definition:
    seat = Seat("head", "Head", (role_rule(Role.HEADTEACHER),))
    step = State(
        "one",
        "First",
        (seat,),
        (Action("on", "Go on", "done"),),
        Deadline(5, escalate=(role_rule(Role.CEO),)),
    )
    parts = {"states": (step, State("done", "Done", closed=True)), **instead}
    return Definition(key="k", title="K", summary="", start_label="", **parts)  # type: ignore[arg-type]


def words(definition: Definition) -> list[str]:
    return [one.words for one in checking.check_shape(definition) if one.weight is checking.Weight.ERROR]


def test_a_check_finds_what_is_wrong() -> None:
    good = simple()
    step, done = good.states
    assert words(good) == []
    lost = State("lost", "Lost", closed=True)
    assert words(simple(states=(step, done, lost))) == ["Nothing leads to “Lost”."]
    round_ = replace(step, actions=(Action("on", "Go on", "two"),))
    two = replace(step, key="two", title="Second", actions=(Action("on", "Go on", "one"),))
    assert "“First” leads round in a circle that never ends." in words(simple(states=(round_, two, done)))
    assert words(simple(states=(replace(step, deadline=None), done))) == [
        "“First” has no deadline: a case could lie there unseen."
    ]
    assert words(simple(states=(replace(step, seats=()), done))) == ["“First” has nobody to act in it."]
    about = Field("about", "About whom?", FieldKind.PERSON)
    names = replace(step, seats=(Seat("s", "Somebody", (Rule(RuleKind.FIELD, field="about"),)),))
    found = words(simple(states=(names, done), fields=(about,), subject_fields=("about",)))
    assert found == ["The people whom a case is about would receive it through “Somebody”."]


def test_a_step_without_anybody_at_a_school_is_found() -> None:
    vacant = roster(staff=[5, 6], ceo=9)
    found = checking.check_people(simple(), vacant, [(SCHOOL, "Ashgrove")])
    assert [one.words for one in found] == [
        "Ashgrove: nobody can be “Head” in “First”. It looks for the headteacher."
    ]


def test_what_is_the_same_in_many_steps_and_schools_is_said_once() -> None:
    schools = [UUID(int=n) for n in (71, 72)]
    same = [
        checking.Finding(checking.Weight.WARNING, f"{school}: nobody in {step}.", step, school, "Nobody.")
        for school in schools
        for step in ("assess", "managing", "file")
    ]
    alone = checking.Finding(checking.Weight.ERROR, "Nothing leads to “File”.", "file")
    found = checking.gathered([same[0], alone, *same[1:]])
    assert [(one.words, one.steps, one.schools) for one in found] == [
        ("Nobody.", 3, 2),
        ("Nothing leads to “File”.", 0, 0),
    ]
    assert checking.gathered(same[:1])[0].words == same[0].words


def test_a_step_that_is_empty_only_for_one_starter_says_so() -> None:
    step, done = simple().states
    apart = replace(step, seats=(replace(step.seats[0], apart_from=("starter",)),))
    (found,) = checking.check_people(simple(states=(apart, done)), STAFFED, [(SCHOOL, "Ashgrove")])
    assert "when the headteacher starts it" in found.words


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"key": "k"}, "cannot be read at"),
        ({**reading.to_data(simple()), "colour": "red"}, "colour"),
        ({**reading.to_data(simple()), "states": []}, "at least one state"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(data: dict[str, object], said: str) -> None:
    with pytest.raises(RuleBroken, match=said):
        reading.from_data(data)


def test_an_action_that_leads_nowhere_is_refused() -> None:
    data = reading.to_data(simple())
    data["states"][0]["actions"][0]["to"] = "nowhere"
    with pytest.raises(RuleBroken, match="which is no state"):
        reading.from_data(data)


# -- editing -------------------------------------------------------------------------------------------------------


def test_a_deadline_a_step_and_an_approver_more() -> None:
    made = editing.set_deadline(APPROVAL, "head", within=9, stops_in_holidays=True)
    made = editing.add_step(
        made,
        "line_manager",
        title="The DSL reads it",
        role=Role.DSL,
        statement="I have no concerns.",
        within=2,
    )
    made = editing.add_approver(made, "head", role=Role.CHAIR_OF_GOVERNORS)
    assert checking.is_usable(checking.check_shape(made))
    assert [state.title for state in made.forward_path()] == [
        "The line manager reads and signs",
        "The DSL reads it",
        "The headteacher decides",
        "Approved",
    ]
    deadline = made.state("head").deadline
    assert deadline is not None
    assert (deadline.within, deadline.stops_in_holidays) == (9, True)
    assert [seat.title for seat in made.state("head").seats] == ["Headteacher", "Chair of governors"]
    assert reading.fingerprint(made) != reading.fingerprint(APPROVAL)


def test_a_new_step_has_somebody_even_when_its_own_post_asks() -> None:
    made = editing.add_step(APPROVAL, "line_manager", title="X", role=Role.DSL, statement="", within=2)
    made = editing.add_approver(made, "head", role=Role.CHAIR_OF_GOVERNORS)
    assert checking.check_people(made, STAFFED, [(SCHOOL, "Ashgrove")]) == []


def test_a_step_after_the_last_takes_over_what_the_last_caused() -> None:
    made = editing.add_step(
        APPROVAL, "head", title="The chair confirms", role=Role.CHAIR_OF_GOVERNORS, statement="", within=5
    )
    head, chair = made.state("head").forward, made.state("the_chair_confirms").forward
    assert head is not None
    assert chair is not None
    assert head.effects == ()
    assert [str(one) for one in chair.effects] == ["register"]
    back = editing.remove_step(made, "the_chair_confirms")
    assert back == APPROVAL


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda: editing.set_deadline(APPROVAL, "head", within=0, stops_in_holidays=False), "within"),
        (lambda: editing.add_approver(APPROVAL, "head", role=None), "role"),
        (lambda: editing.add_approver(APPROVAL, "head", role=Role.HEADTEACHER), "role"),
        (
            lambda: editing.add_step(APPROVAL, "head", title=" ", role=Role.DSL, statement="", within=2),
            "title",
        ),
        (lambda: editing.add_step(APPROVAL, "", title="X", role=Role.DSL, statement="", within=2), "after"),
        (lambda: editing.remove_approver(APPROVAL, "head", "head"), None),
        (lambda: editing.set_letter(APPROVAL, "approval", " "), "body"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(change: object, field: str | None) -> None:
    with pytest.raises(RuleBroken) as refused:
        change()  # type: ignore[operator]
    assert refused.value.field == field


def test_a_schools_own_settings_count_only_where_the_trust_lets_them() -> None:
    own = editing.SchoolsOwn({"head": 2}, {"head.head": (person(2),)}, {"approval": "Well done, {{to}}."})
    here = editing.at_school(APPROVAL, own)
    deadline = here.state("head").deadline
    assert deadline is not None
    assert deadline.within == 2
    assert here.state("head").seats[0].rules[0] == Rule(RuleKind.PERSON, person=person(2))
    letter = here.letter("approval")
    assert letter is not None
    assert letter.body == "Well done, {{to}}."
    closed = replace(APPROVAL, school_may=type(APPROVAL.school_may)())
    assert editing.at_school(closed, own) == closed
    assert editing.SchoolsOwn.read(own.stored()) == own


# -- trying out ----------------------------------------------------------------------------------------------------


def test_trying_out_says_who_and_by_when() -> None:
    steps = trying.try_out(
        APPROVAL,
        STAFFED,
        school=SCHOOL,
        starter=person(5),
        values={"line_manager": str(person(7))},
        on=date(2026, 11, 23),
    )
    shown = [(step.title, [seat.people for seat in step.seats], step.due) for step in steps]
    assert shown == [
        ("The line manager reads and signs", [(person(7),)], date(2026, 11, 30)),
        ("The headteacher decides", [(person(1),)], date(2026, 12, 7)),
        ("Approved", [], None),
    ]


def test_the_heads_own_request_goes_to_the_chief_executive() -> None:
    steps = trying.try_out(
        APPROVAL, STAFFED, school=SCHOOL, starter=person(1), values={"line_manager": str(person(7))},
        on=date(2026, 11, 23),
    )  # fmt: skip
    assert steps[1].seats[0].people == (person(9),)
