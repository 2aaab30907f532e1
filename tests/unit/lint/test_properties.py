"""Whatever the text: lint does not crash, says the same twice, and points inside the words that it was given."""

from __future__ import annotations

import string
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.lint.given_documents import FULL_OF_FAULTS, document
from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint import RULES, lint
from trustportal.policies.domain.lint.model import (
    Document,
    HeaderFact,
    LintClause,
    Note,
    Source,
    VersionFact,
)

settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, database=None)
settings.load_profile("ci")

#: Words on which the rules turn, so that arbitrary texts meet them.
HOT = st.sampled_from(FULL_OF_FAULTS.split("|"))
WORDS = st.one_of(
    HOT,
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=12),
    st.sampled_from(
        [
            "\n",
            "\n\n",
            "- ",
            ". ",
            " ",
            "o ",
            "1. ",
            "| ",
            "☐ ",
            "[[",
            "]]",
            "{{",
            "}}",
            "](#)",
            "«",
            "İ",
            "ß",
        ]
    ),
)
TEXT = st.lists(WORDS, max_size=14).map("".join)
LABEL = st.one_of(
    st.sampled_from(
        [
            "",
            "1",
            "1.",
            "1.1",
            "2.2",
            "4.1.1",
            "a)",
            "ii.",
            "(c)",
            "A.1",
            "Appendix A",
            "3.a.i",
            "4.1(a)",
            "xx",
        ]
    ),
    st.text(string.printable, max_size=5),
)
CLAUSE = st.builds(
    LintClause,
    key=st.sampled_from(["", "wind", "rain", "knots"]),
    label=LABEL,
    heading=st.one_of(
        st.just(""), TEXT, st.sampled_from(["Contents", "Content", "Contact", "Conduct", "Legislation"])
    ),
    text=TEXT,
    depth=st.integers(0, 5),
    kind=st.sampled_from(list(Kind)),
    own=st.booleans(),
)
FACT = st.builds(
    HeaderFact,
    st.sampled_from(
        [
            "approved_on",
            "next_review_on",
            "review_period",
            "organisation",
            "reviewed_by",
            "signed_by_x",
            "change_log",
        ]
    ),
    TEXT,
    TEXT,
)
ROW = st.lists(st.tuples(st.sampled_from(["version", "date", "reason", "author"]), TEXT), max_size=4).map(
    lambda cells: VersionFact(tuple(cells))
)


@st.composite
def documents(draw: Any) -> Document:
    clauses = tuple(draw(st.lists(CLAUSE, max_size=10)))
    index = st.integers(0, max(0, len(clauses) - 1))
    notes = draw(st.lists(st.tuples(index, st.sampled_from(list(Note))), max_size=3)) if clauses else []
    return Document(
        title=draw(TEXT),
        source=draw(st.sampled_from(list(Source))),
        clauses=clauses,
        header=tuple(draw(st.lists(FACT, max_size=5))),
        versions=tuple(draw(st.lists(ROW, max_size=3))),
        notes=tuple(notes),
        safeguarding=draw(st.booleans()),
        template=draw(st.booleans()),
        placeholders=draw(st.sampled_from([None, frozenset({"role.head"})])),
        roles=draw(st.sampled_from([(), ("Kite lead",)])),
        related=draw(st.sampled_from([(), ("Kite policy",)])),
        school_names=draw(st.sampled_from([(), ("Ashgrove Primary School",)])),
    )


def part_of(read: Document, clause: int | None, part: str) -> str | None:
    """The words that a finding points into; None for what is missing altogether."""
    if clause is not None:
        return str(getattr(read.clauses[clause], part))
    kind, _, rest = part.partition(":")
    if kind == "header":
        return next((fact.value for fact in read.header if fact.name == rest), None)
    if kind == "versions":
        row, _, column = rest.partition(":")
        return read.versions[int(row)].cell(column)
    return read.title if kind == "title" else None


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(documents(), st.dates(date(1990, 1, 1), date(2080, 1, 1)))
def test_lint_never_crashes_says_the_same_twice_and_points_inside(read: Document, today: date) -> None:
    found = lint(read, load_dictionary(), today)
    assert found == lint(read, load_dictionary(), today)
    assert [one.mark for one in found] == [one.mark for one in lint(read, load_dictionary(), today)]
    for one in found:
        assert one.message
        assert one.rule in RULES
        words = part_of(read, one.clause, one.part)
        assert 0 <= one.start <= one.end <= len(words or "")
        if words is not None:
            assert words[one.start : one.end] == one.words
        if one.clause is not None:
            assert one.key == read.clauses[one.clause].key
            assert one.length > 0 or not words  # a note about a clause that has no label
        if read.source is Source.EDITION:
            assert one.clause is not None
            assert read.clauses[one.clause].own


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_one_rule_alone_finds_what_it_finds_among_all(read: Document) -> None:
    today = date(2026, 9, 1)
    every = lint(read, load_dictionary(), today)
    alone = [one for rule in RULES for one in lint(read, load_dictionary(), today, only=[rule])]
    assert sorted(alone, key=repr) == sorted(every, key=repr)


def test_texts_made_to_be_slow_are_read_in_steps_that_grow_with_them() -> None:
    """Rules work on bounded stretches: these would take hours where one did not."""
    hostile = [
        "A " * 5000,
        "Aa of the " * 2000,
        "concern " * 3000,
        "(" * 5000,
        "a-b in section 1" * 1000,
        "section 1, 2, 3, 4, " * 1000,
        "policy " * 3000,
        "[insert" * 2000,
        "a\n\nb " * 3000,
        "the the " * 3000,
        "x/" * 5000,
        "review " * 3000,
        "1.1." * 3000,
        "not search " * 2000,
        "Staff Policy and " * 1500,
        "all are is " * 2000,
    ]
    for text in hostile:
        lint(document(text, text[:200], safeguarding=True), load_dictionary(), date(2026, 9, 1))
