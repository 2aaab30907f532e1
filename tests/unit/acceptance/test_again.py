"""Whether a new version asks the people of a place to sign again: only where its own words change materially."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trustportal.acceptance.domain.again import Effect, effect_at
from trustportal.policies.domain.answers import Added, Answer, Override
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, Tree, Weight

TREE: Tree = (
    Clause("use", None, Kind.SECTION, "Using it"),
    Clause("kind", "use", Kind.CLAUSE, "", "Be kind to everybody.", Mode.ADAPTABLE),
    Clause("desk", "use", Kind.CLAUSE, "", "Ask the office first.", Mode.ADAPTABLE),
)
MATERIAL = {"kind": Mark(Weight.MATERIAL, "Why")}
EDITORIAL = {"kind": Mark(Weight.EDITORIAL, "")}
NOTHING: tuple[dict[str, Override], tuple[Added, ...]] = ({}, ())


def reworded(key: str = "kind", text: str = "Be kind to each and every one of them.") -> Tree:
    return tuple(replace(one, text=text) if one.key == key else one for one in TREE)


def ours(
    key: str, text: str, answer: Answer = Answer.REPLACE
) -> tuple[dict[str, Override], tuple[Added, ...]]:
    base = next(one for one in TREE if one.key == key)
    said = text if answer is Answer.REPLACE else None
    return {key: Override(key, answer, None, said, "Ours.", base.heading, base.text, Weight.MATERIAL)}, ()


def test_the_same_text_asks_nobody() -> None:
    assert effect_at(TREE, TREE, {}, NOTHING) is Effect.EDITORIAL


@pytest.mark.parametrize(("marks", "wanted"), [(MATERIAL, Effect.MATERIAL), (EDITORIAL, Effect.EDITORIAL)])
def test_the_trusts_mark_counts(marks: dict[str, Mark], wanted: Effect) -> None:
    assert effect_at(TREE, reworded(), marks, NOTHING) is wanted


def test_what_nobody_marked_yet_counts_as_material() -> None:
    assert effect_at(TREE, reworded(), {}, NOTHING) is Effect.MATERIAL
    assert effect_at(TREE, TREE[:-1], {}, NOTHING) is Effect.MATERIAL


def test_a_school_that_changed_the_same_clause_decides_first() -> None:
    answers = ours("kind", "Be strict with everybody and always.")
    assert effect_at(TREE, reworded(), MATERIAL, answers) is Effect.TO_DECIDE


def test_a_school_that_changed_another_clause_is_asked() -> None:
    assert effect_at(TREE, reworded(), MATERIAL, ours("desk", "Ask the head first.")) is Effect.MATERIAL
    assert effect_at(TREE, reworded(), EDITORIAL, ours("desk", "Ask the head first.")) is Effect.EDITORIAL


def test_a_school_that_said_it_already_is_asked_nothing() -> None:
    """The trust's new words are the school's own: the override is dropped, and its text does not change."""
    words = "Be kind to each and every one of them."
    assert effect_at(TREE, reworded(text=words), MATERIAL, ours("kind", words)) is Effect.EDITORIAL
