"""Texts built like five real policies, and like some others: what is read, and what is asked."""

from __future__ import annotations

import pytest

from tests.unit.importing import lookalikes
from trustportal.policies.domain.clauses import Kind, NumberingStyle, labels, number
from trustportal.policies.importing.marks import words
from trustportal.policies.importing.reading import (
    Doubt,
    Reading,
    pack,
    to_json,
    unpack,
    words_in_order,
    words_of,
)
from trustportal.policies.importing.text import read_text
from trustportal.policies.importing.tree import to_tree


def headings(reading: Reading) -> list[tuple[str, str, int]]:
    return [(one.label, one.heading, one.depth) for one in reading.clauses if one.heading]


def doubts(reading: Reading) -> list[tuple[Doubt, int | None]]:
    return [(doubt.code, doubt.clause) for doubt in reading.uncertain]


def quoted(reading: Reading, code: Doubt) -> list[str]:
    return [
        reading.clauses[doubt.clause].text[doubt.start : doubt.end]
        for doubt in reading.uncertain
        if doubt.code is code and doubt.clause is not None
    ]


@pytest.mark.parametrize("name", lookalikes.ALL)
def test_every_word_is_kept_in_order_and_the_clauses_are_a_tree(name: str) -> None:
    source = lookalikes.ALL[name]
    reading = read_text(source)
    assert words_in_order(source, reading)
    assert len(to_tree(reading)) == len(reading.clauses)
    assert unpack(pack(reading)) == reading


@pytest.mark.parametrize("name", lookalikes.ALL)
def test_the_public_form_holds_every_word_once(name: str) -> None:
    reading = read_text(lookalikes.ALL[name])
    public = to_json(reading)
    assert list(public) == ["title", "header", "versions", "clauses", "uncertain"]
    pieces = [public["title"], *public["header"].values()]
    pieces += [value for row in public["versions"] for value in row.values()]
    pieces += [one[part] for one in public["clauses"] for part in ("label", "heading", "text")]
    assert sorted(words("\n".join(pieces))) == sorted(words_of(reading))
    assert all(set(one) == {"label", "heading", "text", "depth"} for one in public["clauses"])


def test_the_checker_sees_a_lost_a_moved_and_an_added_word() -> None:
    reading = read_text("# Kite Policy\n\n## 1. Aims\n\n- a. Fly high.\n")
    assert words_in_order("# Kite Policy\n\n## 1. Aims\n\n- a. Fly high.\n", reading)
    assert not words_in_order("# Kite Policy\n\n## 1. Aims\n\n- a. Fly very high.\n", reading)
    assert not words_in_order("# Kite Policy\n\n## 1. Aims\n\n- a. high Fly.\n", reading)
    assert not words_in_order("# Kite Policy\n\n## 1. Aims\n\n- a. Fly.\n", reading)


def test_unnumbered_headings_and_bullets() -> None:
    reading = read_text(lookalikes.BULLETED)
    assert reading.title == "Kites and Balloons"
    assert headings(reading) == [
        ("", "What a kite is", 0),
        ("", "String", 1),
        ("", "Frame", 1),
        ("", "Flying inside the walls", 0),
    ]
    assert [one.kind for one in reading.clauses if one.heading][1] is Kind.SUBHEADING
    assert reading.clauses[1].text.endswith(":\n\n- Wind leaflet\n- String leaflet")
    assert "- Things carried on the string:\n  - Lamps.\n  - Bells.\n- Time" in reading.clauses[8].text
    assert reading.numbering_style is NumberingStyle.NONE
    assert (Doubt.GUESSED_HEADINGS, None) in doubts(reading)


def test_the_version_table_and_two_fields_on_one_row() -> None:
    reading = read_text(lookalikes.BULLETED)
    assert [dict(row.cells)["version"] for row in reading.versions] == ["1", "2"]
    assert dict(reading.versions[0].cells)["reason"] == ""
    assert reading.field("reviewed_by") == "Ada Fennimore"
    assert reading.field("audience") == "Everybody on the moor"
    assert reading.field("review_period") == "3 years"
    assert reading.field("next_review_on") == "April 2031"


def test_a_date_column_a_motto_and_an_empty_change_log() -> None:
    reading = read_text(lookalikes.MOTTO)
    assert reading.title == "Lantern Policy"
    assert reading.field("reviewed_by") == "Wardens & Keepers"
    assert reading.field("reviewed_on") == "May 2030"
    assert reading.field("authorised_by") == "Keepers"
    assert reading.field("next_review_on") == "May 2031"
    assert (Doubt.EMPTY_CHANGE_LOG, None) in doubts(reading)
    assert headings(reading)[0][1] == "Why We Light Lanterns"
    assert len(headings(reading)) == 4
    assert reading.clauses[-1].text
    assert not reading.clauses[-1].heading


def test_a_lost_number_and_a_broken_sentence_stay_and_are_flagged() -> None:
    reading = read_text(lookalikes.MOTTO)
    assert quoted(reading, Doubt.ORPHAN_NUMBER) == ["17."]
    assert quoted(reading, Doubt.SPLIT_SENTENCE) == ["been"]


def test_decimals_appendices_and_the_contents_page() -> None:
    reading = read_text(lookalikes.DECIMALS)
    assert reading.title == "GOAT KEEPING POLICY MARCH 2031"
    assert reading.field("organisation") == "Goats and Gates (CIC)"
    assert reading.clauses[0].heading == "CONTENTS PAGE"
    assert "Byre Building Form" in reading.clauses[0].text
    assert [label for label, _, _ in headings(reading)] == (
        ["", "1", "2", "3", "APPENDIX A", "A.1", "A.2", "", "", "", "", ""]
    )
    depths = {one.label: one.depth for one in reading.clauses}
    assert (depths["1.1"], depths["2.2.1"], depths["A.1"], depths["A.1.1"]) == (1, 2, 1, 2)
    assert [(doubt, where) for doubt, where in doubts(reading) if where is not None] == [
        (Doubt.CONTENTS_PAGE, 0),
        (Doubt.SPLIT_SENTENCE, 3),
        (Doubt.MERGED_BULLETS, 3),
        (Doubt.NO_PARENT, 7),
        (Doubt.CONTENTS_MISMATCH, 10),
        (Doubt.HEADING, 19),
        (Doubt.GUESSED_SUBHEADING, 20),
        (Doubt.FURNITURE, 22),
        (Doubt.FORM, 25),
        (Doubt.FORM, 26),
    ]
    assert quoted(reading, Doubt.SPLIT_SENTENCE) == ["the\n\nfence"]
    assert [piece.clause for piece in reading.furniture] == [0, 22]


def test_a_form_keeps_its_boxes_its_questions_and_its_inner_table() -> None:
    reading = read_text(lookalikes.DECIMALS)
    assert "| Name of herd |  |" in reading.clauses[23].text
    assert "- ☐ Kids\n- ☐ Old goats\n- ☐\n\n- Stray sheep" in reading.clauses[25].text
    assert "| The whole village of Highmoor / One herder |" in reading.clauses[26].text


def test_numbers_printed_twice_or_in_the_wrong_section_are_kept_and_flagged() -> None:
    reading = read_text(lookalikes.MIXED)
    assert [one.label for one in reading.clauses if one.label.startswith("2.")] == ["2.", "2.2", "2.2"]
    assert doubts(reading)[:5] == [
        (Doubt.NUMBER_ORDER, 4),
        (Doubt.DUPLICATE_NUMBER, 5),
        (Doubt.DUPLICATE_NUMBER, 16),
        (Doubt.WRONG_SECTION, 16),
        (Doubt.WRONG_SECTION, 17),
    ]
    assert [one.label for one in reading.clauses if one.depth == 2] == ["a)", "b)", "c)"]
    assert reading.numbering_style is NumberingStyle.MIXED


def test_signatures_and_a_supplier_in_the_header() -> None:
    reading = read_text(lookalikes.MIXED)
    assert reading.field("organisation") == "ST OSWIN'S MOORSIDE SCHOOL"
    assert reading.field("signed_on") == "3.4.31"
    assert reading.field("website") == "www.bells.example"
    header = to_json(reading)["header"]
    assert header["signed_by_head_ringer_label"] == "Signed by Head Ringer:"
    assert header["signed_by_head_ringer"] == ""


def test_letters_go_on_after_a_subheading_and_i_after_h_is_a_letter() -> None:
    reading = read_text(lookalikes.LETTERS)
    section = [(one.label, one.depth) for one in reading.clauses[8:28] if one.label]
    first = [label for label, depth in section if depth == 1]
    assert first == [f"{letter}." for letter in "abcdefghijk"]
    assert [label for label, depth in section if depth == 2] == ["i.", "ii.", "iii.", "iv.", "i.", "ii."]
    assert (Doubt.NESTING, 26) in doubts(reading)
    assert [where for code, where in doubts(reading) if code is Doubt.HEADING_SIZE] == [8]
    assert quoted(reading, Doubt.FURNITURE) == ["4th March 2031", "12"]
    assert quoted(reading, Doubt.MERGED_BULLETS) == ["o"]


def test_the_derived_numbers_are_the_printed_ones_where_nothing_is_wrong() -> None:
    reading = read_text(lookalikes.LETTERS)
    tree = to_tree(reading)
    printed = number(tree, reading.numbering_style)
    assert [printed[one.key].rstrip(".") for one in tree] == [
        one.label.rstrip(".") for one in reading.clauses
    ]
    assert "3.d.iv" in labels(tree, reading.numbering_style).values()


def test_header_of_a_trust() -> None:
    reading = read_text(lookalikes.LETTERS)
    assert {field.name: field.value for field in reading.header} == {
        "organisation": "HIGHMOOR Village Trust",
        "review_period": "Yearly",
        "person_responsible": "Wool Warden",
        "approving_body": "Wool Board",
        "approved_on": "2031",
        "next_review_on": "2032",
    }
    assert list(to_json(reading)["header"])[:3] == ["organisation", "review_period_label", "review_period"]


def test_text_pasted_from_a_word_processor_without_blank_lines() -> None:
    reading = read_text(
        "Moor Learning Trust\nKite Policy\nVersion: 2.1\nApproved by: Moor Board\n\n"
        "Contents\n1.\tAims\t2\n2.\tKites in the yard\t3\n\n"
        "1.\tAims\n1.1\tThis says how kites are flown.\n1.2\tIt is for:\n(a)\tpupils; and\n(b)\tkeepers:\n"
        "(i)\tby day;\n(ii)\tby night.\n1.3\tSee 2.1.\n2.\tKites in the yard\n2.1\tKites stay low.\nPage 2 of 9\n"
        "2.2\tStrings stay short.\n"
    )
    assert [(one.label, one.depth) for one in reading.clauses[1:]] == [
        ("1.", 0),
        ("1.1", 1),
        ("1.2", 1),
        ("(a)", 2),
        ("(b)", 2),
        ("(i)", 3),
        ("(ii)", 3),
        ("1.3", 1),
        ("2.", 0),
        ("2.1", 1),
        ("2.2", 1),
    ]
    assert quoted(reading, Doubt.FURNITURE) == ["Page 2 of 9"]


def test_letters_without_any_indent() -> None:
    lines = ["Kite Policy", "1. Rules", "a. one", "b. two:", "i. deep", "ii. deeper"]
    lines += [f"{letter}. more of it" for letter in "cdefghij"]
    reading = read_text("\n".join(lines))
    assert [one.label for one in reading.clauses if one.depth == 2] == ["i.", "ii."]
    assert [one.label for one in reading.clauses if one.depth == 1] == [
        f"{letter}." for letter in "abcdefghij"
    ]


def test_a_wrapped_line_that_begins_like_a_number_stays_in_its_sentence() -> None:
    reading = read_text(
        "KITE POLICY\n\n1. Aims\n\n1.1 Kites may be flown in the yard as told in section\n2.1 below, and by whom.\n\n"
        "2. Rules\n\n2.1 Kites stay low while the keepers\nare away.\n"
    )
    assert [one.label for one in reading.clauses] == ["1.", "1.1", "2.", "2.1"]


def test_paragraphs_numbered_through_under_unnumbered_headings() -> None:
    reading = read_text(
        "Hat Policy\n\nAims\n\n1. The village wants heads to be warm.\n\n2. The hat is brown.\n\nFeathers\n\n"
        "3. Feathers are short:\na) grey\nb) white\n4. Long ones are for feasts only.\n"
    )
    assert [(one.label, one.heading, one.depth) for one in reading.clauses] == [
        ("", "Aims", 0),
        ("1.", "", 1),
        ("2.", "", 1),
        ("", "Feathers", 0),
        ("3.", "", 1),
        ("a)", "", 2),
        ("b)", "", 2),
        ("4.", "", 1),
    ]


def test_markdown_with_a_version_table_and_html() -> None:
    reading = read_text(
        "# Kite Policy\n\n**Owner:** Kite Lead\n\n| Version | Date | Author | Changes |\n|---|---|---|---|\n"
        "| 1.0 | 1 May 2030 | Kite Lead | First |\n\n## Aims\n\nKites fly.<br/>They come <b>down</b> too.\n\n"
        "### Scope\n\nFor <insert village name> and &amp; others.\n\n## Rules\n\nNone yet.\n"
    )
    assert dict(reading.versions[0].cells) == {
        "version": "1.0",
        "date": "1 May 2030",
        "author": "Kite Lead",
        "reason": "First",
    }
    assert reading.field("person_responsible") == "Kite Lead"
    assert [(one.heading, one.kind) for one in reading.clauses if one.heading] == [
        ("Aims", Kind.SECTION),
        ("Scope", Kind.SUBHEADING),
        ("Rules", Kind.SECTION),
    ]
    assert reading.clauses[1].text == "Kites fly.\nThey come **down** too."
    assert reading.clauses[3].text == "For <insert village name> and & others."


@pytest.mark.parametrize("mark", ["#", "##"])
def test_sections_marked_as_large_as_the_title(mark: str) -> None:
    reading = read_text(
        f"{mark} Kite Policy\n\n{mark} Aims\n\nKites fly.\n\n{mark} Ends\n\nKites come down.\n"
    )
    assert reading.title == "Kite Policy"
    assert [one.heading for one in reading.clauses if one.kind is Kind.SECTION] == ["Aims", "Ends"]


def test_keys_are_the_same_every_time_and_follow_the_headings() -> None:
    reading = read_text(lookalikes.LETTERS)
    keys = [one.key for one in to_tree(reading)]
    assert keys == [one.key for one in to_tree(read_text(lookalikes.LETTERS))]
    assert keys[:4] == ["beginning", "beginning-1", "beginning-2", "beginning-3"]
    assert len(set(keys)) == len(keys)
