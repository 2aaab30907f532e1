"""The operations of the correction page, each with what it refuses."""

from __future__ import annotations

import pytest

from tests.unit.importing import lookalikes
from trustportal.errors import RuleBroken
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing import corrections
from trustportal.policies.importing.reading import Doubt, Reading, words_of
from trustportal.policies.importing.text import read_text


def motto() -> Reading:
    return read_text(lookalikes.MOTTO)


def letters() -> Reading:
    return read_text(lookalikes.LETTERS)


def codes(reading: Reading, clause: int) -> list[Doubt]:
    return [doubt.code for doubt in reading.uncertain if doubt.clause == clause]


def test_splitting_at_a_lost_number_makes_it_a_label() -> None:
    reading = motto()
    doubt = next(one for one in reading.uncertain if one.code is Doubt.ORPHAN_NUMBER)
    assert doubt.clause is not None
    assert doubt.start is not None
    cut = corrections.split(reading, doubt.clause, doubt.start)
    assert cut.clauses[doubt.clause + 1].label == "17."
    assert cut.clauses[doubt.clause + 1].text.startswith("If the gate")
    assert words_of(cut) == words_of(reading)
    assert Doubt.ORPHAN_NUMBER not in {one.code for one in cut.uncertain}
    assert (Doubt.SPLIT_SENTENCE, 7) in {(one.code, one.clause) for one in cut.uncertain}


@pytest.mark.parametrize("offset", [0, 4, 10_000, -1])
def test_a_split_needs_words_on_both_sides_and_no_broken_word(offset: int) -> None:
    with pytest.raises(RuleBroken):
        corrections.split(motto(), 4, offset)


def test_text_split_from_a_section_belongs_to_it() -> None:
    reading = read_text("Kite Policy\n\n1. Aims\n\n- Fly high.\n- Fly low.\n\n2. Ends\n\n- Come down.\n")
    cut = corrections.split(reading, 0, 0)
    assert [(one.heading, one.text, one.depth) for one in cut.clauses[:2]] == [
        ("Aims", "", 0),
        ("", "- Fly high.\n- Fly low.", 1),
    ]


def test_joining_a_broken_sentence_answers_its_doubt() -> None:
    joined = corrections.join(motto(), 6)
    assert "no walker has been seen" in joined.clauses[5].text
    assert not codes(joined, 5)
    assert joined.clauses[6].heading.startswith("Shared Duties")


def test_joining_other_clauses_keeps_labels_and_headings_as_words() -> None:
    reading = letters()
    joined = corrections.join(reading, 2 + 3)
    assert joined.clauses[4].text.endswith("\n\nc. “Wool” means all that grows on goats.")
    assert words_of(joined) == words_of(reading)
    with pytest.raises(RuleBroken, match="first clause"):
        corrections.join(reading, 0)
    with pytest.raises(RuleBroken, match="below"):
        corrections.join(reading, 2)


def test_joining_lines_inside_a_clause() -> None:
    reading = read_text(lookalikes.DECIMALS)
    doubt = next(one for one in reading.uncertain if one.code is Doubt.SPLIT_SENTENCE)
    assert doubt.clause is not None
    assert doubt.start is not None
    joined = corrections.join_lines(reading, doubt.clause, doubt.start)
    assert "the fence between them" in joined.clauses[doubt.clause].text
    assert codes(joined, doubt.clause) == [Doubt.MERGED_BULLETS]
    with pytest.raises(RuleBroken, match="line break"):
        corrections.join_lines(reading, 2, 0)


def test_levels_move_with_what_stands_below() -> None:
    reading = letters()
    down = corrections.indent(reading, 2)
    assert [one.depth for one in down.clauses[2:5]] == [2, 3, 3]
    assert corrections.outdent(down, 2).clauses == reading.clauses
    up = corrections.outdent(reading, 26)
    assert up.clauses[26].depth == 1
    assert Doubt.NESTING not in codes(up, 26)


def test_levels_that_cannot_be() -> None:
    reading = letters()
    with pytest.raises(RuleBroken, match="section"):
        corrections.indent(reading, 6)
    with pytest.raises(RuleBroken, match="no clause before"):
        corrections.indent(reading, 1)
    with pytest.raises(RuleBroken, match="top level"):
        corrections.outdent(reading, 0)
    with pytest.raises(RuleBroken, match="sub-heading"):
        corrections.indent(reading, 12)
    with pytest.raises(RuleBroken, match="no longer there"):
        corrections.outdent(reading, 400)


def test_a_paragraph_becomes_a_section_and_a_section_a_paragraph() -> None:
    reading = motto()
    headed = corrections.mark(reading, 5, Kind.SECTION)
    assert (headed.clauses[5].heading[:5], headed.clauses[5].text, headed.clauses[5].depth) == (
        "Where",
        "",
        0,
    )
    back = corrections.mark(headed, 5, Kind.CLAUSE)
    assert back.clauses == reading.clauses
    with pytest.raises(RuleBroken, match="too long"):
        corrections.mark(reading, 2, Kind.SECTION)


def test_a_section_becomes_a_subheading_of_the_one_before() -> None:
    reading = motto()
    marked = corrections.mark(reading, 7, Kind.SUBHEADING)
    assert [(one.kind, one.depth) for one in marked.clauses[7:9]] == [(Kind.SUBHEADING, 1), (Kind.CLAUSE, 1)]


def test_editing_keeps_what_was_written_over() -> None:
    reading = letters()
    edited = corrections.edit(reading, 16, text="before noon.")
    assert [one.text for one in edited.dropped] == [reading.clauses[16].text]
    assert not codes(edited, 16)
    assert not edited.furniture
    assert not corrections.edit(reading, 1, text=reading.clauses[1].text + " More.").dropped
    with pytest.raises(RuleBroken, match="Drop it"):
        corrections.edit(reading, 1, text=" ")


def test_a_new_label_answers_doubts_about_numbers() -> None:
    reading = read_text(lookalikes.MIXED)
    assert codes(reading, 16) == [Doubt.DUPLICATE_NUMBER, Doubt.WRONG_SECTION]
    assert codes(corrections.edit(reading, 16, label="5.1"), 16) == []


def test_cutting_the_foot_of_a_page() -> None:
    reading = letters()
    foot = reading.furniture[0]
    cut = corrections.cut(reading, foot.clause, foot.start, reading.furniture[1].end)
    assert cut.clauses[foot.clause].text == "before noon."
    assert cut.dropped[0].text == "4th March 2031\n12"
    assert not codes(cut, foot.clause)
    with pytest.raises(RuleBroken):
        corrections.cut(reading, 1, 5, 5)
    with pytest.raises(RuleBroken, match="Drop it"):
        corrections.cut(reading, 1, 0, len(reading.clauses[1].text))


def test_dropping_the_contents_page() -> None:
    reading = read_text(lookalikes.DECIMALS)
    dropped = corrections.drop(reading, 0, "contents page")
    assert dropped.clauses[0].heading == "PURPOSE"
    assert dropped.dropped[0].heading == "CONTENTS PAGE"
    assert [doubt.clause for doubt in dropped.uncertain if doubt.code is Doubt.NO_PARENT] == [6]
    with pytest.raises(RuleBroken, match="below"):
        corrections.drop(reading, 1)
    with pytest.raises(RuleBroken, match="only clause"):
        corrections.drop(read_text("Kites\n\nKites are flown by keepers and by nobody else at all."), 0)


def test_header_and_doubts_are_answered() -> None:
    reading = motto()
    named = corrections.edit_header(reading, "organisation", "Highmoor Village")
    assert named.field("organisation") == "Highmoor Village"
    assert corrections.edit_header(named, "title", "Lamp Policy").dropped[-1].text == "Lantern Policy"
    with pytest.raises(RuleBroken, match="title"):
        corrections.edit_header(reading, "title", " ")
    settled = corrections.settle(reading, 0)
    assert len(settled.uncertain) == len(reading.uncertain) - 1
    with pytest.raises(RuleBroken):
        corrections.settle(reading, 99)
