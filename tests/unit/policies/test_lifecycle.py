"""Version and edition numbers, review dates, what is in force on a day, and the header."""

from __future__ import annotations

from datetime import date

import pytest

from trustportal.errors import RuleBroken
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.lifecycle import (
    EditionFact,
    edition_label,
    in_force,
    next_edition,
    next_review,
    next_version,
    version_label,
)


def test_numbers_of_versions_and_editions() -> None:
    assert (version_label(3), edition_label(3, 2), edition_label(2, 0), edition_label(2, None)) == (
        "v3", "3.2", "2", "2",
    )  # fmt: skip
    assert (next_version([]), next_version([1, 2])) == (1, 3)
    assert next_edition([], 3) == (3, 1)
    assert next_edition([(2, 4), (3, 1)], 3) == (3, 2)
    assert (next_edition([], None), next_edition([(1, 0), (2, 0)], None)) == ((1, 0), (3, 0))


def test_what_is_in_force_on_a_day() -> None:
    first = EditionFact("a", 1, 1, date(2025, 1, 1))
    second = EditionFact("b", 2, 1, date(2025, 9, 1))
    local = EditionFact("c", 1, 2, date(2025, 10, 1))
    editions = [second, first, local]
    assert in_force(editions, date(2024, 12, 31)) is None
    assert in_force(editions, date(2025, 8, 31)) == first
    assert in_force(editions, date(2025, 9, 1)) == second
    # An edition that was still to come when a later one was approved does not come back over it.
    assert in_force(editions, date(2025, 10, 2)) == second
    withdrawn = EditionFact("b", 2, 1, date(2025, 9, 1), withdrawn_on=date(2025, 12, 1))
    assert in_force([first, withdrawn], date(2025, 11, 30)) == withdrawn
    assert in_force([first, withdrawn], date(2025, 12, 1)) is None


def test_the_next_review_keeps_to_the_month() -> None:
    assert next_review(date(2025, 9, 1), 12) == date(2026, 9, 1)
    assert next_review(date(2025, 8, 31), 6) == date(2026, 2, 28)
    assert next_review(date(2024, 2, 29), 24) == date(2026, 2, 28)


def test_the_header_comes_back_from_json_and_is_checked() -> None:
    header = PolicyHeader(
        "Social media", "SM1", "Trust", "Staff", "Lead", "Board", 24,
        date(2025, 7, 1), date(2025, 9, 1), None, ("Behaviour",), True, False,
    )  # fmt: skip
    assert PolicyHeader.from_json(header.to_json()) == header
    header.check()
    for wrong, field in (
        (PolicyHeader(""), "title"),
        (PolicyHeader("T"), "person_responsible"),
        (PolicyHeader("T", person_responsible="Lead"), "approving_body"),
        (PolicyHeader("T", person_responsible="L", approving_body="B", review_months=0), "review_months"),
    ):
        with pytest.raises(RuleBroken) as refused:
            wrong.check()
        assert refused.value.field == field
