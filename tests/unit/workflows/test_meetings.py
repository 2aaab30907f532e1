"""What a meeting with a parent asked of the engine: forks, notes, limits, ends by themselves, names, two people."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from tests.unit.workflows.given_workflows import SCHOOL, person
from trustportal.access import Role
from trustportal.errors import RuleBroken
from trustportal.workflows import calendar_file
from trustportal.workflows.domain import answers, checking, editing, engine, naming, reading
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.domain.engine import CaseFacts, Given, Pending
from trustportal.workflows.domain.letters import filled

HEAD = person(1)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TALK = reading.from_yaml(
    """
key: talk
title: Talk
summary: ""
start_label: Begin
fields:
  - {key: name, label: Name, kind: text}
  - {key: other, label: Other name, kind: text, required: false}
  - {key: children, label: Others, kind: text, required: false, private: true, unnamed: true}
  - {key: shared, label: Shared, kind: choice, required: false, options: [{value: "no", label: "No"}]}
  - {key: kind, label: Kind, kind: choice, asked_by: go, options: [{value: a, label: A}, {value: b, label: B}]}
  - {key: held_on, label: Day, kind: day, required: false, asked_by: go}
  - {key: secret, label: Secret, kind: text, required: false, apart: true, asked_by: go}
  - {key: noted, label: Noted, kind: text, asked_by: note}
twin: {when: {field: shared, any_of: ["no"]}, fields: [[name, other]]}
states:
  - key: one
    title: One
    seats: &head [{key: head, title: Head, rules: [{role: headteacher}]}]
    deadline: {within: 3, escalate: &ceo [{role: ceo}]}
    actions:
      - key: go
        label: Go
        to: two
        guards: [unnamed]
        letters: [letter]
        forks: [{to: end, when: {field: kind, any_of: [b]}}]
      - {key: note, label: Note, to: one, kind: note}
      - {key: again, label: Again, to: one, kind: other, at_most: 2}
  - key: two
    title: Two
    seats: *head
    deadline: {within: 0, from_field: held_on, lapse_to: over, escalate: *ceo}
    actions: [{key: done, label: Done, to: end}]
  - key: over
    title: Over
    seats: *head
    deadline: {within: 1, escalate: *ceo}
    actions: [{key: done, label: Done, to: end}]
  - {key: end, title: End, closed: true}
letters:
  - {key: letter, title: Letter, to: name, body: "Dear {{to}}, {{comment}}"}
"""
)


def case(state: str = "one", **values: Any) -> CaseFacts:
    return CaseFacts(
        state,
        {"name": "Ms Lee", **values},
        person(2),
        tasks=(Pending(uuid4(), "head", frozenset({HEAD})),),
        school=SCHOOL,
    )


def act(facts: CaseFacts, action: str, comment: str = "", **given_: Any) -> engine.Plan:
    return engine.advance(TALK, facts, action, HEAD, NOW, given=Given(comment, True, given_))


def test_it_is_in_order() -> None:
    assert checking.check_shape(TALK) == []
    assert reading.from_data(reading.to_data(TALK)) == TALK


def test_the_answers_decide_which_way() -> None:
    assert act(case(), "go", kind="a").state == "two"
    plan = act(case(), "go", kind="b")
    assert (plan.state, plan.closed) == ("end", True)


def test_a_deadline_counts_from_a_day_in_the_form_and_the_case_goes_on_by_itself() -> None:
    plan = act(case(), "go", kind="a", held_on="2026-12-25")
    assert plan.dated is not None
    assert plan.dated.due == date(2026, 12, 29), "the next working day: 28 December is a bank holiday in lieu"
    over = engine.lapse(TALK, case("two", held_on="2026-12-25"), now=NOW)
    assert over is not None
    assert (over.state, over.entered, over.action) == ("over", True, engine.LAPSE)
    assert engine.lapse(TALK, case("one"), now=NOW) is None


def test_a_note_changes_nothing_else() -> None:
    plan = act(case(), "note", noted="She rang.")
    assert (plan.state, plan.entered, plan.closed, plan.task) == ("one", False, False, None)
    assert plan.values["noted"] == "She rang."


def test_what_lies_apart_is_not_kept() -> None:
    plan = act(case(), "go", kind="a", secret="The police know.")
    assert "secret" not in plan.values
    assert plan.apart == {"secret": "The police know."}


def test_so_often_and_no_more() -> None:
    taken = engine.possible(TALK, CaseFacts("one", {}, None, tasks=case().tasks, taken={"again": 2}), HEAD)
    assert [one.key for one in taken] == ["go", "note"]
    changed = editing.set_limit(TALK, "one", "again", at_most=3)
    assert [
        one.key
        for one in engine.possible(
            changed, CaseFacts("one", {}, None, tasks=case().tasks, taken={"again": 2}), HEAD
        )
    ] == ["go", "note", "again"]
    with pytest.raises(RuleBroken):
        editing.set_limit(TALK, "one", "again", at_most=0)


def test_a_step_that_is_taken_out_leaves_no_way_to_it() -> None:
    changed = editing.remove_step(
        editing.add_step(TALK, "one", title="Read", role=Role.DSL, statement="", within=2), "two"
    )
    assert reading.from_data(reading.to_data(changed))
    assert checking.is_usable([one for one in checking.check_shape(changed) if one.state != "over"])


@pytest.mark.parametrize(
    ("names", "text", "found"),
    [
        ("Noor Aziz, Ben Pike", "Noor’s picture was shown", "Noor"),
        ("Noor Aziz, Ben Pike", "A PIKE fell", "Pike"),
        ("Bo", "Bo was there", "Bo"),
    ],
)
def test_a_name_that_must_not_stand_in_a_letter_is_found(names: str, text: str, found: str) -> None:
    with pytest.raises(RuleBroken, match=f"“{found}”"):
        act(case(children=names), "go", text, kind="a")


def test_whom_it_is_for_may_be_named() -> None:
    assert act(case(children="Ann Lee"), "go", "Dear Ms Lee, somebody benefited.", kind="a").letters == (
        "letter",
    )


@given(
    st.sampled_from(["noor", "pike", "bo"]),
    st.sampled_from(["", "’s", "'s", "’", "-Smith"]),
    st.sampled_from(" ,.;!\n"),
)
def test_a_name_is_found_however_it_is_written(name: str, ending: str, after: str) -> None:
    for written in (name, name.upper(), name.title()):
        assert naming.named_in(f"So{after}{written}{ending}{after}said", naming.parts_of("Noor Pike, Bo"))
    assert naming.named_in(f"x{name}y", naming.parts_of("Noor Pike, Bo")) == []


def test_two_people_become_two_forms_that_share_nothing_of_either() -> None:
    values = {"name": "Ms Lee", "other": "Mr Frost", "shared": "no", "children": "x"}
    first, second = answers.divided(TALK, values)
    assert (first["name"], first["other"], second["name"], second["other"]) == ("Ms Lee", "", "Mr Frost", "")
    assert answers.divided(TALK, {**values, "shared": ""}) == [{**values, "shared": ""}]


def test_a_letter_outside_cannot_print_what_is_private() -> None:
    body = "Dear {{to}}, {{field.children}}"
    assert [one.words for one in checking.check_shape(editing.set_letter(TALK, "letter", body))] == [
        "The letter “Letter” would tell somebody outside what “Others” says."
    ]


def test_a_paragraph_without_what_it_asks_for_is_left_out() -> None:
    body = "One {{a}}.\n\nTwo {{b?}}.\n\n{{c}}"
    assert filled(body, {"a": "x"}) == "One x."
    assert filled(body, {"a": "x", "b": "y", "c": "{{a}}"}) == "One x.\n\nTwo y.\n\n{{a}}"


@given(st.sampled_from(["9:05", "9.05", "09:05", "23:59"]), st.text(max_size=6))
def test_times_of_day(good: str, other: str) -> None:
    assert answers.as_time(good) in {"09:05", "23:59"}
    read = answers.as_time(other)
    assert read == "" or answers.as_time(read) == read


@given(
    st.uuids(),
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    st.integers(0, 23),
    st.text(min_size=1, max_size=40).filter(str.strip),
)
def test_a_calendar_reads_what_was_meant(case_id: UUID, day: date, hour: int, place: str) -> None:
    place = "".join(sign for sign in place if sign.isprintable()) or "Hall"
    content = {
        "uid": calendar_file.identity(case_id, "first"), "sequence": 2, "day": day.isoformat(), "time": f"{hour:02}:30",
        "minutes": "45", "title": "Meeting with a parent", "place": place, "organisation": "Ashgrove", "cancels": False,
        "written_at": "2026-11-21T10:00:00+00:00",
    }  # fmt: skip
    event = Calendar.from_ical(calendar_file.make(content)).walk("VEVENT")[0]
    assert (
        str(event["UID"])
        == calendar_file.identity(case_id, "first")
        != calendar_file.identity(case_id, "second")
    )
    assert str(event["LOCATION"]) == place
    assert event["DTSTART"].dt.tzinfo is not None
    assert abs(
        (event["DTSTART"].dt - datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)).total_seconds()
    ) in {
        0,
        3600,
    }


def test_shipped_forms_have_no_way_to_a_subject() -> None:
    """The definition that ships is checked with people in test_definitions; here, that it says nothing of itself."""
    shipped: Definition = reading.shipped()["parent-meeting"]
    held = shipped.state("held")
    assert held.title == "Awaiting advice"
    hold = {action.said for state in shipped.states for action in state.actions if action.key == "hold"}
    assert hold == {"asked for advice"}
    assert all(one.apart for one in shipped.asked_by("hold"))
    for letter in shipped.letters:
        assert shipped.is_outside(letter)
