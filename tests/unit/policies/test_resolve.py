"""Placeholders, cross-references, answers and their modes, and resolving a place's policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policies.given_policies import (
    addition,
    answers,
    appendix,
    changed,
    clause,
    left_out,
    replaced,
    section,
    trees,
)
from trustportal.errors import RuleBroken
from trustportal.policies.domain import placeholders, references
from trustportal.policies.domain.answers import (
    Added,
    Answer,
    Override,
    agreements_needed,
    answers_from_json,
    answers_to_json,
    check_added,
    check_answer,
    check_override,
)
from trustportal.policies.domain.clauses import Clause, Mode, NumberingStyle
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.resolve import (
    Origin,
    Resolved,
    WarningKind,
    edition_from_json,
    edition_to_json,
    resolve,
)

A = Mode.ADAPTABLE
TREE = (
    section("use", "Use", Mode.EXTEND),
    clause("phone", "use", "Staff of {{school.name}} keep phones away. See [[photos]].", A),
    clause("photos", "use", "Ask the {{role.headteacher}} first."),
    clause("form-note", "use", "Use [[form]].", Mode.EXTEND),
    section("rooms", "Rooms", A),
    clause("studio", "rooms", "The studio is booked.", A),
    clause("booth", "rooms", "The booth is shut. See [[studio]].", A),
    appendix("form"),
)
VALUES = {"school.name": "Northfield", "role.headteacher": "Head of School"}
OF = {one.key: one for one in TREE}


def made(
    overrides: list[Override] | None = None,
    added: list[Added] | None = None,
    values: dict[str, str] | None = None,
    tree: tuple[Clause, ...] = TREE,
) -> Resolved:
    given_overrides = {one.clause_key: one for one in overrides or []}
    return resolve(
        tree, NumberingStyle.DECIMAL, given_overrides, added or [], VALUES if values is None else values
    )


def test_without_answers_it_is_the_trusts_text_filled_and_numbered() -> None:
    edition = made()
    by = {one.key: one for one in edition.clauses}
    assert by["phone"].text == "Staff of Northfield keep phones away. See 1.2."
    assert by["phone"].template_text == OF["phone"].text
    assert by["phone"].filled == ("school.name",)
    assert by["form-note"].text == "Use Appendix A."
    assert {one.origin for one in edition.clauses} == {Origin.TRUST}
    assert (edition.missing, edition.warnings) == ((), ())


def test_a_replaced_clause_an_addition_and_a_part_left_out() -> None:
    edition = made(
        [replaced(OF["phone"], "No phones at {{school.name}}."), left_out(OF["rooms"])],
        [addition("own", "form-note"), addition("own-2", "own"), addition("last", "use")],
    )
    shown = [(one.key, one.number, one.origin) for one in edition.clauses]
    assert shown == [
        ("use", "1", Origin.TRUST),
        ("phone", "1.1", Origin.ADAPTED),
        ("photos", "1.2", Origin.TRUST),
        ("form-note", "1.3", Origin.TRUST),
        ("own", "1.4", Origin.ADDED),
        ("own-2", "1.5", Origin.ADDED),
        ("last", "1.6", Origin.ADDED),
        ("rooms", "", Origin.LEFT_OUT),
        ("studio", "", Origin.LEFT_OUT),
        ("booth", "", Origin.LEFT_OUT),
        ("form", "Appendix A", Origin.TRUST),
    ]
    by = {one.key: one for one in edition.clauses}
    assert by["phone"].reason == "We are small."
    assert (by["studio"].text, by["studio"].template_text) == ("", "The studio is booked.")


def test_a_reference_to_what_is_left_out_says_so_and_warns() -> None:
    edition = made([left_out(OF["studio"])])
    booth = next(one for one in edition.clauses if one.key == "booth")
    assert booth.text == "The booth is shut. See not used at this school."
    assert [(one.kind, one.clause_key, one.about) for one in edition.warnings] == [
        (WarningKind.REFERENCE_LEFT_OUT, "booth", "studio")
    ]


def test_a_dangling_reference_is_reported() -> None:
    tree = changed(TREE, "photos", text="See [[gone]].")
    edition = made(tree=tree)
    assert [(one.kind, one.about) for one in edition.warnings] == [(WarningKind.REFERENCE_DANGLING, "gone")]
    assert references.dangling(tree) == (("photos", "gone"),)
    assert references.referring_to(tree, "studio") == ("booth",)


def test_in_an_unnumbered_policy_a_reference_prints_the_heading() -> None:
    edition = resolve(TREE, NumberingStyle.NONE, {}, (), VALUES)
    assert edition.clauses[1].text.endswith("See “Use”.")


def test_a_missing_value_is_named_with_its_clause_and_the_slot_stays() -> None:
    edition = made(values={"school.name": "  "})
    assert [(one.name, one.clause_key) for one in edition.missing] == [
        ("school.name", "phone"),
        ("role.headteacher", "photos"),
    ]
    assert "{{school.name}}" in edition.clauses[1].text


def test_a_value_is_never_read_as_a_slot_or_a_reference() -> None:
    edition = made(values={**VALUES, "school.name": "[[photos]] {{role.headteacher}}"})
    assert edition.clauses[1].text.startswith("Staff of [[photos]] {{role.headteacher}} keep")


def test_an_override_that_the_mode_forbids_is_not_used() -> None:
    edition = made([replaced(OF["photos"], "Ask nobody.")])
    assert edition.clauses[2].text == "Ask the Head of School first."
    assert [one.kind for one in edition.warnings] == [WarningKind.ANSWER_IGNORED]


def test_additions_in_a_part_that_is_left_out_are_hidden_and_those_without_a_place_go_to_the_end() -> None:
    edition = made([left_out(OF["rooms"])], [addition("in", "studio"), addition("lost", "nowhere")])
    by = {one.key: one for one in edition.clauses}
    assert by["in"].origin is Origin.LEFT_OUT
    assert edition.clauses[-1].key == "lost"
    assert {one.kind for one in edition.warnings} == {
        WarningKind.ADDITION_HIDDEN,
        WarningKind.ADDITION_UNPLACED,
    }


def test_an_addition_after_a_clause_left_out_takes_its_number() -> None:
    edition = made([left_out(OF["studio"])], [addition("own", "studio")])
    assert next(one.number for one in edition.clauses if one.key == "own") == "2.1"


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (replaced(OF["photos"], "Ask nobody."), "answer"),
        (left_out(OF["photos"]), "answer"),
        (replaced(OF["form-note"], "Other"), "answer"),
        (replaced(OF["phone"], "Other", reason=" "), "reason"),
        (replaced(OF["phone"], " "), "text"),
        (replaced(OF["phone"], OF["phone"].text), "text"),
        (replaced(OF["rooms"], "Text", heading=""), "heading"),
        (replace(left_out(OF["phone"]), answer=Answer.INHERIT), "answer"),
        (replace(left_out(OF["phone"]), clause_key="gone"), "answer"),
        (addition("own", "photos"), "after"),
        (addition("own", "nowhere"), "after"),
        (addition("phone", "form-note"), "key"),
        (addition("own", "form-note", reason=""), "reason"),
        (replace(addition("own", "form-note"), text=" "), "text"),
    ],
)
def test_answers_that_are_refused(answer: Override | Added, field: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_answer(TREE, answer)
    assert refused.value.field == field


def test_answers_that_are_allowed() -> None:
    check_override(TREE, replaced(OF["phone"], "Other"))
    check_override(TREE, left_out(OF["rooms"]))
    check_added(TREE, addition("own", "form-note"))
    check_added(TREE, addition("own-2", "own"), [addition("own", "form-note")])
    with pytest.raises(RuleBroken, match="locked"):
        check_added(TREE, addition("own-2", "own"), [addition("own", "photos")])


def test_leaving_a_section_out_needs_every_clause_in_it_adaptable() -> None:
    tree = changed(TREE, "booth", mode=Mode.EXTEND)
    with pytest.raises(RuleBroken, match="The booth is shut"):
        check_override(tree, left_out(OF["rooms"]))
    assert {one.origin for one in made([left_out(OF["rooms"])], tree=tree).clauses} == {Origin.TRUST}


def test_clauses_that_ask_for_the_trusts_agreement() -> None:
    tree = changed(changed(TREE, "studio", needs_agreement=True), "form-note", needs_agreement=True)
    assert agreements_needed(tree, {}, ()) == ()
    out = {"rooms": left_out(OF["rooms"])}
    assert agreements_needed(tree, out, [addition("b", "a"), addition("a", "form-note")]) == (
        "form-note",
        "studio",
    )


def test_the_hash_covers_header_place_and_text_but_not_approval_dates_or_reasons() -> None:
    header = PolicyHeader("Social media", person_responsible="Lead", approving_body="Board")
    own = {"phone": replaced(OF["phone"], "Other")}

    def hashed(header: PolicyHeader = header, place: str = "n", answers: dict[str, Override] = own) -> str:
        return resolve(
            TREE, NumberingStyle.DECIMAL, answers, (), VALUES, header=header, place=place
        ).content_hash

    assert hashed() == hashed(header=replace(header, approved_on=date(2025, 9, 1)))
    assert hashed() == hashed(answers={"phone": replace(own["phone"], reason="Another reason")})
    assert len({hashed(), hashed(replace(header, title="X")), hashed(place="m"), hashed(answers={})}) == 4


@given(trees(), st.data())
def test_resolving_is_deterministic_and_a_locked_clause_never_differs(
    tree: tuple[Clause, ...], data: st.DataObject
) -> None:
    overrides, added = data.draw(answers(tree))
    # Also answers to clauses that are locked, as a mistake elsewhere might leave them behind.
    for one in tree:
        if one.mode is not Mode.ADAPTABLE and data.draw(st.booleans()):
            overrides[one.key] = data.draw(st.sampled_from([replaced(one, "Not allowed."), left_out(one)]))
    first = resolve(tree, NumberingStyle.LETTERS, overrides, added, {})
    backwards = dict(reversed(overrides.items()))
    assert resolve(tree, NumberingStyle.LETTERS, backwards, added, {}) == first
    assert edition_from_json(edition_to_json(first.clauses)) == first.clauses
    said = {one.key: one for one in first.clauses}
    for one in tree:
        if one.mode is Mode.LOCKED:
            assert (said[one.key].heading, said[one.key].text) == (one.heading, one.text)
            assert said[one.key].origin is Origin.TRUST
    assert {one.key for one in added} <= set(said)
    assert answers_from_json(answers_to_json(overrides, added)) == (overrides, added)


def test_placeholders_are_found_filled_and_malformed_ones_named() -> None:
    text = "{{school.name}} and {{ role.headteacher }} and {{school.name}} and {{School Name}}"
    assert placeholders.find(text) == ("school.name", "role.headteacher")
    assert placeholders.malformed(text) == ("{{School Name}}",)
    assert placeholders.malformed("{{A}} and {{b.c}} {{ {{D}} }} {{E") == ("{{A}}", "{{ {{D}}")
    # Braces that are never closed end the search at once: a pattern took minutes over these.
    assert placeholders.malformed("{{" * 50_000) == ()
    assert placeholders.fill("{{a}} {{b.c}}", {"a": "1"}) == ("1 {{b.c}}", ("b.c",))
    assert placeholders.is_name("supplier.consent_records")
    assert not placeholders.is_name("school.name()")
