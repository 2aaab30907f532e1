"""A joining school's own policy laid beside the trust's: which clauses say the same, which are only theirs. Pure.

Nothing is decided here: each pair carries what the clause's mode allows, and the head accepts or drops it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rapidfuzz.distance import Indel

from trustportal.policies.domain.alignment import is_word, tokens
from trustportal.policies.domain.clauses import Clause, Mode, Words, ancestors

__all__ = ["SIMILAR", "Kin", "OwnClause", "Pair", "Proposal", "align", "folded", "likeness", "proposed"]

#: From this likeness on, two clauses are taken to be about the same thing.
SIMILAR = 0.5
#: A clause that stands elsewhere must be more alike, or every "Review" would find another.
_MOVED = 0.65
_MARKS = re.compile(r"[*_#|>\[\]]+")


class Kin(StrEnum):
    """How a clause of theirs and one of the trust's belong together."""

    SAME = "same"
    SIMILAR = "similar"
    ONLY_THEIRS = "theirs"
    MISSING = "missing"


class Proposal(StrEnum):
    """What may become of a pair here; NOTHING where there is nothing to decide, or nothing that the trust allows."""

    NOTHING = "nothing"
    REPLACE = "replace"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class OwnClause:
    """A clause of the school's own policy, in its order. `label`: as it was printed."""

    label: str
    heading: str
    text: str
    depth: int = 0
    #: A heading that holds no clauses of its own in the tree: what follows it is its text.
    subheading: bool = False

    @property
    def words(self) -> Words:
        return Words(self.heading, self.text)


@dataclass(frozen=True, slots=True)
class Pair:
    """One row. `own` and `key`: the place in theirs, and the clause of the trust's; None where there is none.

    `score`: 0 to 1. `anchor`: after which of the trust's clauses theirs would be added, "" where none allows it.
    """

    kin: Kin
    own: int | None
    key: str | None
    score: float
    proposal: Proposal
    anchor: str


@lru_cache(4_000)
def _spoken(text: str) -> tuple[str, ...]:
    """The words of a text; kept, because each clause is laid beside every other."""
    return tuple(token.casefold() for token in tokens(_MARKS.sub(" ", text)) if is_word(token))


def likeness(one: Words, other: Words) -> float:
    """How alike two clauses are: 1 where the words are the same in order, 0 where less than a third of them is."""
    left, right = _spoken(one.text), _spoken(other.text)
    heads = _spoken(one.heading), _spoken(other.heading)
    # Below a third even equal headings could not make them similar: the search ends early there.
    body = Indel.normalized_similarity(left, right, score_cutoff=1 / 3) if left or right else None
    head = Indel.normalized_similarity(*heads) if heads[0] and heads[1] else None
    if body is None:
        return head or 0.0
    if head is None:
        # A heading on one side only says little, unless it is all that there is.
        return float(body) if left and right else 0.0
    return 0.25 * float(head) + 0.75 * float(body) if left and right else 0.5 * float(head)


def folded(clauses: Sequence[OwnClause]) -> tuple[OwnClause, ...]:
    """The clauses with each sub-heading and the unlabelled paragraphs below it as one, as the trust's clauses are.

    Old policies print a heading and then its paragraphs; the reader keeps them apart. No word is lost.
    """
    made: list[OwnClause] = []
    open_heading = False
    for one in clauses:
        last = made[-1] if made else None
        if last is not None and open_heading and not one.label and not one.heading:
            text = "\n\n".join(filter(None, (last.text, one.text)))
            made[-1] = OwnClause(last.label, last.heading, text, last.depth, last.subheading)
            continue
        open_heading = one.subheading
        made.append(one)
    return tuple(made)


def align(
    theirs: Sequence[OwnClause], tree: Sequence[Clause], trust_words: Mapping[str, Words] | None = None
) -> tuple[Pair, ...]:
    """Every clause of theirs and every one of the trust's exactly once, in the trust's order with theirs between.

    `trust_words`: the trust's words as they read at the school, where they differ from those in the tree.
    Clauses in the same order come first; those that moved are found afterwards, if they are more alike.
    """
    words = {clause.key: (trust_words or {}).get(clause.key, clause.words) for clause in tree}
    scores = [[_score(own, clause, words[clause.key]) for clause in tree] for own in theirs]
    matched = _in_order(scores)
    taken = set(matched.values())
    free = sorted(
        (
            (-scores[own][at], own, at)
            for own in range(len(theirs))
            if own not in matched
            for at in range(len(tree))
            if at not in taken and scores[own][at] >= _MOVED
        ),
    )
    for _, own, at in free:
        if own not in matched and at not in taken:
            matched[own] = at
            taken.add(at)
    return _rows(theirs, tree, words, scores, matched)


def _score(own: OwnClause, clause: Clause, words: Words) -> float:
    # What has a text is not the counterpart of what is only a heading.
    if bool(own.text.strip()) != bool(words.text.strip()) and not (own.heading and words.heading):
        return 0.0
    return likeness(own.words, words)


def _in_order(scores: Sequence[Sequence[float]]) -> dict[int, int]:
    """The pairs with the greatest sum of likenesses among those that keep both orders."""
    rows, columns = len(scores), len(scores[0]) if scores else 0
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            skip = max(best[row + 1][column], best[row][column + 1])
            score = scores[row][column]
            best[row][column] = max(skip, score + best[row + 1][column + 1]) if score >= SIMILAR else skip
    found: dict[int, int] = {}
    row = column = 0
    while row < rows and column < columns:
        score = scores[row][column]
        if score >= SIMILAR and best[row][column] == score + best[row + 1][column + 1]:
            found[row] = column
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column]:
            row += 1
        else:
            column += 1
    return found


def _rows(
    theirs: Sequence[OwnClause],
    tree: Sequence[Clause],
    words: Mapping[str, Words],
    scores: Sequence[Sequence[float]],
    matched: Mapping[int, int],
) -> tuple[Pair, ...]:
    by_clause = {at: own for own, at in matched.items()}
    waiting: dict[int, list[Pair]] = {}
    last = -1
    for own in range(len(theirs)):
        if own in matched:
            last = matched[own]
        else:
            near = tree[last].key if last >= 0 else tree[0].key if tree else ""
            # A heading alone says nothing that could be added; its clauses are asked about one by one.
            offered = proposed(tree, None, near) if theirs[own].text.strip() else (Proposal.NOTHING, "")
            pair = Pair(Kin.ONLY_THEIRS, own, None, 0.0, *offered)
            waiting.setdefault(last, []).append(pair)
    found = waiting.get(-1, [])
    for at, clause in enumerate(tree):
        partner = by_clause.get(at)
        if partner is None:
            found.append(Pair(Kin.MISSING, None, clause.key, 0.0, Proposal.NOTHING, ""))
        elif _same(theirs[partner].words, words[clause.key]):
            found.append(Pair(Kin.SAME, partner, clause.key, 1.0, Proposal.NOTHING, ""))
        else:
            score = min(scores[partner][at], 0.99)
            found.append(Pair(Kin.SIMILAR, partner, clause.key, score, *proposed(tree, clause, clause.key)))
        found += waiting.get(at, [])
    return tuple(found)


def _same(own: Words, trust: Words) -> bool:
    """The same text; a heading that only one of them has makes no difference, since nothing is said otherwise."""
    heads = _spoken(own.heading), _spoken(trust.heading)
    if not own.text.strip() and heads[0] == heads[1]:
        return True  # a heading of theirs that stands over the trust's words
    return _spoken(own.text) == _spoken(trust.text) and (
        heads[0] == heads[1] or (bool(own.text) and not all(heads))
    )


def proposed(tree: Sequence[Clause], clause: Clause | None, near: str) -> tuple[Proposal, str]:
    """What the trust allows: replace its clause, else add after it or after the nearest in its section that allows it.

    `clause`: the counterpart, None for words that are only theirs; `near`: the trust's clause beside which they stand.
    """
    if clause is not None and clause.mode is Mode.ADAPTABLE:
        return Proposal.REPLACE, clause.key
    anchor = _anchor(tree, near)
    return (Proposal.ADD, anchor) if anchor else (Proposal.NOTHING, "")


def _anchor(tree: Sequence[Clause], near: str) -> str:
    place = next((at for at, clause in enumerate(tree) if clause.key == near), None)
    if place is None:
        return ""
    top = (ancestors(tree, near) or (near,))[-1]
    section = [at for at, one in enumerate(tree) if one.key == top or top in ancestors(tree, one.key)]
    nearest = sorted(section, key=lambda at: (at > place, abs(at - place)))
    return next((tree[at].key for at in nearest if tree[at].mode is not Mode.LOCKED), "")
