"""A corrected reading -> the clause tree of a policy. Keys follow from the words and their order alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trustportal.errors import RuleBroken
from trustportal.policies.domain.clauses import Clause, Tree, check_tree
from trustportal.policies.importing.reading import ReadClause, Reading


def to_tree(reading: Reading) -> Tree:
    """The clauses with keys and parents, all locked. The printed labels go: numbers are derived from now on.

    The same reading always gives the same keys. Raises RuleBroken where a level is skipped, or where clauses
    stand below a sub-heading.
    """
    return tree_of(reading.clauses)


def tree_of(clauses: Sequence[ReadClause]) -> Tree:
    """See `to_tree`."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    above: list[tuple[str, str]] = []  # (key, stem for the keys of clauses without a heading) by depth
    tree: list[Clause] = []
    for clause in clauses:
        if clause.depth > len(above):
            raise RuleBroken(
                f"{_name(clause)} is more than one level below the clause before it. Move it up a level."
            )
        del above[clause.depth :]
        stem = _slug(clause.heading) if clause.heading else above[0][1] if above else "clause"
        key = _fresh(stem, taken, counts, always=not clause.heading)
        parent = above[-1][0] if above else None
        tree.append(Clause(key, parent, clause.kind, clause.heading, clause.text))
        above.append((key, stem))
    check_tree(tree)
    return tuple(tree)


def _name(clause: ReadClause) -> str:
    words = " ".join(filter(None, (clause.label, clause.heading or clause.text)))
    return f"“{words[:60]}”" if words else "A clause"


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")[:40].strip("-") or "clause"


def _fresh(stem: str, taken: set[str], counts: dict[str, int], *, always: bool) -> str:
    if not always and stem not in taken:
        taken.add(stem)
        return stem
    while True:
        counts[stem] = counts.get(stem, 1 if not always else 0) + 1
        key = f"{stem}-{counts[stem]}"
        if key not in taken:
            taken.add(key)
            return key
