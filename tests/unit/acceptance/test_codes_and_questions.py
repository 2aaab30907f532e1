"""One-time codes, whom a question goes to, absences: decisions without a database."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.acceptance.domain.absence import Away, away_on, back_by, check_absence, check_return
from trustportal.acceptance.domain.codes import (
    ALPHABET,
    IDLE,
    LONGEST,
    CodeFacts,
    check_code,
    check_days,
    code_hash,
    new_code,
    sitting_holds,
    tidy,
)
from trustportal.acceptance.domain.evidence import first_difference
from trustportal.acceptance.domain.paper import check_note
from trustportal.acceptance.domain.questions import Around, Asking, To, check_answer, check_words, route
from trustportal.errors import RuleBroken

NOW = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)
TODAY = date(2026, 9, 7)
CODE = CodeFacts(UUID(int=1), UUID(int=2), UUID(int=3), NOW + timedelta(days=1), None, None, True)
ANN, LENA, HEAD, HR, NORA = (UUID(int=number) for number in range(11, 16))


def test_codes_are_of_letters_that_cannot_be_mistaken() -> None:
    assert not set("OILSZBU") & set(ALPHABET)
    code = new_code(secrets.choice)
    assert len(tidy(code)) == 10
    assert new_code(secrets.choice) != code


@given(st.text(alphabet=ALPHABET, min_size=10, max_size=10), st.sampled_from(" -–.\t"))
def test_however_a_code_is_typed_it_is_the_same(code: str, between: str) -> None:
    typed = between.join(code.lower())
    assert code_hash(typed, "s") == code_hash(code, "s")
    assert code_hash(code, "other") != code_hash(code, "s")


def test_look_alikes_are_understood() -> None:
    assert tidy("oilszbu-oilsz") == "011528V01152"


@pytest.mark.parametrize(
    "found",
    [
        None,
        replace(CODE, used_at=NOW),
        replace(CODE, ended_at=NOW),
        replace(CODE, expires_at=NOW),
        replace(CODE, serves=False),
    ],
)
def test_a_code_that_is_no_good_never_says_why(found: CodeFacts | None) -> None:
    with pytest.raises(RuleBroken, match="not right, was used before, or is too old"):
        check_code(found, now=NOW)
    assert check_code(CODE, now=NOW) is CODE


def test_a_sitting_ends_by_itself() -> None:
    assert sitting_holds(began_at=NOW, seen_at=NOW, now=NOW + IDLE)
    assert not sitting_holds(began_at=NOW, seen_at=NOW, now=NOW + IDLE + timedelta(seconds=1))
    late = NOW + LONGEST + timedelta(seconds=1)
    assert not sitting_holds(began_at=NOW, seen_at=late, now=late)


@pytest.mark.parametrize("days", [0, 61, -1])
def test_codes_hold_for_some_days(days: int) -> None:
    with pytest.raises(RuleBroken):
        check_days(days, today=TODAY)
    assert check_days(14, today=TODAY) == TODAY + timedelta(days=14)


AROUND = Around([LENA], [HEAD], [HR], [NORA])


@pytest.mark.parametrize(
    ("asking", "to", "around", "asker", "wanted"),
    [
        (Asking.QUESTION, To.HEAD, AROUND, ANN, (HEAD,)),
        (Asking.QUESTION, To.LINE_MANAGER, AROUND, ANN, (LENA,)),
        (Asking.QUESTION, To.LINE_MANAGER, replace(AROUND, line_managers=[]), ANN, (HEAD,)),
        (Asking.QUESTION, To.HEAD, replace(AROUND, heads=[]), ANN, (LENA,)),
        (Asking.QUESTION, To.HEAD, replace(AROUND, line_managers=[]), HEAD, (HR,)),
        (Asking.REFUSAL, To.HEAD, AROUND, ANN, (LENA, HEAD)),
        (Asking.REFUSAL, To.HEAD, replace(AROUND, line_managers=[HEAD]), ANN, (HEAD,)),
        (Asking.REFUSAL, To.HEAD, Around([], [HEAD], [], [NORA]), HEAD, (NORA,)),
        (Asking.QUESTION, To.HEAD, Around([], [], [HR], [NORA]), HR, (NORA,)),
    ],
)
def test_whom_it_goes_to(
    asking: Asking, to: To, around: Around, asker: UUID, wanted: tuple[UUID, ...]
) -> None:
    assert route(asking, to, around, asker=asker) == wanted


_PEOPLE = st.lists(st.sampled_from([ANN, LENA, HEAD, HR, NORA]), max_size=3)


@given(st.sampled_from(Asking), st.sampled_from(To), st.builds(Around, _PEOPLE, _PEOPLE, _PEOPLE, _PEOPLE))
def test_nobody_is_asked_to_answer_themself(asking: Asking, to: To, around: Around) -> None:
    found = route(asking, to, around, asker=ANN)
    assert ANN not in found
    assert len(found) == len(set(found))


def test_words_are_needed() -> None:
    for asking in Asking:
        with pytest.raises(RuleBroken):
            check_words(" \n ", asking)
    with pytest.raises(RuleBroken):
        check_answer(" ")
    assert check_words(" Why? \n\n Because. ", Asking.QUESTION) == "Why?\n\n Because."


def test_absences_do_not_overlap() -> None:
    standing = Away(ANN, TODAY, TODAY + timedelta(days=10))
    check_absence(Away(ANN, TODAY + timedelta(days=11), None), [standing])
    for new in (
        Away(ANN, TODAY + timedelta(days=10), None),
        Away(ANN, TODAY - timedelta(days=5), TODAY),
        Away(ANN, TODAY - timedelta(days=5), None),
    ):
        with pytest.raises(RuleBroken, match="already"):
            check_absence(new, [standing])
    with pytest.raises(RuleBroken, match="last day"):
        check_absence(Away(ANN, TODAY, TODAY - timedelta(days=1)), [])
    with pytest.raises(RuleBroken, match="before they went"):
        check_return(standing, back_on=TODAY)


@given(st.integers(-30, 30), st.one_of(st.none(), st.integers(0, 30)), st.integers(-60, 60))
def test_somebody_is_away_or_back_never_both(begins: int, length: int | None, on: int) -> None:
    first = TODAY + timedelta(days=begins)
    one = Away(ANN, first, None if length is None else first + timedelta(days=length))
    day = TODAY + timedelta(days=on)
    away, back = away_on(day, [one]), back_by(day, [one])
    assert not (away and back)
    if back:
        assert first < back[ANN] <= day


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_the_first_differing_byte_is_named(one: bytes, other: bytes) -> None:
    at = first_difference(one, other)
    if at is None:
        assert one == other
    else:
        assert one[:at] == other[:at]
        assert one[at : at + 1] != other[at : at + 1]


def test_a_note_about_paper() -> None:
    assert check_note(signed_on=TODAY, kept="  the  office ", today=TODAY) == "the office"
    for signed_on, kept in ((TODAY + timedelta(days=1), "office"), (TODAY, ""), (TODAY, "x" * 301)):
        with pytest.raises(RuleBroken):
            check_note(signed_on=signed_on, kept=kept, today=TODAY)
