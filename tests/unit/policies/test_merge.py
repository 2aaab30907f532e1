"""Three-way merging of words, and redlines."""

from __future__ import annotations

import random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policies.given_policies import phrases, rich_texts
from trustportal.policies.domain.alignment import changes, tokens
from trustportal.policies.domain.diff import SpanOp, redline
from trustportal.policies.domain.merge import ConflictFound, Merged, merge3

BASE = "Staff must ask the headteacher before they post any photo of a pupil online."


def test_changes_apart_from_each_other_both_survive() -> None:
    ours = BASE.replace("Staff", "Staff and volunteers")
    theirs = BASE.replace("online", "on any site")
    assert merge3(BASE, ours, theirs) == Merged(
        "Staff and volunteers must ask the headteacher before they post any photo of a pupil on any site."
    )


def test_identical_changes_merge() -> None:
    same = BASE.replace("photo", "picture")
    assert merge3(BASE, same, same) == Merged(same)
    more = same.replace("Staff", "Volunteers")
    assert merge3(BASE, same, more) == Merged(more)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("A b c d e f g h", "X b c d e f g h"),  # the same word
        ("a b c d e f g h i", "a b c d e f g h j"),  # two insertions at one point
        ("a b c f g h", "a b c d X f g h"),  # one deletes what the other changes
        ("A b c d e f g h", "a B c d e f g h"),  # no word between
        ("A b c d e f g h", "a b c D e f g h"),  # two words between
    ],
)
def test_changes_that_touch_or_are_too_close_conflict(ours: str, theirs: str) -> None:
    assert isinstance(merge3("a b c d e f g h", ours, theirs), ConflictFound)


def test_three_unchanged_words_keep_two_changes_apart() -> None:
    assert merge3("a b c d e", "A b c d e", "a b c d E") == Merged("A b c d E")
    assert merge3("a, b. c d, e", "A, b. c d, e", "a, b. c d, E") == Merged("A, b. c d, E")


def test_a_conflict_shows_the_place_and_what_each_side_made_of_it() -> None:
    assert merge3("so a b c d e", "so a B c d e", "so a b X d e") == ConflictFound("b c", "B c", "b X")


def test_punctuation_alone_counts_as_a_change_but_not_as_a_word_between() -> None:
    assert isinstance(merge3("a, b; c", "A, b; c", "a, b: c"), ConflictFound)


@given(phrases, phrases, phrases)
def test_merging_is_symmetric_except_for_labels(base: str, ours: str, theirs: str) -> None:
    one, other = merge3(base, ours, theirs), merge3(base, theirs, ours)
    if isinstance(one, ConflictFound):
        assert other == ConflictFound(one.base, one.theirs, one.ours)
    else:
        assert one == other


@given(rich_texts, rich_texts)
def test_a_side_that_changed_nothing_takes_the_other(base: str, other: str) -> None:
    assert merge3(base, base, other) == Merged(other)
    assert merge3(base, other, base) == Merged(other)
    assert merge3(base, other, other) == Merged(other)


@given(st.integers(0, 30), st.integers(4, 30), st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_edits_that_do_not_touch_each_other_both_survive(
    at: int, gap: int, cut_ours: int, cut_theirs: int, insert: bool
) -> None:
    words = [f"w{count}" for count in range(80)]
    there = at + cut_ours + gap
    ours_words = ["ours", "own"] if insert else []
    ours = [*words[:at], *ours_words, *words[at + cut_ours :]]
    theirs = [*words[:there], "theirs", *words[there + cut_theirs :]]
    both = [
        *words[:at],
        *ours_words,
        *words[at + cut_ours : there],
        "theirs",
        *words[there + cut_theirs :],
    ]
    assert merge3(" ".join(words), " ".join(ours), " ".join(theirs)) == Merged(" ".join(both))


@given(phrases, phrases, phrases)
def test_a_clean_merge_holds_the_new_words_of_both(base: str, ours: str, theirs: str) -> None:
    base, ours, theirs = f"x {base} y", f"x {ours} OURS y", f"THEIRS x {theirs} y"
    merged = merge3(base, ours, theirs)
    if isinstance(merged, Merged):
        assert {"OURS", "THEIRS"} <= set(merged.text.split())


def test_a_clause_of_five_thousand_words_merges_and_compares_quickly() -> None:
    chance = random.Random(7)  # noqa: S311  the same words every time
    vocabulary = [f"word{count}" for count in range(300)] + ["the", "of", "and", "a"] * 40
    words = [chance.choice(vocabulary) for _ in range(5000)]
    ours, theirs = list(words), list(words)
    for at in range(0, 5000, 500):
        ours[at], theirs[at + 200] = "OURS", "THEIRS"
    begun = process_time()
    merged = merge3(" ".join(words), " ".join(ours), " ".join(theirs))
    # Some 25 ms; the bound only catches a return to a quadratic search. `make bench` measures.
    assert process_time() - begun < 1
    assert isinstance(merged, Merged)
    assert (merged.text.count("OURS"), merged.text.count("THEIRS")) == (10, 10)


@given(rich_texts, rich_texts)
def test_a_redline_makes_both_texts_again(old: str, new: str) -> None:
    spans = redline(old, new)
    assert "".join(span.text for span in spans if span.op is not SpanOp.INS) == old
    assert "".join(span.text for span in spans if span.op is not SpanOp.DEL) == new
    assert all(span.text for span in spans)
    assert "".join(tokens(old)) == old


def test_a_redline_reads_well() -> None:
    spans = redline("The head may approve a post.", "The Head of School may approve a post.")
    assert [(span.op.value, span.text) for span in spans] == [
        ("same", "The "),
        ("del", "head"),
        ("ins", "Head of School"),
        ("same", " may approve a post."),
    ]
    rewritten = redline("red, green and blue", "one, two and three")
    assert [span.op.value for span in rewritten] == ["del", "ins", "same", "del", "ins"]
    assert redline("", "") == ()
    assert [span.op.value for span in redline("", "new")] == ["ins"]


def test_words_keep_their_apostrophes_and_hyphens() -> None:
    assert tokens("The school’s e-mail, v2.1.\n\nEnd") == (
        "The", " ", "school’s", " ", "e-mail", ",", " ", "v2.1", ".", "\n\n", "End",
    )  # fmt: skip


@given(phrases, phrases)
def test_changed_runs_are_in_order_and_apart(old: str, new: str) -> None:
    left, right = tokens(old), tokens(new)
    end = (0, 0)
    for old_from, old_to, new_from, new_to in changes(left, right):
        assert (end[0] <= old_from <= old_to, end[1] <= new_from <= new_to) == (True, True)
        assert left[end[0] : old_from] == right[end[1] : new_from]
        end = (old_to, new_to)
    assert left[end[0] :] == right[end[1] :]
