"""What is typed into the search box, and what is shown of a clause in which it was found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policies import given_policies as given_policies
from trustportal.policies.domain.search import CLOSE, LONGEST, OPEN, Part, marked, parts_of, snippet


@pytest.mark.parametrize(
    ("typed", "queries", "pieces"),
    [
        ("ParentMail", ["'ParentMail':*"], ["ParentMail"]),
        ("parent  mail", ["'parent':*", "'mail':*"], ["parent", "mail"]),
        ('"parent mail" app', ["('parent' <-> 'mail')", "'app':*"], [None, "app"]),
        ("head's", ["'head''s':*"], ["head's"]),
        ("a & b | !c <-> (d):*", ["'a':*", "'b':*", "'c':*", "'d':*"], [None] * 4),
        ("123ICT", ["'123ICT':*"], ["123ICT"]),
        ("mail mail", ["'mail':*"], ["mail"]),
        ("???", [], []),
        ("", [], []),
    ],
)
def test_what_is_typed_becomes_words_and_no_operators(
    typed: str, queries: list[str], pieces: list[str | None]
) -> None:
    found = parts_of(typed)
    assert [one.query for one in found] == queries
    assert [one.piece for one in found] == pieces


def test_nothing_that_is_typed_is_a_pattern() -> None:
    assert [one.pattern for one in parts_of("100% a_bcd M%l")] == ["%100%", None, "%bcd%", None, None]
    assert Part("x", "1%2_3\\").pattern == "%1\\%2\\_3\\\\%"


@given(st.text(max_size=LONGEST + 20))
def test_quotes_are_closed_and_patterns_hold_one_piece(typed: str) -> None:
    for one in parts_of(typed):
        assert one.query.count("'") % 2 == 0
        if one.pattern is not None:
            assert not re.search(r"(?<!\\)[%_]", one.pattern[1:-1])


def test_a_piece_is_marked_where_it_stands() -> None:
    assert marked("MailOwl and owls", ["owl"]) == f"Mail{OPEN}Owl{CLOSE} and {OPEN}owl{CLOSE}s"
    assert marked("as it is", []) == "as it is"
    long = " ".join(["before"] * 40 + ["MailOwl"] + ["after"] * 40)
    shown = snippet(long, ["owl"])
    assert f"Mail{OPEN}Owl{CLOSE}" in shown
    assert len(shown.split()) < 30
    assert shown.startswith("… before")
    assert shown.endswith("after …")
    assert snippet("At our school MailOwl is used", ["owl"]).startswith("At our school")
    twice = snippet(f"{long} {long} {long}", ["owl"])
    assert twice.count(OPEN) == 2
    assert " … " in twice


@given(
    st.lists(st.sampled_from(["Owl", "MailOwl", "and", "so", "the", "owlery"]), max_size=60),
    st.sampled_from(["owl", "mail", "ow", "zzz"]),
)
def test_a_snippet_is_of_the_text_and_shows_what_was_found(words: list[str], piece: str) -> None:
    text = " ".join(words)
    shown = snippet(text, [piece])
    assert (OPEN in shown) is (piece in text.lower())
    for part in shown.replace(OPEN, "").replace(CLOSE, "").strip("… ").split(" … "):
        assert part in text
