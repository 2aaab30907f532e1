"""Working days in England."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trustportal.workflows.domain import days
from trustportal.workflows.domain.days import Break, escalate_on
from trustportal.workflows.domain.definition import Deadline, Rule, RuleKind, Unit

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def test_the_clock_over_a_bank_holiday_weekend() -> None:
    """Thursday before Easter 2027: Good Friday, the weekend and Easter Monday do not count."""
    assert days.add_working_days(date(2027, 3, 25), 1) == date(2027, 3, 30)


def test_the_summer_holiday_does_not_stop_the_clock_unless_told() -> None:
    summer = [Break(date(2027, 7, 22), date(2027, 9, 1))]
    begun = date(2027, 7, 21)
    assert days.due_on(Deadline(1), begun, summer) == date(2027, 7, 22)
    assert days.due_on(Deadline(1, stops_in_holidays=True), begun, summer) == date(2027, 9, 2)


def test_days_that_are_counted_as_they_come_end_on_a_working_day() -> None:
    assert days.due_on(Deadline(1, Unit.DAYS), date(2026, 11, 20)) == date(2026, 11, 23)


def test_a_reminder_comes_before_and_never_on_the_first_day() -> None:
    deadline = Deadline(5, remind_before=1)
    begun = date(2026, 11, 23)
    due = days.due_on(deadline, begun)
    assert days.remind_on(deadline, begun, due) == date(2026, 11, 27)
    short = Deadline(1, remind_before=1)
    assert days.remind_on(short, begun, days.due_on(short, begun)) is None


@given(DAYS, st.integers(1, 60))
def test_a_deadline_lies_ahead_on_a_working_day_with_so_many_between(start: date, count: int) -> None:
    due = days.add_working_days(start, count)
    assert due > start
    assert days.is_working_day(due)
    assert days.working_days_between(start, due) == count


@given(DAYS, st.integers(0, 400))
def test_counting_forth_and_back_agree(start: date, ahead: int) -> None:
    end = start + timedelta(days=ahead)
    assert days.working_days_between(end, start) == -days.working_days_between(start, end)


def test_a_late_step_goes_upwards_on_a_working_day_past_easter_and_school_holidays() -> None:
    """Due on Maundy Thursday 2027: Good Friday and Easter Monday do not count, nor days that stop the clock."""
    due = date(2027, 3, 25)
    deadline = Deadline(1, escalate=(Rule(RuleKind.STARTER),), escalate_after=1)
    assert escalate_on(deadline, due) == date(2027, 3, 30)
    holidays = [Break(date(2027, 3, 26), date(2027, 4, 9))]
    assert escalate_on(deadline, due, holidays) == date(2027, 3, 30), "they do not stop this clock"
    assert escalate_on(replace(deadline, stops_in_holidays=True), due, holidays) == date(2027, 4, 12)
    assert escalate_on(replace(deadline, escalate_after=0), due) is None
    assert escalate_on(replace(deadline, escalate=()), due) is None
