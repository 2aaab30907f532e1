"""When a head is reminded, and from when on the trust may force its text."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.errors import RuleBroken
from trustportal.policies.domain.deadlines import check_deadline, check_force, may_force, reminder_due

DUE = date(2026, 11, 30)
days = st.dates(date(2026, 9, 1), date(2027, 3, 31))


def reminded_on(opened: date, due: date | None, until: date) -> list[date]:
    """The weekdays on which a head would be reminded."""
    found: list[date] = []
    day = opened
    while day <= until:
        last = found[-1] if found else None
        if day.weekday() < 5 and reminder_due(opened_on=opened, due_on=due, reminded_on=last, today=day):
            found.append(day)
        day += timedelta(days=1)
    return found


def test_two_weeks_one_week_two_days_the_day_and_weekly_after():
    # Two days before is a Saturday: the reminder comes on Monday, which is the day itself.
    assert reminded_on(date(2026, 11, 2), DUE, date(2026, 12, 14)) == [
        date(2026, 11, 16),
        date(2026, 11, 23),
        date(2026, 11, 30),
        date(2026, 12, 7),
        date(2026, 12, 14),
    ]


def test_nobody_is_reminded_on_the_day_that_they_were_asked():
    assert reminded_on(DUE - timedelta(days=7), DUE, DUE - timedelta(days=4)) == []


def test_without_a_deadline_every_two_weeks():
    assert reminded_on(date(2026, 11, 2), None, date(2026, 11, 30)) == [
        date(2026, 11, 16),
        date(2026, 11, 30),
    ]


@given(opened=days, due=st.none() | days, today=days)
def test_never_twice_on_one_day(opened: date, due: date | None, today: date):
    assert not reminder_due(opened_on=opened, due_on=due, reminded_on=today, today=today)


@given(due=st.none() | days, today=days)
def test_forcing_is_open_only_after_the_deadline(due: date | None, today: date):
    assert may_force(due, today) is (due is not None and today > due)
    if may_force(due, today):
        check_force(due, today, has_it=False, reason="It is the law.")
        with pytest.raises(RuleBroken, match="Say why"):
            check_force(due, today, has_it=False, reason=" ")
        with pytest.raises(RuleBroken, match="already"):
            check_force(due, today, has_it=True, reason="It is the law.")
    else:
        with pytest.raises(RuleBroken):
            check_force(due, today, has_it=False, reason="It is the law.")


def test_a_deadline_lies_ahead():
    check_deadline(DUE, DUE)
    with pytest.raises(RuleBroken):
        check_deadline(DUE, DUE + timedelta(days=1))
