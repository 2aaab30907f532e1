"""How a case says by when it waits for somebody."""

from __future__ import annotations

from datetime import date

import pytest

from trustportal.workflows.views.presenting import deadline_words

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2026, 11, 16), "by 20 November 2026, in 4 working days"),
        (date(2026, 11, 19), "by 20 November 2026, in 1 working day"),
        (FRIDAY, "by today, 20 November 2026"),
        # At the weekend after it, it is late, although nobody has worked since.
        (date(2026, 11, 21), "since 20 November 2026: 1 day late"),
        (date(2026, 11, 22), "since 20 November 2026: 2 days late"),
        (date(2026, 11, 23), "since 20 November 2026: 3 days late"),
    ],
)
def test_a_deadline_is_ahead_today_or_past(today: date, said: str) -> None:
    assert deadline_words(FRIDAY, today) == said


def test_a_day_on_which_nobody_works_is_told_without_a_count() -> None:
    assert deadline_words(date(2026, 11, 22), date(2026, 11, 20)) == "by 22 November 2026"
    assert deadline_words(None, FRIDAY) == ""
