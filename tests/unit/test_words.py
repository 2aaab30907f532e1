"""Words for pages: days, plurals and lists as people write them in England."""

from datetime import UTC, date, datetime

import pytest

from trustportal import words

WEDNESDAY = date(2026, 11, 18)


def test_a_day_is_written_without_a_leading_nought() -> None:
    assert words.day(date(2026, 9, 4)) == "4 September 2026"
    assert words.short_day(date(2026, 11, 12)) == "12 Nov 2026"


def test_a_day_is_read_from_what_snapshots_hold() -> None:
    assert words.day("2026-09-04") == "4 September 2026"
    assert words.day("2026-07-01T23:30:00+00:00") == "2 July 2026"
    assert words.day(None) == words.day("") == ""


def test_an_instant_is_told_in_england_s_time() -> None:
    # British Summer Time: half past eleven at night in UTC is the next day here.
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert words.instant(late) == "2 July 2026 at 00:30"
    assert words.day(late) == "2 July 2026"
    assert words.instant(datetime(2026, 12, 1, 9, 5, tzinfo=UTC)) == "1 December 2026 at 09:05"
    assert words.instant(None) == ""


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (date(2026, 11, 16), "2 days late"),
        (date(2026, 11, 17), "1 day late"),
        (WEDNESDAY, "today"),
        (date(2026, 11, 19), "by tomorrow"),
        (date(2026, 11, 20), "by Friday"),
        # A week ahead is the same weekday again, so it is told by its date.
        (date(2026, 11, 25), "by 25 November"),
        (date(2027, 1, 8), "by 8 January 2027"),
    ],
)
def test_by_when_is_told_as_somebody_would_say_it(due: date, said: str) -> None:
    assert words.due_words(due, WEDNESDAY) == said


def test_one_and_many() -> None:
    assert words.plural(1, "clause") == "1 clause"
    assert words.plural(0, "clause") == "0 clauses"
    assert words.plural(3, "policy is", "policies are") == "3 policies are"


def test_small_numbers_are_spelled_out() -> None:
    assert [words.spelled(n) for n in (0, 1, 10, 11)] == ["No", "One", "Ten", "11"]


def test_a_list_ends_with_its_last_word() -> None:
    assert words.listed([]) == ""
    assert words.listed(["Ashgrove"]) == "Ashgrove"
    assert words.listed(["Ashgrove", "Northgate"]) == "Ashgrove and Northgate"
    assert (
        words.listed(["Ashgrove", "Hazel Lodge", "Northgate"], "or") == "Ashgrove, Hazel Lodge or Northgate"
    )


def test_an_academic_year_spans_two() -> None:
    assert words.academic_year(2026) == "2026–27"
    assert words.academic_year(2099) == "2099–00"


def test_what_is_built_has_an_address_that_changes_with_it() -> None:
    assert words.asset("css/portal.css").startswith("/static/css/portal.css?v=")
    assert words.asset("css/portal.css") != words.asset("js/portal.js")
