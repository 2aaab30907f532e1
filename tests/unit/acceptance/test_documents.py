"""Records of outside documents: what one must say, what its hash covers, and who is asked where."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.acceptance.test_planning import ANN, BEN, CAMPAIGN, FIRST, ONE, TWO, staff
from tests.unit.acceptance.test_words_and_days import FACTS
from trustportal.acceptance.domain.documents import (
    USUAL_DOCUMENT_STATEMENT,
    DocumentDraft,
    DocumentFacts,
    check_document,
    check_link,
    document_hash,
)
from trustportal.acceptance.domain.evidence import (
    OUTSIDE_PARTS,
    Found,
    altered_parts,
    faults,
    marks,
    record_hash,
    record_to_sign,
)
from trustportal.acceptance.domain.planning import EditionStep, PlaceFacts, Signed, plan_assignments
from trustportal.errors import RuleBroken

TODAY = date(2026, 9, 10)
DOCUMENT = UUID(int=950)
DRAFT = DocumentDraft(
    title="Safe at work",
    publisher="The Inspectorate",
    edition="September 2026",
    published_on=date(2026, 9, 1),
    current_from=date(2026, 9, 1),
    link="https://inspectorate.example/safe?part=1#one",
    parts="part one",
    statement=USUAL_DOCUMENT_STATEMENT,
)
RECORD = DocumentFacts(UUID(int=1), DOCUMENT, UUID(int=2), 1, DRAFT)


def test_what_a_record_must_say() -> None:
    tidied = check_document(replace(DRAFT, title="  Safe \n at work "), before=None, today=TODAY)
    assert tidied == DRAFT
    for change, field in (
        ({"title": " "}, "title"),
        ({"publisher": ""}, "publisher"),
        ({"edition": "x" * 41}, "edition"),
        ({"parts": ""}, "parts"),
        ({"published_on": date(2026, 9, 11), "current_from": date(2026, 9, 12)}, "published_on"),
        ({"current_from": date(2026, 8, 31)}, "current_from"),
        ({"statement": "I have read {policy} and agree."}, "statement"),
        ({"link": "http://inspectorate.example/"}, "link"),
    ):
        with pytest.raises(RuleBroken) as refused:
            check_document(replace(DRAFT, **change), before=None, today=TODAY)  # type: ignore[arg-type]
        assert refused.value.field == field
    # A later edition: something must be new, and it cannot hold before the one that is recorded.
    for change, field in (({}, "edition"), ({"current_from": date(2026, 9, 1)}, "current_from")):
        before = replace(DRAFT, current_from=date(2026, 9, 5)) if change else DRAFT
        with pytest.raises(RuleBroken) as refused:
            check_document(replace(DRAFT, **change), before=before, today=TODAY)  # type: ignore[arg-type]
        assert refused.value.field == field


@pytest.mark.parametrize(
    "link",
    [
        "",
        "inspectorate.example/x",
        "https://",
        "https://localhost/x",
        "https://user@inspectorate.example/",
        "javascript:alert(1)",
        "https://inspectorate.example/a b",
        'https://inspectorate.example/"onclick="x',
        "https://[half.example/",
        "https://inspectorate.example/" + "x" * 500,
    ],
)
def test_an_address_is_a_plain_one(link: str) -> None:
    with pytest.raises(RuleBroken):
        check_link(link)


@given(st.sampled_from([one.name for one in fields(DocumentDraft)]))
def test_the_hash_covers_every_field(name: str) -> None:
    value = getattr(DRAFT, name)
    other: object = (
        not value if isinstance(value, bool) else date(2027, 1, 1) if isinstance(value, date) else value + "x"
    )
    changed = replace(RECORD, draft=replace(DRAFT, **{name: other}))  # type: ignore[arg-type]
    assert document_hash(changed) != document_hash(RECORD) == document_hash(replace(RECORD))


def test_a_confirmation_says_what_was_altered() -> None:
    facts = replace(
        FACTS,
        policy_id=None,
        edition_id=None,
        pdf_hash=None,
        content_hash=document_hash(RECORD),
        outside_id=DOCUMENT,
        outside_edition_id=UUID(int=2),
        record_version=3,
    )
    recorded = marks(facts)
    assert len(recorded) == 6 * len(OUTSIDE_PARTS)
    hashed = record_hash(record_to_sign(facts))
    audited = {
        "signature_id": str(facts.signature_id),
        "record_hash": hashed,
        "record_marks": recorded,
    }
    found = Found(hashed, document_hash(RECORD), None, audited, audit_intact=True)
    assert faults(facts, found) == ()
    assert altered_parts(replace(facts, policy_title="Other"), recorded) == ("title of the outside document",)
    assert altered_parts(replace(facts, outside_edition_id=UUID(int=3)), recorded) == (
        "edition of the outside document",
    )
    assert faults(facts, replace(found, content_hash=None)) == (
        "The record of the outside document is missing.",
    )
    assert "is not the one that was confirmed" in faults(facts, replace(found, content_hash="0" * 64))[0]
    for strange in ({"policy_id": UUID(int=9)}, {"pdf_hash": "0" * 64}):
        assert record_to_sign(replace(facts, **strange)) != record_to_sign(facts)  # type: ignore[arg-type]
    late = replace(facts, signed_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert altered_parts(late, recorded) == ("time of signing",)


def test_nobody_is_asked_at_a_second_place_and_a_new_edition_asks_again() -> None:
    campaign = replace(CAMPAIGN, policy_ids=frozenset({DOCUMENT}))
    first = EditionStep(ONE, DOCUMENT, (1, 0), material=True, in_force=True, ready=True)
    here = PlaceFacts(FIRST, [campaign], [first], [staff(ANN), staff(BEN)])
    elsewhere = replace(here, elsewhere=frozenset({(ANN, DOCUMENT)}))
    assert {one.person_id for one in plan_assignments(elsewhere).open} == {BEN}
    signed = replace(here, signed=[Signed(ANN, DOCUMENT, ONE, 2026)])
    assert {one.person_id for one in plan_assignments(signed).open} == {BEN}
    old = replace(first, in_force=False)
    for asks_again, asked in ((True, {ANN, BEN}), (False, {BEN})):
        newer = EditionStep(TWO, DOCUMENT, (2, 0), asks_again, in_force=True, ready=True)
        plan = plan_assignments(replace(signed, editions=[newer, old]))
        assert {one.person_id for one in plan.open} == asked
