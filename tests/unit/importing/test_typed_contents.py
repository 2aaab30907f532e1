"""A contents page that somebody typed into a Word file: left out where all of it is sure, else shown to be decided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.importing.word_files import p, r, word
from trustportal.policies.importing.accounting import missing_words
from trustportal.policies.importing.blocks import CONTENTS
from trustportal.policies.importing.reading import Doubt, Reading
from trustportal.policies.importing.word.package import open_package
from trustportal.policies.importing.word.reading import read_word, words_in_parts

TITLE = p("Kite Policy", style="Title")
HEADINGS = ("1. Why kites fly", "2. What keepers do", "Appendix A: Kite form")
BODY = "".join(p(one, style="Heading1") + p("Kites are kept low. Nobody runs.") for one in HEADINGS)
TAB = "<w:r><w:tab/></w:r>"


def entry(text: str, page: str, leader: str = "tab") -> str:
    if leader == "tab":
        return p(r(text) + TAB + r(page))
    return p(f"{text} ........ {page}" if leader == "dots" else f"{text} {page}")


def read(contents: str) -> Reading:
    content = word(TITLE + contents + BODY)
    reading = read_word(content, "kites.docx")
    # Whatever becomes of it, no word is lost.
    assert missing_words(words_in_parts(open_package(content, "kites.docx")), reading) == []
    assert headings(reading)[-3:] == [
        "Why kites fly",
        "What keepers do",
        "Kite form",
    ]
    return reading


def headings(reading: Reading) -> list[str]:
    return [one.heading for one in reading.clauses if one.heading]


def left_out(reading: Reading) -> list[str]:
    return [one.text for one in reading.dropped if one.reason == CONTENTS]


def asked(reading: Reading) -> bool:
    return any(one.code is Doubt.CONTENTS_PAGE for one in reading.uncertain)


@pytest.mark.parametrize("leader", ["tab", "dots", "space"])
@pytest.mark.parametrize("style", ["", "Heading1"])
def test_every_line_is_a_heading_with_its_page(leader: str, style: str) -> None:
    lines = [entry(one, str(2 * at + 2), leader) for at, one in enumerate(HEADINGS)]
    reading = read(p("Contents", style=style) + "".join(lines))
    assert left_out(reading)[0] == "Contents"
    assert len(left_out(reading)) == 4
    assert headings(reading) == ["Why kites fly", "What keepers do", "Kite form"]
    assert not asked(reading)


def test_entries_without_their_numbers_and_without_a_heading_over_them() -> None:
    lines = [
        entry(one, str(at + 2)) for at, one in enumerate(("Why kites fly", "What keepers do", "Kite form"))
    ]
    assert len(left_out(read("".join(lines)))) == 3
    # Without dots or tabs, and without a heading that says what it is, nothing is sure.
    plain = [entry(one, str(at + 2), "space") for at, one in enumerate(HEADINGS)]
    assert left_out(read("".join(plain))) == []


@pytest.mark.parametrize(
    "lines",
    [
        # A line that is no heading further down.
        [(HEADINGS[0], "2"), ("3. Where the string is kept", "3"), (HEADINGS[1], "4")],
        # Pages that go back: this is some other list.
        [(HEADINGS[0], "9"), (HEADINGS[1], "4"), (HEADINGS[2], "5")],
        # One line alone.
        [(HEADINGS[0], "2")],
    ],
)
def test_where_one_line_is_not_sure_all_of_it_stays_and_somebody_is_asked(
    lines: list[tuple[str, str]],
) -> None:
    reading = read(p("Contents", style="Heading1") + "".join(entry(*one) for one in lines))
    assert left_out(reading) == []
    assert asked(reading)


def test_lines_of_one_paragraph_and_bold_ones_are_entries_too() -> None:
    broken = p(r(HEADINGS[0]) + TAB + r("2") + "<w:r><w:br/></w:r>" + r(HEADINGS[1]) + TAB + r("3"))
    bold = p(r(HEADINGS[2], "<w:b/>") + TAB + r("4", "<w:b/>"))
    reading = read(p("Table of contents") + broken + bold)
    assert len(left_out(reading)) == 3
    assert headings(reading) == ["Why kites fly", "What keepers do", "Kite form"]


def test_a_sentence_that_ends_in_a_number_is_no_entry() -> None:
    reading = read(p("Contents", style="Heading1") + p("Keepers are told on page 4"))
    assert left_out(reading) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*HEADINGS, "Why kites fly", "Strings", "Nobody runs 3", "2031"]),
            st.sampled_from(["", "1", "2", "7", "iv"]),
            st.sampled_from(["tab", "dots", "space"]),
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_no_word_is_lost_whatever_the_list_says(lines: list[tuple[str, str, str]], titled: bool) -> None:
    contents = (p("Contents") if titled else "") + "".join(entry(*one) for one in lines)
    content = word(TITLE + contents + BODY)
    reading = read_word(content, "kites.docx")
    assert missing_words(words_in_parts(open_package(content, "kites.docx")), reading) == []
    assert Doubt.UNPLACED_WORDS not in {one.code for one in reading.uncertain}
    for kept in ("Kites are kept low. Nobody runs.",):
        assert sum(kept in one.text for one in reading.clauses) == 3
