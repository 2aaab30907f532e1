"""Comparing trees and editions clause by clause, the weight of changes, and the change log."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.unit.policies.given_policies import (
    addition,
    changed,
    clause,
    left_out,
    replaced,
    section,
    situations,
    trees,
)
from trustportal.errors import RuleBroken
from trustportal.policies.domain.answers import Added, Override
from trustportal.policies.domain.changes import (
    ChangeRow,
    Mark,
    Weight,
    changed_keys,
    check_marks,
    edition_rows,
    is_material,
    marks_from_json,
    school_marks,
    template_rows,
    weigh,
)
from trustportal.policies.domain.clauses import Mode, NumberingStyle, Tree, by_key
from trustportal.policies.domain.diff import Op, compare_editions, compare_trees, only_changes
from trustportal.policies.domain.resolve import EditionClause, resolve
from trustportal.policies.domain.tree import insert, move, move_up, remove

A = Mode.ADAPTABLE
STYLE = NumberingStyle.DECIMAL
TREE: Tree = (
    section("use"),
    clause("a", "use", "See [[c]].", A),
    clause("b", "use", "At {{school.name}}.", A),
    clause("c", "use", "Third.", A),
    section("breach"),
    clause("d", "breach", "Fourth.", A),
)
OF = by_key(TREE)


def said(old: Tree, new: Tree) -> list[tuple[str, str]]:
    return [(row.op.value, row.key) for row in only_changes(compare_trees(old, new, STYLE))]


def edition(
    *answers: Override | Added, tree: Tree = TREE, name: str = "Northfield"
) -> tuple[EditionClause, ...]:
    overrides = {one.clause_key: one for one in answers if isinstance(one, Override)}
    added = [one for one in answers if isinstance(one, Added)]
    return resolve(tree, STYLE, overrides, added, {"school.name": name}).clauses


def test_what_became_of_each_clause() -> None:
    assert said(TREE, TREE) == []
    assert said(TREE, changed(TREE, "b", text="Other.")) == [("changed", "b")]
    assert said(TREE, changed(TREE, "b", mode=Mode.LOCKED)) == [("mode", "b")]
    assert said(TREE, insert(TREE, clause("new", "use"))) == [("added", "new")]
    assert said(TREE, remove(TREE, "b")) == [("removed", "b")]
    assert said(TREE, move(TREE, "d", parent="use", after="a")) == [("moved", "d")]


def test_the_fewest_clauses_are_called_moved() -> None:
    assert said(TREE, move(TREE, "c", parent="use", after=None)) == [("moved", "c")]
    assert said(TREE, move_up(TREE, "breach")) in ([("moved", "breach")], [("moved", "use")])
    # Clauses added, or removed, above others move none of them.
    without = insert(remove(TREE, "a"), clause("x", "use"))
    assert sorted(said(TREE, without)) == [("added", "x"), ("removed", "a")]


def test_a_clause_can_be_moved_and_changed() -> None:
    new = changed(move(TREE, "d", parent="use", after="a"), "d", text="Fourth, now second.")
    row = only_changes(compare_trees(TREE, new, STYLE))[0]
    assert (row.op, row.moved, row.old_number, row.number) == (Op.CHANGED, True, "2.1", "1.2")


def test_removed_clauses_are_shown_where_they_stood() -> None:
    rows = compare_trees(TREE, remove(TREE, "b"), STYLE)
    assert [row.key for row in rows] == ["use", "a", "b", "c", "breach", "d"]
    assert "".join(span.text for span in rows[2].spans) == OF["b"].text
    assert (rows[2].old_number, rows[2].number) == ("1.2", "")


def test_editions_show_what_was_left_out_and_taken_in() -> None:
    plain, out = edition(), edition(left_out(OF["d"]), addition("own", "c"))
    rows = {row.key: row for row in only_changes(compare_editions(plain, out))}
    assert (rows["d"].op, rows["own"].op) == (Op.LEFT_OUT, Op.ADDED)
    assert [span.op.value for span in rows["d"].spans] == ["del"]
    back = {row.key: row.op for row in only_changes(compare_editions(out, plain))}
    assert back == {"d": Op.TAKEN_IN, "own": Op.REMOVED}


@given(situations())
def test_a_comparison_names_every_clause_once_and_both_texts_can_be_read_from_it(
    given_situation: tuple[Tree, Tree, dict[str, Override], tuple[Added, ...]],
) -> None:
    old, new, _, _ = given_situation
    rows = compare_trees(old, new, STYLE)
    keys = [row.key for row in rows]
    assert sorted(keys) == sorted({one.key for one in (*old, *new)})
    assert [row.key for row in rows if row.op is not Op.REMOVED] == [one.key for one in new]
    before, after = by_key(old), by_key(new)
    for row in rows:
        was = "".join(span.text for span in row.spans if span.op.value != "ins")
        now = "".join(span.text for span in row.spans if span.op.value != "del")
        assert was == (before[row.key].text if row.key in before else "")
        assert now == (after[row.key].text if row.key in after else "")
    assert compare_trees(old, new, STYLE, only_changed=True) == only_changes(rows)


@given(trees())
def test_nothing_changed_between_a_tree_and_itself(tree: Tree) -> None:
    assert changed_keys(tree, tree) == ()
    assert changed_keys(tree, ()) == tuple(one.key for one in tree)


def test_every_changed_clause_must_be_marked() -> None:
    new = changed(TREE, "b", text="Other.")
    with pytest.raises(RuleBroken, match="editorial or material") as refused:
        check_marks(TREE, new, {})
    assert refused.value.field == "b"
    check_marks(TREE, new, marks_from_json({"b": {"weight": "editorial", "reason": "Typing error"}}))


EDITORIAL, MATERIAL = Mark(Weight.EDITORIAL, "Wording"), Mark(Weight.MATERIAL, "New law")


def test_an_edition_is_material_when_a_clause_whose_words_differ_was_changed_materially() -> None:
    old = edition()
    new = edition(tree=changed(TREE, "c", text="Third, in other words."))
    assert is_material(old, new, {"c": MATERIAL}, {})
    assert not is_material(old, new, {"c": EDITORIAL}, {})
    # The trust changed materially what this school says in its own words: nothing differs here.
    own = replaced(OF["c"], "Ours.")
    kept = edition(own, tree=changed(TREE, "c", text="Third, in other words."))
    assert not is_material(edition(own), kept, {"c": MATERIAL}, {})
    assert is_material((), new, {}, {})


def test_a_schools_own_change_is_weighed_as_the_school_marked_it() -> None:
    own = replaced(OF["c"], "Ours.")
    assert weigh(edition(), edition(own), {}, {"c": EDITORIAL}) == {"c": Weight.EDITORIAL}
    assert weigh(edition(), edition(own), {"c": MATERIAL}, {"c": EDITORIAL}) == {"c": Weight.MATERIAL}
    # Going back to the trust's text is marked by nobody.
    assert weigh(edition(own), edition(), {}, {}) == {"c": Weight.MATERIAL}
    assert school_marks({"c": own}, [addition("own", "c")]) == {
        "c": Mark(Weight.MATERIAL, own.reason),
        "own": Mark(Weight.MATERIAL, "We need it."),
    }


def test_values_and_printed_numbers_are_editorial_unless_marked() -> None:
    other = edition(name="Southfield")
    assert weigh(edition(), other, {}, {}) == {"b": Weight.EDITORIAL}
    assert is_material(edition(), other, {}, {}, values=Weight.MATERIAL)
    renumbered = edition(left_out(OF["b"]))  # "See 1.3" becomes "See 1.2"
    weights = weigh(edition(), renumbered, {}, {"b": MATERIAL})
    assert weights == {"a": Weight.EDITORIAL, "b": Weight.MATERIAL}


def test_the_change_log_is_made_from_two_versions() -> None:
    new = changed(remove(move(TREE, "d", parent="use", after="a"), "c"), "b", text="At our school.")
    rows = template_rows(TREE, new, STYLE, {"b": EDITORIAL, "c": MATERIAL, "d": EDITORIAL})
    assert [
        (row.said, row.old_number, row.number, row.title, row.weight.value, row.reason) for row in rows
    ] == [
        ("Moved", "2.1", "1.2", "Fourth.", "editorial", "Wording"),
        ("Changed", "1.2", "1.3", "At our school.", "editorial", "Wording"),
        ("Removed", "1.3", "", "Third.", "material", "New law"),
    ]
    assert all(ChangeRow.from_json(row.to_json()) == row for row in rows)


def test_the_change_log_of_an_edition_shows_the_schools_reason() -> None:
    own = replaced(OF["c"], "Ours.", reason="We are small.")
    rows = edition_rows(edition(), edition(own), {"c": MATERIAL}, school_marks({"c": own}, ()))
    assert [(row.key, row.said, row.reason) for row in rows] == [("c", "Changed", "We are small.")]
