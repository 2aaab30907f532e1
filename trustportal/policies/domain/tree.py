"""Changing a tree: insert, remove, move, indent. Each takes a tree and gives a new one that is still well formed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trustportal.errors import RuleBroken
from trustportal.policies.domain.clauses import Clause, Kind, Tree, by_key, check_tree, children, subtree

__all__ = ["change", "indent", "insert", "move", "move_down", "move_up", "outdent", "remove"]


def _get(tree: Sequence[Clause], key: str) -> Clause:
    clause = by_key(tree).get(key)
    if clause is None:
        raise RuleBroken(
            f"There is no clause “{key}” in this policy. It may have been removed meanwhile.", "key"
        )
    return clause


def _checked(tree: Sequence[Clause]) -> Tree:
    made = tuple(tree)
    check_tree(made)
    return made


def _position(tree: Sequence[Clause], parent: str | None, after: str | None) -> int:
    """The index at which a child of `parent` stands when it comes after its sibling `after` (None: first)."""
    keys = [clause.key for clause in tree]
    if after is not None:
        sibling = _get(tree, after)
        if sibling.parent != parent:
            raise RuleBroken("The clause to place it after is in another part of the policy.", "after")
        return keys.index(after) + len(subtree(tree, after))
    if parent is None:
        return 0
    _get(tree, parent)
    return keys.index(parent) + 1


def insert(tree: Sequence[Clause], clause: Clause, *, after: str | None = None) -> Tree:
    """Put `clause` under its own `parent`, after the sibling `after` and all below that; None: as the first child."""
    at = _position(tree, clause.parent, after)
    return _checked([*tree[:at], clause, *tree[at:]])


def remove(tree: Sequence[Clause], key: str) -> Tree:
    """Take a clause out, with everything below it."""
    _get(tree, key)
    gone = {clause.key for clause in subtree(tree, key)}
    return tuple(clause for clause in tree if clause.key not in gone)


def change(tree: Sequence[Clause], key: str, **fields: Any) -> Tree:
    """Change fields of one clause: heading, text, kind, mode, needs_agreement. Its key and place stay."""
    if "parent" in fields:
        raise RuleBroken("The place of a clause changes by moving it.", "parent")
    _get(tree, key)
    return _checked([replace(clause, **fields) if clause.key == key else clause for clause in tree])


def move(tree: Sequence[Clause], key: str, *, parent: str | None, after: str | None = None) -> Tree:
    """Move a clause and everything below it under `parent`, after the sibling `after` (None: first)."""
    branch = subtree(tree, key)
    clause = _get(tree, key)
    inside = {one.key for one in branch}
    if parent in inside or after in inside:
        raise RuleBroken("A clause cannot be moved into itself.", "parent")
    rest = [one for one in tree if one.key not in inside]
    at = _position(rest, parent, after)
    kind = _kind_at(clause, _get(rest, parent) if parent is not None else None)
    moved = [replace(clause, parent=parent, kind=kind), *branch[1:]]
    return _checked([*rest[:at], *moved, *rest[at:]])


def _kind_at(clause: Clause, parent: Clause | None) -> Kind:
    """A section that moves into another clause becomes a clause; a clause with a heading at the top, a section."""
    if clause.kind is Kind.SECTION and parent is not None and parent.kind is not Kind.APPENDIX:
        return Kind.CLAUSE
    if clause.kind is Kind.CLAUSE and parent is None and clause.heading:
        return Kind.SECTION
    return clause.kind


def _siblings(tree: Sequence[Clause], clause: Clause) -> tuple[list[str], int]:
    keys = [one.key for one in children(tree, clause.parent)]
    return keys, keys.index(clause.key)


def move_up(tree: Sequence[Clause], key: str) -> Tree:
    """Swap a clause with the sibling before it; the first stays where it is."""
    clause = _get(tree, key)
    keys, at = _siblings(tree, clause)
    if at == 0:
        return tuple(tree)
    return _same_kind(move(tree, key, parent=clause.parent, after=keys[at - 2] if at > 1 else None), clause)


def move_down(tree: Sequence[Clause], key: str) -> Tree:
    """Swap a clause with the sibling after it; the last stays where it is."""
    clause = _get(tree, key)
    keys, at = _siblings(tree, clause)
    if at == len(keys) - 1:
        return tuple(tree)
    return _same_kind(move(tree, key, parent=clause.parent, after=keys[at + 1]), clause)


def _same_kind(tree: Tree, clause: Clause) -> Tree:
    return change(tree, clause.key, kind=clause.kind)


def indent(tree: Sequence[Clause], key: str) -> Tree:
    """Make a clause the last child of the sibling before it."""
    clause = _get(tree, key)
    keys, at = _siblings(tree, clause)
    if at == 0:
        raise RuleBroken("There is no clause before this one that it could be part of.", "key")
    below = children(tree, keys[at - 1])
    return move(tree, key, parent=keys[at - 1], after=below[-1].key if below else None)


def outdent(tree: Sequence[Clause], key: str) -> Tree:
    """Move a clause up one level, to stand after the clause that it was part of."""
    clause = _get(tree, key)
    if clause.parent is None:
        raise RuleBroken("This clause is at the top level already.", "key")
    return move(tree, key, parent=_get(tree, clause.parent).parent, after=clause.parent)
