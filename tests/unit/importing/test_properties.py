"""For any text at all: no word is lost or moved, the clauses are a tree, and corrections lose nothing either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.importing import lookalikes
from trustportal.errors import RuleBroken
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing import corrections
from trustportal.policies.importing.marks import words
from trustportal.policies.importing.reading import (
    ImportRefused,
    Reading,
    pack,
    to_json,
    unpack,
    words_in_order,
    words_of,
)
from trustportal.policies.importing.text import read_text
from trustportal.policies.importing.tree import to_tree

settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, database=None)
settings.load_profile("ci")

KNOWN = sorted({line for text in lookalikes.ALL.values() for line in text.split("\n")})
ODD = [
    "",
    "",
    "1. Aims",
    "2 SCOPE",
    "3.1 x",
    "a) b",
    "i. c",
    "ii. d",
    "A.1 FOO",
    "Appendix C: Bar",
    "CONTENTS",
    "Version\tDate",
    "1\t2030",
    "| a | b |",
    "| --- | --- |",
    "# Head",
    "## **4. Sub**",
    "<table><tr><td>A b c</td><td>D</td></tr></table>",
    "\t- x",
    "\ttext",
    "1.",
    "21",
    "Page 2 of 3",
    "**bold",
    "head**",
    "o Leading",
    "☐",
    "Change Log",
    "Foo label: value",
    "Foo: value",
    "Foo: other",
]
LINES = st.one_of(st.sampled_from(KNOWN), st.sampled_from(ODD), st.text(max_size=40))
TEXTS = st.lists(LINES, max_size=30).map("\n".join)


def read(source: str) -> Reading | None:
    try:
        return read_text(source)
    except ImportRefused:
        return None


@given(TEXTS)
@settings(max_examples=400)
def test_no_text_loses_a_word_or_breaks_the_reader(source: str) -> None:
    reading = read(source)
    if reading is None:
        return
    assert words_in_order(source, reading)
    to_tree(reading)
    assert unpack(pack(reading)) == reading
    public = to_json(reading)
    pieces = [public["title"], *public["header"].values()]
    pieces += [value for row in public["versions"] for value in row.values()]
    pieces += [one[part] for one in public["clauses"] for part in ("label", "heading", "text")]
    assert Counter(words("\n".join(pieces))) == Counter(words_of(reading))
    spans_hold(reading)


def spans_hold(reading: Reading) -> None:
    for doubt in reading.uncertain:
        if doubt.clause is not None:
            assert 0 <= doubt.clause < len(reading.clauses)
            if doubt.start is not None and doubt.end is not None:
                assert 0 <= doubt.start <= doubt.end <= len(reading.clauses[doubt.clause].text)
    for piece in reading.furniture:
        assert reading.clauses[piece.clause].text[piece.start : piece.end] == piece.text


STEPS: list[Callable[[Reading, int, int], Reading]] = [
    corrections.split,
    lambda reading, index, offset: corrections.join(reading, index),
    corrections.join_lines,
    lambda reading, index, offset: corrections.indent(reading, index),
    lambda reading, index, offset: corrections.outdent(reading, index),
    lambda reading, index, offset: corrections.mark(reading, index, list(Kind)[offset % 4]),
    lambda reading, index, offset: corrections.drop(reading, index),
    lambda reading, index, offset: corrections.cut(reading, index, offset // 2, offset),
    lambda reading, index, offset: corrections.edit(reading, index, text="New words"),
    lambda reading, index, offset: corrections.edit(reading, index, heading="New heading", label="9."),
    lambda reading, index, offset: corrections.settle(reading, offset),
]


def all_words(reading: Reading) -> Counter[str]:
    dropped = " ".join(f"{one.label} {one.heading} {one.text}" for one in reading.dropped)
    return Counter(words_of(reading)) + Counter(words(dropped))


@given(
    st.sampled_from(sorted(lookalikes.ALL)),
    st.lists(
        st.tuples(st.sampled_from(range(len(STEPS))), st.integers(0, 40), st.integers(0, 120)),
        min_size=1,
        max_size=12,
    ),
)
@settings(max_examples=300)
def test_corrections_lose_no_word_and_keep_the_tree(name: str, steps: list[tuple[int, int, int]]) -> None:
    reading = read_text(lookalikes.ALL[name])
    for step, index, offset in steps:
        before = reading
        try:
            reading = STEPS[step](reading, index, offset)
        except RuleBroken:
            continue
        assert not all_words(before) - all_words(reading)
        to_tree(reading)
        spans_hold(reading)
        if step <= 6 and step != 6:
            assert words_of(reading) == words_of(before)
