"""Academic years, reminders, statements, campaigns and the record of a signature."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.acceptance import mail
from trustportal.acceptance.domain.campaign import Draft, check_campaign, place_key, place_of, reaches
from trustportal.acceptance.domain.chasing import Schedule, reminder_is_due
from trustportal.acceptance.domain.evidence import Found, SignedFacts, faults, record_hash, record_to_sign
from trustportal.acceptance.domain.statement import (
    USUAL_STATEMENT,
    check_statement,
    statement_version,
    worded,
)
from trustportal.acceptance.domain.years import academic_year, suggest, year_label
from trustportal.access import Role
from trustportal.errors import RuleBroken


@pytest.mark.parametrize(
    ("day", "year"), [(date(2026, 8, 31), 2025), (date(2026, 9, 1), 2026), (date(2027, 3, 12), 2026)]
)
def test_the_academic_year_begins_in_september(day: date, year: int) -> None:
    assert academic_year(day) == year


def test_the_label_of_a_year() -> None:
    assert (year_label(2026), year_label(2099)) == ("2026–27", "2099–00")


@pytest.mark.parametrize("month", range(1, 13))
def test_what_is_suggested_can_be_opened(month: int) -> None:
    today = date(2026, month, 28)
    found = suggest(today)
    draft = Draft(
        found.title,
        found.academic_year,
        frozenset({UUID(int=1)}),
        found.roles,
        frozenset(),
        found.opens_on,
        found.due_on,
        found.joiner_days,
        USUAL_STATEMENT,
    )
    assert check_campaign(draft, today=today) == draft


def test_in_july_the_coming_year_is_suggested() -> None:
    found = suggest(date(2026, 7, 10))
    assert (found.title, found.opens_on, found.due_on) == (
        "Annual signing 2026–27",
        date(2026, 9, 1),
        date(2026, 9, 30),
    )


DUE = date(2026, 9, 30)


def days_reminded(asked_on: date, days: list[date]) -> list[date]:
    reminded: date | None = None
    sent = []
    for day in days:
        if reminder_is_due(Schedule(), due_on=DUE, asked_on=asked_on, reminded_on=reminded, today=day):
            reminded = day
            sent.append(day)
    return sent


def test_reminders_go_out_a_week_before_on_the_day_and_weekly_after() -> None:
    every_day = [date(2026, 9, 1) + timedelta(days=number) for number in range(50)]
    assert days_reminded(date(2026, 9, 1), every_day) == [
        date(2026, 9, 23),
        date(2026, 9, 30),
        date(2026, 10, 7),
        date(2026, 10, 14),
    ] + [date(2026, 10, 21)] * (every_day[-1] >= date(2026, 10, 21))


def test_a_reminder_that_fell_on_a_weekend_is_made_up_for() -> None:
    weekdays = [
        day for number in range(40) if (day := date(2026, 9, 1) + timedelta(days=number)).weekday() < 2
    ]
    assert days_reminded(date(2026, 9, 1), weekdays)[0] == date(2026, 9, 28)


@given(st.sets(st.integers(0, 80)), st.integers(0, 60))
def test_nobody_is_reminded_on_the_day_they_are_asked_or_twice_in_a_day(days: set[int], asked: int) -> None:
    asked_on = date(2026, 9, 1) + timedelta(days=asked)
    sent = days_reminded(
        asked_on, [asked_on] + [asked_on + timedelta(days=number) for number in sorted(days)]
    )
    assert asked_on not in sent
    assert len(set(sent)) == len(sent)
    assert len(sent) <= max(days, default=0) // 7 + 2


def test_the_statement_names_policy_edition_and_place() -> None:
    words = worded(USUAL_STATEMENT, policy="Social media", edition="3.2", place="Ashgrove")
    assert words == (
        "I have read and understood Social media, edition 3.2, as it applies at Ashgrove, and I agree to follow it."
    )
    assert statement_version(words) != statement_version(words + " ")


def test_a_policy_with_braces_in_its_title_is_not_filled_in_twice() -> None:
    assert worded("I agree to {policy}.", policy="{place}", edition="1", place="X") == "I agree to {place}."


@pytest.mark.parametrize("words", ["", "I agree.", "I agree to follow {law} at {place}.", "x" * 1001])
def test_a_statement_that_cannot_be_signed(words: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_statement(words)
    assert refused.value.field == "statement"


GOOD = Draft(
    "Annual signing",
    2026,
    frozenset({UUID(int=1)}),
    frozenset({Role.STAFF}),
    frozenset(),
    date(2026, 9, 1),
    DUE,
    14,
    USUAL_STATEMENT,
)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("title", {"title": "  "}),
        ("policies", {"policy_ids": frozenset()}),
        ("roles", {"roles": frozenset()}),
        ("due_on", {"due_on": date(2026, 8, 31)}),
        ("due_on", {"due_on": date(2027, 9, 1)}),
        ("joiner_days", {"joiner_days": 0}),
        ("statement", {"statement": "yes"}),
    ],
)
def test_a_campaign_that_cannot_be_opened(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_campaign(replace(GOOD, **changes), today=date(2026, 8, 20))
    assert refused.value.field == field


def test_a_campaign_cannot_end_in_the_past() -> None:
    with pytest.raises(RuleBroken, match="future"):
        check_campaign(GOOD, today=DUE)


def test_places() -> None:
    school = UUID(int=5)
    assert reaches([], school)
    assert reaches([], None)
    assert reaches(["trust"], None)
    assert not reaches(["trust"], school)
    assert [place_of(place_key(place)) for place in (None, school)] == [None, school]


# -- evidence ----------------------------------------------------------------------------------------------------

STATEMENT = "I have read it and agree to follow it."
FACTS = SignedFacts(
    signature_id=UUID(int=1),
    trust_id=UUID(int=2),
    assignment_id=UUID(int=3),
    school_id=UUID(int=4),
    place_name="Ashgrove Primary School",
    policy_id=UUID(int=5),
    policy_title="Social media",
    edition_id=UUID(int=6),
    edition_label="3.2",
    content_hash="c" * 64,
    pdf_hash="d" * 64,
    person_id=UUID(int=7),
    person_name="Ann Example",
    roles=[{"role": "staff", "label": "Teacher"}],
    academic_year=2026,
    statement=STATEMENT,
    statement_version=statement_version(STATEMENT),
    signed_at=datetime(2026, 9, 12, 8, 30, 0, 5, tzinfo=UTC),
    method="password and code",
    authenticated_at=datetime(2026, 9, 12, 8, 29, tzinfo=UTC),
)


def found(facts: SignedFacts = FACTS) -> Found:
    hashed = record_hash(record_to_sign(facts))
    return Found(
        row_hash=hashed,
        content_hash=facts.content_hash,
        pdf_hash=facts.pdf_hash,
        audited={"signature_id": str(facts.signature_id), "record_hash": hashed},
        audit_intact=True,
    )


def test_the_record_is_the_same_in_every_time_zone() -> None:
    summer = FACTS.signed_at.astimezone(timezone(timedelta(hours=1)))
    assert record_to_sign(replace(FACTS, signed_at=summer)) == record_to_sign(FACTS)


def test_whole_evidence_has_no_faults() -> None:
    assert faults(FACTS, found()) == ()


@pytest.mark.parametrize("name", [field.name for field in fields(SignedFacts)])
def test_every_altered_fact_is_noticed(name: str) -> None:
    value = getattr(FACTS, name)
    changed: Any
    if isinstance(value, UUID):
        changed = UUID(int=99)
    elif isinstance(value, datetime):
        changed = value + timedelta(microseconds=1)
    elif isinstance(value, int):
        changed = value + 1
    elif isinstance(value, list):
        changed = [{"role": "headteacher", "label": "Headteacher"}]
    elif value is None:
        changed = {"recorder_name": "Somebody Else"}
    else:
        changed = value + "x"
    altered = replace(FACTS, **{name: changed})
    assert record_to_sign(altered) != record_to_sign(FACTS)
    assert faults(altered, found())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"content_hash": None}, "missing"),
        ({"content_hash": "0" * 64}, "not the one that was signed"),
        ({"pdf_hash": None}, "PDF that was signed is missing"),
        ({"pdf_hash": ""}, "PDF is not the one"),
        ({"audited": None}, "no event"),
        ({"audit_intact": False}, "event of the audit trail was altered"),
        ({"audited": {"signature_id": str(UUID(int=1)), "record_hash": "0"}}, "recorded another"),
        ({"row_hash": "0"}, "record of the signature"),
    ],
)
def test_what_was_altered_is_named(changes: dict[str, Any], words: str) -> None:
    named = faults(FACTS, replace(found(), **changes))
    assert len(named) == 1
    assert words in named[0]


def test_the_record_can_be_read() -> None:
    record = json.loads(record_to_sign(FACTS))
    assert record["person"]["roles"] == [{"label": "Teacher", "role": "staff"}]
    assert record["signed_at"] == "2026-09-12T08:30:00.000005+00:00"


# -- mail --------------------------------------------------------------------------------------------------------


def test_the_words_of_a_reminder_follow_the_day() -> None:
    def subject(today: date) -> str:
        return mail.reminder(trust_slug="larkfield", titles=["A", "B"], due_on=DUE, today=today).subject

    assert subject(date(2026, 9, 23)) == "Two policies to sign by 30 September 2026"
    assert subject(DUE) == "Two policies to sign today"
    assert "passed" in subject(date(2026, 10, 7))


def test_being_asked_names_what_changed() -> None:
    said = mail.asked(
        trust_slug="larkfield", place="Ashgrove", titles=["A", "B", "C"], changed=["B"], due_on=DUE
    )
    assert said.subject == "Please sign three policies by 30 September 2026"
    assert "A, B and C" in said.body
    assert "B changed since you last signed" in said.body
