"""Days to aim at: counted from the beginning or a decision, met or not, and never more than a target."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.errors import RuleBroken
from trustportal.workflows.domain import editing, reading
from trustportal.workflows.domain.days import is_working_day
from trustportal.workflows.domain.definition import Target, TargetUnit
from trustportal.workflows.domain.targets import aims, day_of_target, months_after

CAME = date(2027, 1, 29)
SHIPPED = reading.shipped()["allegation"].targets


def test_the_targets_of_an_allegation() -> None:
    at_first = {one.key: one.day for one in aims(SHIPPED, began_on=CAME, taken={})}
    assert at_first == {
        "clear": date(2027, 2, 5),
        "most": date(2027, 2, 28),
        "nearly_all": date(2027, 4, 29),
        "all": date(2028, 1, 29),
    }
    # The outcome was recorded on the Wednesday before Easter: Good Friday and Easter Monday do not count.
    decided = {one.key: one for one in aims(SHIPPED, began_on=CAME, taken={"outcome": date(2027, 3, 24)})}
    assert decided["most"].met_on == date(2027, 3, 24)
    assert (decided["action"].day, decided["action"].met_on) == (date(2027, 3, 31), None)
    assert decided["hearing"].day == date(2027, 4, 16)


def test_what_was_taken_up_again_begins_anew() -> None:
    again = aims(SHIPPED, began_on=date(2027, 6, 1), taken={"outcome": date(2027, 3, 24)})
    assert {one.met_on for one in again} == {None}
    assert "action" not in {one.key for one in again}


def test_at_the_end_only_what_was_met_is_shown() -> None:
    taken = {"outcome": date(2027, 2, 10), "file": date(2027, 2, 11)}
    ended = aims(SHIPPED, began_on=CAME, taken=taken, closed=True)
    assert {one.key for one in ended} == {"clear", "most", "nearly_all", "all", "action"}
    assert aims(SHIPPED, began_on=CAME, taken={}, closed=True) == []


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(1, 60), st.sampled_from(list(TargetUnit)))
def test_a_target_lies_ahead_and_more_of_it_further(since: date, within: int, unit: TargetUnit) -> None:
    target = Target("one", "One", within, unit)
    day = day_of_target(target, since)
    assert day > since
    assert day_of_target(replace(target, within=within + 1), since) > day
    if unit is TargetUnit.WORKING_DAYS:
        assert is_working_day(day)
    if unit is TargetUnit.MONTHS:
        assert months_after(since, within) == day
        assert day.day <= since.day
        assert (day + timedelta(days=31)).replace(day=1) > day


def test_a_trust_sets_its_own_and_a_target_names_what_there_is() -> None:
    before = reading.shipped()["allegation"]
    after = editing.set_target(before, "most", within=2)
    assert next(one.within for one in after.targets if one.key == "most") == 2
    with pytest.raises(RuleBroken, match="between 1 and"):
        editing.set_target(before, "most", within=0)
    with pytest.raises(RuleBroken, match="no action"):
        reading.from_data(
            {**reading.to_data(before), "targets": [{"key": "x", "label": "X", "within": 1, "met_by": ["y"]}]}
        )
    shorter = editing.remove_step(before, "personnel")
    assert [one.met_by for one in shorter.targets if one.key == "action"] == [()]
    assert reading.from_data(reading.to_data(shorter)) == shorter
