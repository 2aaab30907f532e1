"""The tree, its checks, its numbers in every style, and changing it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policies.given_policies import appendix, clause, section, subheading, trees
from trustportal.errors import RuleBroken
from trustportal.policies.domain.clauses import (
    Clause,
    Kind,
    Mode,
    NumberingStyle,
    ancestors,
    check_tree,
    children,
    descendants,
    fresh_key,
    full_number,
    labels,
    number,
    tree_from_json,
    tree_hash,
    tree_to_json,
)
from trustportal.policies.domain.tree import (
    change,
    indent,
    insert,
    move,
    move_down,
    move_up,
    outdent,
    remove,
)

TREE = (
    section("use"),
    clause("a", "use"),
    subheading("mark", "use"),
    clause("b", "use"),
    clause("b1", "b"),
    clause("b2", "b"),
    clause("b21", "b2"),
    section("breach"),
    clause("c", "breach"),
    appendix("form"),
    clause("f1", "form"),
    clause("f11", "f1"),
    appendix("list"),
)


@pytest.mark.parametrize(
    ("style", "printed", "full"),
    [
        (
            NumberingStyle.DECIMAL,
            ["1", "1.1", "", "1.2", "1.2.1", "1.2.2", "1.2.2.1", "2", "2.1"],
            ["1", "1.1", "", "1.2", "1.2.1", "1.2.2", "1.2.2.1", "2", "2.1"],
        ),
        (
            NumberingStyle.LETTERS,
            ["1", "a.", "", "b.", "i.", "ii.", "(1)", "2", "a."],
            ["1", "1.a", "", "1.b", "1.b.i", "1.b.ii", "1.b.ii.1", "2", "2.a"],
        ),
        (
            NumberingStyle.MIXED,
            ["1", "1.1", "", "1.2", "a)", "b)", "i)", "2", "2.1"],
            ["1", "1.1", "", "1.2", "1.2(a)", "1.2(b)", "1.2(b)(i)", "2", "2.1"],
        ),
    ],
)
def test_each_style_prints_its_numbers_and_a_subheading_does_not_restart_them(
    style: NumberingStyle, printed: list[str], full: list[str]
) -> None:
    keys = [one.key for one in TREE]
    in_appendices = ["Appendix A", "A.1", "A.1.1", "Appendix B"]
    assert number(TREE, style) == dict(zip(keys, printed + in_appendices, strict=True))
    assert labels(TREE, style) == dict(zip(keys, full + in_appendices, strict=True))
    assert full_number(TREE, style, "b2") == full[5]


def test_style_none_numbers_only_appendices() -> None:
    numbers = number(TREE, NumberingStyle.NONE)
    assert {key for key, one in numbers.items() if one} == {"form", "list"}


def test_letters_and_roman_numbers_go_past_the_alphabet() -> None:
    many = (section("s"), *(clause(f"c{at}", "s") for at in range(28)))
    assert number(many, NumberingStyle.LETTERS)["c27"] == "ab."
    deep = (section("s"), clause("c", "s"), *(clause(f"d{at}", "c") for at in range(49)))
    assert number(deep, NumberingStyle.LETTERS)["d48"] == "xlix."


def test_what_is_left_out_keeps_no_number_and_uses_none_up() -> None:
    numbers = number(TREE, NumberingStyle.DECIMAL, frozenset({"a", "b2", "form"}))
    assert (numbers["a"], numbers["b"], numbers["b1"], numbers["b2"]) == ("", "1.1", "1.1.1", "")
    assert (numbers["b21"], numbers["f1"]) == ("", "")
    assert numbers["list"] == "Appendix A"


def test_clauses_without_a_section_are_numbered_at_the_top() -> None:
    tree = (clause("a", None), clause("b", None), clause("b1", "b"))
    check_tree(tree)
    assert number(tree, NumberingStyle.MIXED) == {"a": "1", "b": "2", "b1": "2.1"}


@given(
    trees(),
    st.sampled_from([style for style in NumberingStyle if style is not NumberingStyle.NONE]),
    st.data(),
)
def test_full_labels_are_unique(tree: tuple[Clause, ...], style: NumberingStyle, data: st.DataObject) -> None:
    check_tree(tree)
    out = frozenset(data.draw(st.sets(st.sampled_from([one.key for one in tree]), max_size=3)))
    shown = [label for label in labels(tree, style, out).values() if label]
    assert len(shown) == len(set(shown))
    numbered = [one for one in tree if one.kind is not Kind.SUBHEADING]
    assert all(labels(tree, style)[one.key] for one in numbered)


@pytest.mark.parametrize(
    ("tree", "field"),
    [
        ((section("s"), section("s")), "key"),
        ((section("Bad Key"),), "key"),
        ((section("s"), clause("a", "nowhere")), "parent"),
        ((section("s"), section("t"), clause("a", "s")), "parent"),
        ((clause("a", "s"), section("s")), "parent"),
        ((section("s"), subheading("h", "s"), clause("a", "h")), "parent"),
        ((section("s"), Clause("x", "s", Kind.APPENDIX, "X")), "parent"),
        ((section("s"), Clause("x", "s", Kind.SECTION, "X")), "parent"),
        ((section("s"), *(clause(f"c{at}", f"c{at - 1}" if at else "s") for at in range(6))), "parent"),
    ],
)
def test_a_tree_that_is_not_well_formed_is_refused(tree: tuple[Clause, ...], field: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_tree(tree)
    assert refused.value.field == field


def test_words_are_only_asked_for_when_the_tree_must_be_complete() -> None:
    tree = (section("s"), Clause("a", "s", Kind.CLAUSE))
    check_tree(tree)
    check_tree(())
    with pytest.raises(RuleBroken, match="has no words"):
        check_tree(tree, complete=True)
    with pytest.raises(RuleBroken, match="needs a heading"):
        check_tree((Clause("s", None, Kind.SECTION, text="Words"),), complete=True)
    with pytest.raises(RuleBroken, match="at least one clause"):
        check_tree((), complete=True)


def test_walking() -> None:
    assert [one.key for one in children(TREE, "use")] == ["a", "mark", "b"]
    assert descendants(TREE, "b") == ("b1", "b2", "b21")
    assert ancestors(TREE, "b21") == ("b2", "b", "use")


def test_changing_a_tree() -> None:
    keys = lambda tree: [one.key for one in tree]  # noqa: E731
    assert keys(insert(TREE, clause("new", "use"), after="b"))[:8] == [
        "use", "a", "mark", "b", "b1", "b2", "b21", "new",
    ]  # fmt: skip
    assert keys(insert(TREE, clause("new", "b")))[3:5] == ["b", "new"]
    assert keys(remove(TREE, "b")) == ["use", "a", "mark", "breach", "c", "form", "f1", "f11", "list"]
    moved = move(TREE, "b", parent="breach", after=None)
    assert keys(moved)[3:8] == ["breach", "b", "b1", "b2", "b21"]
    assert keys(move_up(TREE, "breach"))[:2] == ["breach", "c"]
    assert keys(move_down(TREE, "a"))[1:3] == ["mark", "a"]
    assert keys(move_down(TREE, "list")) == keys(TREE)
    assert full_number(indent(TREE, "b2"), NumberingStyle.DECIMAL, "b21") == "1.2.1.1.1"
    assert full_number(outdent(TREE, "b1"), NumberingStyle.DECIMAL, "b1") == "1.3"
    assert change(TREE, "a", mode=Mode.EXTEND)[1].mode is Mode.EXTEND


def test_a_section_put_into_another_becomes_a_clause() -> None:
    tree = indent(TREE, "breach")
    made = next(one for one in tree if one.key == "breach")
    assert (made.kind, made.parent) == (Kind.CLAUSE, "use")
    assert next(one for one in outdent(tree, "breach") if one.key == "breach").kind is Kind.SECTION


@pytest.mark.parametrize(
    "step",
    [
        lambda: move(TREE, "b", parent="b21"),
        lambda: move(TREE, "b", parent="breach", after="a"),
        lambda: indent(TREE, "use"),
        lambda: outdent(TREE, "use"),
        lambda: remove(TREE, "gone"),
        lambda: change(TREE, "a", parent="breach"),
        lambda: insert(TREE, clause("a", "use")),
        lambda: insert(TREE, clause("x", "mark")),
    ],
)
def test_impossible_changes_are_refused(step: object) -> None:
    with pytest.raises(RuleBroken):
        step()  # type: ignore[operator]


@given(trees())
def test_a_tree_comes_back_from_json_with_its_hash(tree: tuple[Clause, ...]) -> None:
    again = tree_from_json(tree_to_json(tree))
    assert again == tree
    assert tree_hash(again, NumberingStyle.DECIMAL) == tree_hash(tree, NumberingStyle.DECIMAL)


def test_the_hash_of_a_version_covers_modes_numbers_header_and_place() -> None:
    hashes = {
        tree_hash(TREE, NumberingStyle.DECIMAL),
        tree_hash(TREE, NumberingStyle.LETTERS),
        tree_hash(change(TREE, "a", mode=Mode.EXTEND), NumberingStyle.DECIMAL),
        tree_hash(TREE, NumberingStyle.DECIMAL, {"title": "Social media"}),
        tree_hash(TREE, NumberingStyle.DECIMAL, place="Northfield"),
    }
    assert len(hashes) == 5


def test_fresh_keys() -> None:
    assert fresh_key([], "Use of photographs!") == "use-of-photographs"
    assert fresh_key(["use", "use-2"], "Use") == "use-3"
    assert fresh_key([], "???") == "clause"
