"""Tokens of a text (words, spaces, punctuation) and how two token lists line up. `diff` and `merge` stand on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import Indel

__all__ = ["Block", "blocks", "changes", "is_word", "tokens", "words_in"]

_TOKEN = re.compile(r"\w+(?:['’\-.]\w+)*|[^\S\n]+|\n+|[^\w\s]")

#: (start in old, start in new, length) of a run of equal tokens.
Block = tuple[int, int, int]


def tokens(text: str) -> tuple[str, ...]:
    """Words (with inner hyphens, apostrophes and dots), runs of spaces, line breaks, single signs. Joined: the text."""
    return tuple(_TOKEN.findall(text))


def is_word(token: str) -> bool:
    return token[0].isalnum() or token[0] == "_"


def words_in(run: Sequence[str]) -> int:
    """How many of these tokens are words."""
    return sum(1 for token in run if is_word(token))


def blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """The runs of equal tokens on a longest common subsequence, in order.

    Tokens are numbered first, so that equality is exact; the search itself is bit-parallel (10,000 tokens against
    10,000 take some milliseconds), where `difflib` would need seconds on a clause that repeats its words.
    """
    ids: dict[str, int] = {}
    left = [ids.setdefault(token, len(ids)) for token in old]
    right = [ids.setdefault(token, len(ids)) for token in new]
    found: list[Block] = []
    for step in Indel.opcodes(left, right):
        if step.tag == "equal":
            found.append((step.src_start, step.dest_start, step.src_end - step.src_start))
    return found


def changes(old: Sequence[str], new: Sequence[str], *, least: int = 1) -> list[tuple[int, int, int, int]]:
    """The changed runs (old from, old to, new from, new to), in order.

    Equal runs with fewer than `least` words between two changes are taken into them: nobody reads a redline that
    keeps a comma in the middle of a rewritten sentence.
    """
    found: list[tuple[int, int, int, int]] = []
    at_old = at_new = 0
    for start_old, start_new, length in [*blocks(old, new), (len(old), len(new), 0)]:
        if start_old > at_old or start_new > at_new:
            previous = found[-1] if found else None
            if previous and words_in(old[previous[1] : at_old]) < least:
                found[-1] = (previous[0], start_old, previous[2], start_new)
            else:
                found.append((at_old, start_old, at_new, start_new))
        at_old, at_new = start_old + length, start_new + length
    return found
