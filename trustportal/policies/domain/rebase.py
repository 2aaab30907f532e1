"""Rebasing: what a new version of the trust's text does to one school's answers, clause by clause. Pure.

`rebase` makes a `Plan`; where it needs decisions, `apply_decisions` turns them into the answers on the new version.
The rows of the table in the product's description are the `Situation`s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from trustportal.policies.domain.answers import (
    Added,
    Answer,
    Override,
    effective_override,
    ours_of,
    root_anchor,
)
from trustportal.policies.domain.clauses import (
    Clause,
    Kind,
    Mode,
    NumberingStyle,
    Tree,
    Words,
    by_key,
    descendants,
    fresh_key,
)
from trustportal.policies.domain.diff import lines_of_tree, moved_keys
from trustportal.policies.domain.merge import Merged, merge3
from trustportal.policies.domain.plan import Choice, Pending, Plan, Settled, Situation

__all__ = ["Choice", "Pending", "Plan", "Settled", "Situation", "nearest_anchor", "rebase"]


_EQUAL = "The trust's new text is the same as yours, so your change is no longer needed."
_RELOCKED = "The trust has locked this clause. Its text applies now; your words stay in the history."
_PART_RELOCKED = (
    "This part can no longer be left out, because the trust has locked a clause in it. Its text applies now."
)
_ADDITION_RELOCKED = (
    "The trust no longer allows additions after this clause. "
    "Your clause is not used any more; its words stay in the history."
)
_GONE = "You left this clause out, and the trust has now removed it."

_KEEP_BOTH = (Choice.KEEP_OURS, Choice.TAKE_THEIRS, Choice.KEEP_BOTH, Choice.WRITE)
_NO_BOTH = (Choice.KEEP_OURS, Choice.TAKE_THEIRS, Choice.WRITE)


def rebase(
    old_tree: Sequence[Clause],
    new_tree: Sequence[Clause],
    overrides: Mapping[str, Override],
    added: Sequence[Added],
) -> Plan:
    """Plan what becomes of a school's answers when the trust's text goes from `old_tree` to `new_tree`.

    `old_tree` is the version that the school's answers stand on. Every answer ends up in exactly one of
    `carried`, `added`, `settled` and `pending`, with its words.
    """
    old, new = by_key(old_tree), by_key(new_tree)
    order = {
        clause.key: at
        for at, clause in enumerate((*new_tree, *(one for one in old_tree if one.key not in new)))
    }
    carried: list[Override] = []
    settled: list[Settled] = []
    pending: list[Pending] = []
    for key in sorted(overrides, key=lambda one: (order.get(one, len(order)), one)):
        override = overrides[key]
        if override.answer is Answer.INHERIT:
            continue
        clause = new.get(key)
        if clause is None:
            outcome: Override | Settled | Pending = _on_deleted(override, old_tree, new_tree)
        elif override.answer is Answer.LEAVE_OUT:
            outcome = _on_left_out(override, clause, old_tree, new_tree)
        else:
            outcome = _on_replaced(override, clause, new_tree)
        if isinstance(outcome, Override):
            carried.append(outcome)
        elif isinstance(outcome, Settled):
            settled.append(outcome)
        else:
            pending.append(outcome)
    stand, ended, wait = _additions(old_tree, new_tree, added)
    moved = _moved_between(tuple(old_tree), tuple(new_tree))
    answered = {key for key, one in overrides.items() if one.answer is not Answer.INHERIT}
    return Plan(
        carried=tuple(carried),
        added=stand,
        settled=(*settled, *ended),
        pending=(*pending, *wait),
        moved=tuple(clause.key for clause in new_tree if clause.key in moved and clause.key in answered),
        follows=tuple(
            key for key in order if key not in answered and (old.get(key) != new.get(key) or key in moved)
        ),
        new_tree=tuple(new_tree),
    )


@lru_cache(8)
def _moved_between(old_tree: Tree, new_tree: Tree) -> frozenset[str]:
    """What the trust moved; kept, since a version comes to every school from the same one before it."""
    style = NumberingStyle.NONE
    return moved_keys(lines_of_tree(old_tree, style), lines_of_tree(new_tree, style))


def _on_replaced(
    override: Override, clause: Clause, new_tree: Sequence[Clause]
) -> Override | Settled | Pending:
    base, theirs = override.base, clause.words
    # A part that the school did not touch is the trust's, old and new: it follows.
    was = ours_of(override, base)
    ours = ours_of(override, theirs)
    if ours == theirs:
        return Settled(clause.key, Situation.EQUAL, was, theirs, override.reason, _EQUAL)
    if effective_override(new_tree, clause, override) is not None:
        return Settled(clause.key, Situation.RELOCKED, was, theirs, override.reason, _RELOCKED)
    if theirs == base:
        return override
    heading = merge3(base.heading, was.heading, theirs.heading)
    text = merge3(base.text, was.text, theirs.text)
    if isinstance(heading, Merged) and isinstance(text, Merged):
        merged: Words | None = Words(heading.text, text.text)
        if merged == theirs:
            return Settled(clause.key, Situation.EQUAL, was, theirs, override.reason, _EQUAL)
        if merged == was:
            return replace(override, base_heading=theirs.heading, base_text=theirs.text)
    else:
        merged = None
    both = _KEEP_BOTH if clause.kind is Kind.CLAUSE else _NO_BOTH
    return Pending(
        key=clause.key,
        situation=Situation.MERGED if merged is not None else Situation.CONFLICT,
        answer=override.answer,
        base=base,
        theirs=theirs,
        ours=was,
        merged=merged,
        reason=override.reason,
        choices=(Choice.CONFIRM, *both) if merged is not None else both,
        weight=override.weight,
        anchor=clause.key,
    )


def _on_left_out(
    override: Override, clause: Clause, old_tree: Sequence[Clause], new_tree: Sequence[Clause]
) -> Override | Settled | Pending:
    theirs = clause.words
    if effective_override(new_tree, clause, override) is not None:
        message = _PART_RELOCKED if clause.mode is Mode.ADAPTABLE else _RELOCKED
        return Settled(clause.key, Situation.RELOCKED, Words(), theirs, override.reason, message)
    before, now = _below(old_tree, clause.key), _below(new_tree, clause.key)
    came_out = (before.keys() - now.keys()) & by_key(new_tree).keys()
    # What the trust deletes from the part, or moves within it, leaves nothing to decide.
    if theirs == override.base and now.items() <= before.items() and not came_out:
        return override
    return Pending(
        key=clause.key,
        situation=Situation.LEFT_OUT_CHANGED,
        answer=override.answer,
        base=override.base,
        theirs=theirs,
        ours=Words(),
        merged=None,
        reason=override.reason,
        choices=_NO_BOTH,
        weight=override.weight,
        anchor=clause.key,
        below=tuple(now.values()),
    )


def _below(tree: Sequence[Clause], key: str) -> dict[str, Words]:
    clauses = by_key(tree)
    return {one: clauses[one].words for one in descendants(tree, key)}


def _on_deleted(
    override: Override, old_tree: Sequence[Clause], new_tree: Sequence[Clause]
) -> Settled | Pending:
    key = override.clause_key
    if override.answer is Answer.LEAVE_OUT:
        return Settled(key, Situation.GONE, Words(), Words(), override.reason, _GONE)
    return Pending(
        key=key,
        situation=Situation.DELETED,
        answer=override.answer,
        base=override.base,
        theirs=None,
        ours=ours_of(override, override.base),
        merged=None,
        reason=override.reason,
        choices=(Choice.KEEP_AS_ADDED, Choice.DROP),
        weight=override.weight,
        anchor=nearest_anchor(old_tree, new_tree, key),
    )


def nearest_anchor(old_tree: Sequence[Clause], new_tree: Sequence[Clause], key: str) -> str:
    """After which clause of the new tree a deleted one would stand: its nearest earlier sibling that is still in its
    place, else its parent, and so on upwards; else the last clause at the top level; "" for an empty tree.

    Modes are not asked: keeping what the trust deleted is the school's right, and changes no word of the trust's.
    """
    old, new = by_key(old_tree), by_key(new_tree)
    while key in old:
        parent = old[key].parent
        siblings = [clause.key for clause in old_tree if clause.parent == parent]
        for sibling in reversed(siblings[: siblings.index(key)]):
            if sibling in new and new[sibling].parent == parent and new[sibling].kind is not Kind.APPENDIX:
                return sibling
        if parent is None:
            break
        if parent in new:
            return parent
        key = parent
    top = [clause for clause in new_tree if clause.parent is None]
    return next(
        (one.key for one in reversed(top) if one.kind is not Kind.APPENDIX), top[-1].key if top else ""
    )


def _additions(
    old_tree: Sequence[Clause], new_tree: Sequence[Clause], added: Sequence[Added]
) -> tuple[tuple[Added, ...], tuple[Settled, ...], tuple[Pending, ...]]:
    """What stands, what ended, what waits, of a school's own clauses."""
    old, new = by_key(old_tree), by_key(new_tree)
    renamed = _renamed(added, new)
    own = [replace(one, key=renamed.get(one.key, one.key), after=_after(one, renamed, old)) for one in added]
    stand: list[Added] = []
    ended: list[Settled] = []
    wait: list[Pending] = []
    mine = {one.key for one in own}
    for one in own:
        root = root_anchor(own, one.key)
        anchor = new.get(root)
        if anchor is None and root in old:
            wait.append(
                Pending(
                    key=one.key,
                    situation=Situation.ANCHOR_DELETED,
                    answer=Answer.INHERIT,
                    base=old[root].words,
                    theirs=None,
                    ours=one.words,
                    merged=None,
                    reason=one.reason,
                    choices=(Choice.KEEP_AS_ADDED, Choice.DROP),
                    weight=one.weight,
                    anchor=one.after if one.after in mine else nearest_anchor(old_tree, new_tree, root),
                )
            )
        elif anchor is not None and anchor.mode is Mode.LOCKED and _could_extend(old.get(root)):
            ended.append(
                Settled(
                    one.key,
                    Situation.RELOCKED,
                    one.words,
                    Words(),
                    one.reason,
                    _ADDITION_RELOCKED,
                    added=True,
                )
            )
        else:
            # Also one kept after a clause that was locked already (see `nearest_anchor`).
            stand.append(one)
    return tuple(stand), tuple(ended), tuple(wait)


def _could_extend(clause: Clause | None) -> bool:
    return clause is not None and clause.mode is not Mode.LOCKED


def _renamed(added: Sequence[Added], new: Mapping[str, Clause]) -> dict[str, str]:
    """Fresh keys for additions whose key the trust uses now (a deleted clause, kept here, that came back)."""
    taken = {*new, *(one.key for one in added)}
    renamed: dict[str, str] = {}
    for one in added:
        if one.key in new:
            renamed[one.key] = fresh_key(taken, f"{one.key}-added")
            taken.add(renamed[one.key])
    return renamed


def _after(one: Added, renamed: Mapping[str, str], old: Mapping[str, Clause]) -> str:
    """Follow a renamed addition; but what stood after the trust's clause of that key stays there."""
    return one.after if one.after in old else renamed.get(one.after, one.after)
