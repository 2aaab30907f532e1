"""What must be recorded before what in an allegation, which days follow, and how long it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from trustportal.access import Role
from trustportal.errors import RuleBroken
from trustportal.workflows.domain import guarded, reading
from trustportal.workflows.domain.case_records import (
    ALTERNATIVES,
    KINDS,
    Kind,
    Recorded,
    blockers,
    check,
    clocks,
    is_suspended,
    lado_due,
)
from trustportal.workflows.domain.definition import Rule
from trustportal.workflows.domain.editing import set_deadline
from trustportal.workflows.domain.keeping import Basis, keeping

DAY = date(2026, 12, 1)


def made(kind: Kind, **says: Any) -> Recorded:
    return Recorded(kind, {"on": DAY.isoformat(), **says}, DAY)


def test_the_lados_clock_counts_working_days_and_no_school_holiday_stops_it() -> None:
    """Scenario 18: over Christmas with its bank holidays, over a weekend, in the summer holiday."""
    assert lado_due(date(2026, 12, 24)) == date(2026, 12, 29)
    assert lado_due(date(2026, 11, 27)) == date(2026, 11, 30)
    assert lado_due(date(2026, 8, 12)) == date(2026, 8, 13)
    open_, *_ = clocks(DAY, [], local_rule="within 24 hours")
    assert (open_.due, open_.done_on, open_.tighter) == (date(2026, 12, 2), None, "within 24 hours")
    met, *_ = clocks(DAY, [made(Kind.LADO)])
    assert met.was_met
    late, *_ = clocks(DAY, [made(Kind.LADO, on="2026-12-03")])
    assert not late.was_met
    # What was said before it was taken up again does not count for the new clock.
    again, *_ = clocks(date(2026, 12, 10), [made(Kind.LADO)])
    assert again.done_on is None
    # Nobody has to ring about what is below the threshold; who rang all the same, is shown to have.
    for below in ("low_level", "low_closed", "elsewhere", "elsewhere_closed"):
        assert clocks(DAY, [], state=below) == []
        assert [one.was_met for one in clocks(DAY, [made(Kind.LADO)], state=below)] == [True]
    assert len(clocks(DAY, [], state="assess")) == 1


def test_a_suspension_comes_last_and_is_confirmed_within_a_working_day() -> None:
    considered = [made(Kind.ALTERNATIVE, which=one) for one in ALTERNATIVES]
    with pytest.raises(RuleBroken, match="Still missing"):
        check(Kind.SUSPENSION, {"on": DAY.isoformat()}, considered[1:], today=DAY)
    with pytest.raises(RuleBroken, match="LADO"):
        check(Kind.SUSPENSION, {"on": DAY.isoformat()}, considered, today=DAY)
    check(Kind.SUSPENSION, {"on": "2026-12-02"}, [*considered, made(Kind.LADO)], today=DAY)
    with pytest.raises(RuleBroken, match="no suspension"):
        check(Kind.SUSPENSION_ENDS, {}, [], today=DAY)
    with pytest.raises(RuleBroken, match="not come yet"):
        check(Kind.LADO, {"on": "2026-12-02"}, [], today=DAY)
    suspended = [made(Kind.LADO), made(Kind.SUSPENSION)]
    assert is_suspended(suspended)
    assert [one.due for one in clocks(DAY, suspended) if "confirmation" in one.words] == [date(2026, 12, 2)]
    confirmed = clocks(DAY, [*suspended, made(Kind.CONFIRMATION, on="2026-12-02")])
    assert [one.was_met for one in confirmed if "confirmation" in one.words] == [True]
    assert not is_suspended([*suspended, made(Kind.SUSPENSION_ENDS)])


def test_nothing_is_concluded_before_what_the_law_asks() -> None:
    """Scenarios 15, 21 and 23."""
    there = [made(Kind.LADO)]
    assert blockers("threshold", {}, []) == ["Record the contact with the LADO first."]
    assert blockers("low", {}, []) == []
    assert blockers("outcome", {"about_kind": "agency"}, there)
    assert blockers("outcome", {"about_kind": "agency"}, [*there, made(Kind.EMPLOYER)]) == []
    assert len(blockers("outcome", {}, [*there, made(Kind.SUSPENSION)])) == 2
    removed = {"outcome": "substantiated", "employment": "dismissed", "dbs": "made"}
    assert "Disclosure" in blockers("outcome", removed, there)[0]
    assert blockers("outcome", removed, [*there, made(Kind.REFERRAL, to="dbs")]) == []
    assert "Teaching" in blockers("outcome", {"tra": "made"}, there)[0]
    assert blockers("file", {"outcome": "malicious", "reference": "yes"}, there)
    assert blockers("file", {"outcome": "unfounded", "consents": True}, there)
    assert all(text.fields for text in KINDS.values())


def test_how_long_it_is_kept() -> None:
    def until(state: str = "closed", **values: Any) -> tuple[date, Basis]:
        found = keeping(values, state=state, alleged_on=date(2024, 2, 29), closed_on=DAY)
        return found.until, found.basis

    assert until(outcome="substantiated") == (date(2034, 2, 28), Basis.PASSED)
    assert until(outcome="unfounded", pension_on="2061-03-01") == (date(2061, 3, 1), Basis.PASSED)
    assert until(outcome="unsubstantiated", pension_on="2027-03-01") == (date(2034, 2, 28), Basis.PASSED)
    for outcome in ("malicious", "false"):
        assert until(outcome=outcome) == (DAY, Basis.REMOVED)
        assert until(outcome=outcome, consents=True)[1] is Basis.PASSED
    low = keeping({}, state="low_closed", alleged_on=DAY, closed_on=DAY, gone_on=date(2027, 7, 31))
    assert low.basis is Basis.LEFT, "a low-level concern goes when the person has left"
    assert low.until == date(2027, 7, 31)
    assert until("low_closed") == (date(2034, 2, 28), Basis.PASSED)
    assert until("elsewhere_closed") == (date(2032, 12, 1), Basis.PASSED)


def test_an_editor_can_make_a_confidential_case_faster_and_not_see_it() -> None:
    before = reading.shipped()["allegation"]
    guarded.check(before, set_deadline(before, "managing", within=10, stops_in_holidays=False))
    with pytest.raises(RuleBroken, match="less time"):
        guarded.check(before, set_deadline(before, "assess", within=2, stops_in_holidays=False))
    sooner = set_deadline(before, "managing", within=20, stops_in_holidays=False, escalate_after=1)
    guarded.check(before, sooner)
    with pytest.raises(RuleBroken, match="earlier, and not later"):
        guarded.check(sooner, before)
    with pytest.raises(RuleBroken, match="decided by the trustees"):
        guarded.check(
            before,
            set_deadline(
                before, "managing", within=20, stops_in_holidays=False, escalate_to=Role.NETWORK_MANAGER
            ),
        )
    with pytest.raises(RuleBroken, match="decided by the trustees"):
        guarded.check(before, _with(before, watchers=(Rule(),)))
    with pytest.raises(RuleBroken, match="decided by the trustees"):
        guarded.check(before, _with(before, safeguarding=False))
    other = reading.shipped()["site-approval"]
    guarded.check(other, _with(other, watchers=()))


def _with(definition: Any, **instead: Any) -> Any:

    return replace(definition, **instead)
