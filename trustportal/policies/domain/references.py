"""Cross-references: [[clause-key]] in a text prints the current number of that clause, so it cannot go stale."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from trustportal.policies.domain.clauses import Clause

__all__ = ["NOT_USED", "REFERENCE", "dangling", "find", "names_for", "referring_to"]

REFERENCE = re.compile(r"\[\[\s*([a-z0-9][a-z0-9-]*)\s*\]\]")
NOT_USED = "not used at this school"


def find(text: str) -> tuple[str, ...]:
    """The keys that `text` refers to, each once, in order."""
    return tuple(dict.fromkeys(REFERENCE.findall(text)))


def dangling(tree: Sequence[Clause], also: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """(clause key, key referred to) for every reference to a clause that is neither in the tree nor in `also`."""
    known = {clause.key for clause in tree} | set(also)
    return tuple(
        (clause.key, key)
        for clause in tree
        for key in dict.fromkeys((*find(clause.heading), *find(clause.text)))
        if key not in known
    )


def referring_to(tree: Iterable[Clause], key: str) -> tuple[str, ...]:
    """The keys of the clauses that refer to `key`: what to look at before removing it."""
    return tuple(clause.key for clause in tree if key in (*find(clause.heading), *find(clause.text)))


def names_for(
    tree: Sequence[Clause], labels: Mapping[str, str], headings: Mapping[str, str]
) -> dict[str, str]:
    """Key -> what a reference to it prints: its label, or where it has no number the nearest heading in quotes."""
    names: dict[str, str] = {}
    nearest: dict[str | None, str] = {}
    for clause in tree:
        heading = nearest[clause.key] = headings.get(clause.key) or nearest.get(clause.parent, "")
        names[clause.key] = labels.get(clause.key) or (f"“{heading}”" if heading else "this policy")
    return names
