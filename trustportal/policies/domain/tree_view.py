"""What pages ask about a tree: how deep each clause lies, what its section is. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from trustportal.policies.domain.clauses import Clause

__all__ = ["depth_of"]


def depth_of(tree: Sequence[Clause]) -> dict[str, int]:
    """Key -> level, 1 at the top."""
    depths: dict[str, int] = {}
    for clause in tree:
        depths[clause.key] = depths[clause.parent] + 1 if clause.parent is not None else 1
    return depths
