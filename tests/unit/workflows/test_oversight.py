"""Figures of a term: nothing under five shows through, and nothing about whoever looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workflows.given_workflows import person
from trustportal.workflows.domain import oversight
from trustportal.workflows.domain.oversight import ALL, Told, figures

WORKFLOWS = ("accounts", "allegations", "meetings")
VIEWER = person(1)


def many(workflow: str, count: int, *, late: int = 0) -> list[Told]:
    """Cases that began and ended, each with a step in time but for some."""
    return [Told(workflow, began=True, ended=True, steps=(number >= late,)) for number in range(count)]


def test_a_number_under_five_and_the_sum_over_it_are_hidden() -> None:
    found = {
        one.workflow: one for one in figures([*many("accounts", 12), *many("meetings", 4)], WORKFLOWS, VIEWER)
    }
    assert (found["accounts"].began, found["meetings"].began, found["allegations"].began) == (12, None, None)
    assert found[ALL].began is None
    whole = figures([case for key in WORKFLOWS for case in many(key, 5)], WORKFLOWS, VIEWER)[-1]
    assert (whole.workflow, whole.began, whole.ended, whole.in_time) == (ALL, 15, 15, "nearly_all")


def test_how_much_was_in_time_is_said_in_words() -> None:
    said = [
        figures(many("accounts", 10, late=late), ("accounts",), VIEWER)[0].in_time for late in (0, 3, 5, 9)
    ]
    assert said == ["nearly_all", "most", "half", "few"]


@given(
    st.lists(st.integers(0, 9), min_size=3, max_size=3), st.lists(st.integers(0, 4), min_size=3, max_size=3)
)
def test_small_numbers_make_no_difference_to_anything_that_is_shown(big: list[int], small: list[int]) -> None:
    """Whatever stood in the place of a number under five, the whole page would look the same."""
    other = [here if here >= 5 else instead for here, instead in zip(big, small, strict=True)]

    def page(counts: list[int]) -> object:
        cases = [case for key, count in zip(WORKFLOWS, counts, strict=True) for case in many(key, count)]
        return figures(cases, WORKFLOWS, VIEWER)

    assert page(big) == page(other)


@given(st.lists(st.integers(0, 9), min_size=3, max_size=3), st.data())
def test_a_case_about_whoever_looks_changes_nothing(counts: list[int], data: st.DataObject) -> None:
    cases = [case for key, count in zip(WORKFLOWS, counts, strict=True) for case in many(key, count)]
    about = Told(data.draw(st.sampled_from(WORKFLOWS)), True, data.draw(st.booleans()), (False,))
    with_it = [*cases, replace(about, subjects=frozenset({VIEWER, person(2)}))]
    assert figures(with_it, WORKFLOWS, VIEWER) == figures(cases, WORKFLOWS, VIEWER)
    assert figures(with_it, WORKFLOWS, UUID(int=7)) == figures([*cases, about], WORKFLOWS, UUID(int=7))


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_terms_follow_each_other(day: date) -> None:
    term = oversight.term_of(day)
    assert term.from_on <= day <= term.to_on
    assert oversight.term_named(term.key) == term
    ended = oversight.ended_terms(day, 4)
    assert all(one.to_on < day for one in ended)
    assert [one.key for one in ended] == sorted({one.key for one in ended}, reverse=True)
