"""The schedule of reminders, escalation and quiet hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.acceptance.domain.chasing import (
    LONDON,
    Level,
    Schedule,
    check_schedule,
    civil_time,
    level_due,
    reminder_is_due,
)
from trustportal.errors import RuleBroken

DUE = date(2026, 9, 30)
HOURS = st.integers(0, 23)
SCHEDULES = st.builds(Schedule, quiet_from=HOURS, quiet_to=HOURS, weekends=st.booleans())
INSTANTS = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(INSTANTS, SCHEDULES)
def test_mail_never_goes_out_at_an_uncivil_hour(at: datetime, schedule: Schedule) -> None:
    chosen = civil_time(at, schedule)
    local = chosen.astimezone(LONDON)
    assert chosen >= at
    assert chosen - at < timedelta(days=5)
    assert schedule.weekends or local.weekday() < 5
    if schedule.quiet_from < schedule.quiet_to:
        assert not schedule.quiet_from <= local.hour < schedule.quiet_to
    elif schedule.quiet_from > schedule.quiet_to:
        assert schedule.quiet_to <= local.hour < schedule.quiet_from
    assert civil_time(chosen, schedule) == chosen


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("2026-09-30T12:00", "2026-09-30T12:00"),  # a Wednesday at noon
        ("2026-09-30T19:30", "2026-10-01T07:00"),
        ("2026-10-02T19:30", "2026-10-05T07:00"),  # Friday evening: Monday
        ("2026-10-24T10:00", "2026-10-26T07:00"),  # over the night in which the clocks go back
        ("2026-10-01T00:01", "2026-10-01T07:00"),
    ],
)
def test_quiet_hours_as_people_know_them(at: str, wanted: str) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=LONDON)
    assert civil_time(instant, Schedule()) == datetime.fromisoformat(wanted).replace(tzinfo=LONDON)


def test_escalation_goes_up_step_by_step_and_each_is_told_once() -> None:
    told, seen = Level.NOBODY, []
    for late in range(60):
        level = level_due(Schedule(), due_on=DUE, today=DUE + timedelta(days=late), told=told)
        if level > told:
            seen.append((late, level))
            told = level
    assert seen == [(3, Level.LINE_MANAGER), (7, Level.HEAD), (21, Level.TRUST)]


def test_a_level_that_is_never_told_is_passed_over() -> None:
    schedule = replace(Schedule(), line_manager_after=None, trust_after=None)
    assert level_due(schedule, due_on=DUE, today=DUE + timedelta(days=6), told=Level.NOBODY) is Level.NOBODY
    assert level_due(schedule, due_on=DUE, today=DUE + timedelta(days=90), told=Level.NOBODY) is Level.HEAD


def test_after_a_long_pause_only_the_highest_is_told() -> None:
    assert level_due(Schedule(), due_on=DUE, today=DUE + timedelta(days=40), told=Level.NOBODY) is Level.TRUST


@given(st.integers(0, 30), st.integers(2, 30))
def test_reminders_come_no_more_often_than_the_trust_chose(before: int, every: int) -> None:
    schedule = check_schedule(replace(Schedule(), before=before, every=every))
    reminded: list[date] = []
    for number in range(-60, 120):
        day = DUE + timedelta(days=number)
        if reminder_is_due(
            schedule,
            due_on=DUE,
            asked_on=DUE - timedelta(days=60),
            reminded_on=reminded[-1] if reminded else None,
            today=day,
        ):
            reminded.append(day)
    assert reminded[0] == DUE - timedelta(days=before)
    gaps = [(b - a).days for a, b in pairwise(reminded)]
    assert set(gaps) == {every}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"before": 61}, "before"),
        ({"every": 1}, "every"),
        ({"line_manager_after": 0}, "line_manager_after"),
        ({"head_after": 2}, "head_after"),
        ({"trust_after": 500}, "trust_after"),
        ({"quiet_from": 24}, "quiet_from"),
    ],
)
def test_what_a_schedule_cannot_be(changes: dict[str, int], field: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_schedule(replace(Schedule(), **changes))
    assert refused.value.field == field


def test_what_is_stored_is_read_again() -> None:
    chosen = replace(Schedule(), head_after=None, weekends=True)
    assert Schedule.read(chosen.to_json()) == chosen
    assert Schedule.read({"before": 3, "forgotten": 1}) == replace(Schedule(), before=3)
