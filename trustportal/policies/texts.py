"""Clauses' words, stored once per trust under their hash, and the trees that refer to them.

Part of the queries' room but for `store`, which services call: a thousand editions of one template share its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import event, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from trustportal.db import current_scope, db
from trustportal.policies.domain.clauses import Clause, Kind, Mode, Tree, Words, words_hash
from trustportal.policies.domain.resolve import EditionClause, Origin
from trustportal.policies.models import ClauseText

#: Words never change under their hash, so a process may keep them; by trust, since trusts share nothing. Only what
#: was committed is kept: whoever believed that words are stored, and was wrong, would lose them.
_kept: dict[tuple[UUID, str], Words] = {}
_KEEP = 20_000
_NOT_COMMITTED = "words that the open transaction stored"
#: The trees of published versions, which never change either.
_kept_trees: dict[tuple[UUID, UUID], Tree] = {}
_KEEP_TREES = 200


def _trust_id() -> UUID:
    scope = current_scope()
    if scope is None:
        raise RuntimeError("no scope: words belong to a trust")
    return scope.trust_id


def load(hashes: Iterable[str]) -> dict[str, Words]:
    """Hash -> words, with at most one query. Raises RuntimeError when a hash is unknown."""
    trust_id = _trust_id()
    wanted = set(hashes)
    found = {one: _kept[trust_id, one] for one in wanted if (trust_id, one) in _kept}
    missing = wanted - found.keys()
    if missing:
        rows = db.session.execute(
            select(ClauseText.hash, ClauseText.heading, ClauseText.text).where(ClauseText.hash.in_(missing))
        )
        for row in rows:
            found[row.hash] = Words(row.heading, row.text)
        if len(_kept) > _KEEP:
            _kept.clear()
        fresh = db.session().info.get(_NOT_COMMITTED, ())
        _kept.update({(trust_id, one): found[one] for one in missing if one in found and one not in fresh})
        if missing - found.keys():
            raise RuntimeError("a version refers to words that are not stored")
    return found


def read_words(hashes: Iterable[str]) -> dict[str, Words]:
    """Hash -> words as the database has them at this moment, whatever a process has kept; unknown ones are missing.

    For whoever verifies: what was altered must not hide behind what was read before.
    """
    _trust_id()
    rows = db.session.execute(
        select(ClauseText.hash, ClauseText.heading, ClauseText.text).where(ClauseText.hash.in_(set(hashes)))
    )
    return {row.hash: Words(row.heading, row.text) for row in rows}


def store(words: Iterable[Words]) -> None:
    """Store words that are not there yet."""
    trust_id = _trust_id()
    rows = {words_hash(one): one for one in words}
    new = {digest: one for digest, one in rows.items() if (trust_id, digest) not in _kept}
    if not new:
        return
    db.session().info.setdefault(_NOT_COMMITTED, set()).update(new)
    db.session.execute(
        insert(ClauseText).on_conflict_do_nothing(),
        [
            {"trust_id": trust_id, "hash": digest, "heading": one.heading, "text": one.text}
            for digest, one in sorted(new.items())
        ],
    )


@event.listens_for(Session, "after_commit")
@event.listens_for(Session, "after_rollback")
def _transaction_ended(session: Session) -> None:
    session.info.pop(_NOT_COMMITTED, None)


def forget() -> None:
    """Let go of everything that is kept: the database was put back to what it was before."""
    _kept.clear()
    _kept_trees.clear()


# -- the trust's text --------------------------------------------------------------------------------------------


def freeze_tree(tree: Sequence[Clause]) -> list[dict[str, Any]]:
    """The tree as it is kept: each clause with the hash of its words. Stores the words."""
    store(clause.words for clause in tree)
    return [
        {
            "key": clause.key,
            "parent": clause.parent,
            "kind": clause.kind.value,
            "mode": clause.mode.value,
            "needs_agreement": clause.needs_agreement,
            "words": words_hash(clause.words),
        }
        for clause in tree
    ]


def thaw_tree(kept: Sequence[Mapping[str, Any]]) -> Tree:
    """The tree with its words."""
    words = load(one["words"] for one in kept)
    return tuple(
        Clause(
            key=one["key"],
            parent=one["parent"],
            kind=Kind(one["kind"]),
            heading=words[one["words"]].heading,
            text=words[one["words"]].text,
            mode=Mode(one["mode"]),
            needs_agreement=one["needs_agreement"],
        )
        for one in kept
    )


def thaw_published(version_id: UUID, read: Callable[[], Sequence[Mapping[str, Any]]]) -> Tree:
    """As `thaw_tree`, for a published version: kept, since bringing it to every school needs it for each."""
    key = (_trust_id(), version_id)
    found = _kept_trees.get(key)
    if found is None:
        found = thaw_tree(read())
        if len(_kept_trees) >= _KEEP_TREES:
            _kept_trees.clear()
        _kept_trees[key] = found
    return found


# -- what a place says -------------------------------------------------------------------------------------------


class Frozen(NamedTuple):
    """A clause, and how it is kept: its printed words and the trust's words by hash, which may not be stored yet."""

    clause: EditionClause
    row: dict[str, Any]


def frozen(clauses: Sequence[EditionClause]) -> list[Frozen]:
    """An edition's clauses as they would be kept."""
    made: list[Frozen] = []
    for clause in clauses:
        row: dict[str, Any] = clause.to_json(with_words=False)
        row["words"] = row["template_words"] = words_hash(clause.template_words)
        if (clause.heading, clause.text) != (clause.template_heading, clause.template_text):
            row["words"] = words_hash(clause.words)
        made.append(Frozen(clause, row))
    return made


def keep_edition(made: Sequence[Frozen], *, after: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Store the words of an edition; returns its tree. `after`: the one before it, whose words are stored already."""
    stored = _words_in(after)
    store(
        words
        for clause, row in made
        for digest, words in ((row["words"], clause.words), (row["template_words"], clause.template_words))
        if digest not in stored
    )
    return [row for _, row in made]


def freeze_edition(clauses: Sequence[EditionClause]) -> list[dict[str, Any]]:
    """An edition's clauses as they are kept. Stores their words."""
    return keep_edition(frozen(clauses))


def _words_in(kept: Sequence[Mapping[str, Any]]) -> set[str]:
    return {digest for one in kept for digest in (one["words"], one["template_words"])}


def thaw_edition(
    kept: Sequence[Mapping[str, Any]], beside: Sequence[Frozen] = ()
) -> tuple[EditionClause, ...]:
    """An edition's clauses with their words. `beside`: clauses at hand. One that is kept the same way is the same, and
    words under the same hash are the same: neither is read.
    """
    same = {one.row["key"]: one for one in beside}
    known = {one.row["words"]: one.clause.words for one in beside}
    words = known | load(
        digest
        for one in kept
        if one["key"] not in same or same[one["key"]].row != one
        for digest in (one["words"], one["template_words"])
        if digest not in known
    )
    return tuple(
        same[one["key"]].clause
        if one["key"] in same and same[one["key"]].row == one
        else EditionClause.from_json(
            {
                **one,
                "heading": words[one["words"]].heading,
                "text": words[one["words"]].text,
                "template_heading": words[one["template_words"]].heading,
                "template_text": words[one["template_words"]].text,
            }
        )
        for one in kept
    )


__all__ = [
    "Frozen",
    "Origin",
    "freeze_edition",
    "freeze_tree",
    "frozen",
    "keep_edition",
    "load",
    "read_words",
    "store",
    "thaw_edition",
    "thaw_published",
    "thaw_tree",
]
