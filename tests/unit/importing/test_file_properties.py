"""What holds for every text: divided words lose no letter, counted numbers print as they should, every word is told."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.unit.importing.word_files import level, numbering, p, word
from trustportal.policies.importing.accounting import missing_words
from trustportal.policies.importing.labels import letter_value, roman_value
from trustportal.policies.importing.marks import words
from trustportal.policies.importing.pages.healing import Healer
from trustportal.policies.importing.reading import words_of
from trustportal.policies.importing.text import read_text
from trustportal.policies.importing.word.numbering import Numbering, letters, roman
from trustportal.policies.importing.word.reading import read_word

LINE = st.text(alphabet="abc ABé-­,.", max_size=30)


def letters_of(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@given(LINE, LINE, st.frozensets(st.text(alphabet="abc-", min_size=1, max_size=8)))
def test_joining_two_lines_keeps_every_letter_in_order(
    before: str, after: str, known: frozenset[str]
) -> None:
    healer = Healer(known)
    joined = healer.join(before, after)
    assert letters_of(joined) == letters_of(before) + letters_of(after)
    assert len(healer.made) <= 1


def test_a_hyphen_stays_where_the_text_or_the_language_says_so() -> None:
    healer = Healer.knowing(["A bill-hook and a timetable are", "kept. Environ-"])
    assert healer.join("a bill-", "hook") == "a bill-hook"
    assert healer.join("the time-", "table") == "the timetable"
    assert healer.join("self-", "closing") == "self-closing"
    assert healer.join("the environ-", "ment") == "the environment"
    assert healer.guessed == ["environment"]
    assert healer.join("a wind–", "mill") == "a wind– mill"


@given(st.integers(min_value=1, max_value=49))
def test_letters_and_roman_numbers_are_read_as_they_are_written(value: int) -> None:
    assert roman_value(roman(value)) == value
    if value <= 26:
        assert letter_value(letters(value)) == value
    assert set(letters(value)) == {letters(value)[0]}


@given(st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=30))
def test_decimal_numbers_count_like_an_outline(depths: list[int]) -> None:
    levels = [level(at, "decimal", ".".join(f"%{n + 1}" for n in range(at + 1))) for at in range(4)]
    counted = Numbering(etree.fromstring(numbering({1: levels}, {1: (1, "")})))
    path: list[int] = []
    for depth in depths:
        path = (
            [*path, *[1] * (depth + 1 - len(path))]
            if depth >= len(path)
            else [*path[:depth], path[depth] + 1]
        )
        mark = counted.next("1", depth)
        assert mark is not None
        assert mark.printed == ".".join(map(str, path))


@given(st.lists(st.sampled_from(["kite", "string", "wind", "and", "7"]), max_size=12), st.data())
def test_every_word_that_is_missing_is_told_and_no_other(said: list[str], data: st.DataObject) -> None:
    reading = read_text(f"# Kite Policy\n\n## Aims\n\nwords {' '.join(said)}\n")
    assert missing_words(words_of(reading), reading) == []
    extra = data.draw(st.lists(st.sampled_from(["lantern", "wool"]), max_size=4))
    assert missing_words([*words_of(reading), *extra], reading) == extra


TEXT = st.lists(
    st.sampled_from(["Kites", "fly", "1.", "a)", "–", "*", "_", "|", "[x]", "#", "low.", "Appendix", "A"]),
    min_size=1,
    max_size=9,
)


@given(
    st.lists(st.tuples(TEXT, st.sampled_from(["", "Heading1", "Heading2", "TOC1"])), min_size=1, max_size=8)
)
def test_no_word_of_a_word_file_is_lost(paragraphs: list[tuple[list[str], str]]) -> None:
    body = p("Kite Policy", style="Title") + "".join(
        p(" ".join(said), style=style) for said, style in paragraphs
    )
    reading = read_word(word(body), "kites.docx")
    told = [word_ for one in reading.dropped for word_ in words(one.text)]
    source = words("Kite Policy " + " ".join(" ".join(said) for said, _ in paragraphs))
    assert sorted(words_of(reading) + told) == sorted(source)
    assert not [doubt for doubt in reading.uncertain if re.match("unplaced", doubt.code)]
