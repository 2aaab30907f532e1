"""Redlines: two texts as spans, and two trees or editions clause by clause, with what moved shown as moved."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trustportal.markdown import to_reading
from trustportal.policies.domain.alignment import changes, tokens
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, labels
from trustportal.policies.domain.resolve import EditionClause, Origin

__all__ = [
    "ClauseChange",
    "Line",
    "Op",
    "Span",
    "SpanOp",
    "compare",
    "compare_editions",
    "compare_trees",
    "lines_of_edition",
    "lines_of_tree",
    "moved_keys",
    "only_changes",
    "read_redline",
    "redline",
]


class SpanOp(StrEnum):
    SAME = "same"
    INS = "ins"
    DEL = "del"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a redline: same + del make the old text, same + ins the new one, exactly."""

    op: SpanOp
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"op": self.op.value, "text": self.text}


def redline(old: str, new: str) -> tuple[Span, ...]:
    """The spans from `old` to `new`, word by word; deleted before inserted; neighbours of one kind are joined."""
    if old == new:
        return (Span(SpanOp.SAME, old),) if old else ()
    left, right = tokens(old), tokens(new)
    spans: list[Span] = []

    def put(op: SpanOp, run: Sequence[str]) -> None:
        if run:
            spans.append(Span(op, "".join(run)))

    at = 0
    for old_from, old_to, new_from, new_to in changes(left, right):
        put(SpanOp.SAME, left[at:old_from])
        put(SpanOp.DEL, left[old_from:old_to])
        put(SpanOp.INS, right[new_from:new_to])
        at = old_to
    put(SpanOp.SAME, left[at:])
    return tuple(spans)


def read_redline(old: str, new: str) -> tuple[Span, ...]:
    """The spans between two Markdown texts as people read them: nobody has to read its marks."""
    return redline(to_reading(old), to_reading(new))


@dataclass(frozen=True, slots=True)
class Line:
    """A clause as comparing sees it. One that is left out has no words to compare."""

    key: str
    parent: str | None
    kind: Kind
    #: The full number: away from its place, "b." says nothing.
    number: str
    heading: str
    text: str
    origin: Origin = Origin.TRUST
    #: What schools may do with it, in words; "" where that is not compared (editions).
    allows: str = ""


_ALLOWS = {
    Mode.LOCKED: "Schools may not change it",
    Mode.EXTEND: "Schools may add after it",
    Mode.ADAPTABLE: "Schools may change it",
}


def _allows(clause: Clause) -> str:
    return _ALLOWS[clause.mode] + (", with the trust's agreement" if clause.needs_agreement else "")


def lines_of_tree(tree: Sequence[Clause], style: NumberingStyle) -> tuple[Line, ...]:
    numbers = labels(tree, style)
    return tuple(
        Line(one.key, one.parent, one.kind, numbers[one.key], one.heading, one.text, allows=_allows(one))
        for one in tree
    )


def lines_of_edition(clauses: Iterable[EditionClause]) -> tuple[Line, ...]:
    return tuple(map(_line, clauses))


def _line(one: EditionClause) -> Line:
    silent = one.origin is Origin.LEFT_OUT
    heading, text = ("", "") if silent else (one.heading, one.text)
    return Line(one.key, one.parent, one.kind, one.label, heading, text, one.origin)


class Op(StrEnum):
    """What became of a clause.

    MODE: only what schools may do with it changed. LEFT_OUT, TAKEN_IN: a school stopped or began using it.
    """

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MODE = "mode"
    MOVED = "moved"
    LEFT_OUT = "left_out"
    TAKEN_IN = "taken_in"


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """One clause of a comparison. A clause can be moved and changed: then `op` is CHANGED and `moved` is true.

    `spans` are of the texts as they are read (`read_redline`); `text` is the new one in Markdown.
    """

    key: str
    op: Op
    kind: Kind
    number: str
    old_number: str
    heading: str
    old_heading: str
    heading_spans: tuple[Span, ...]
    spans: tuple[Span, ...]
    moved: bool = False
    allows: str = ""
    old_allows: str = ""
    text: str = ""

    @property
    def only_set_out(self) -> bool:
        """Whether the words are the same, and only how they are set out changed: emphasis, the kind of clause."""
        spans = (*self.heading_spans, *self.spans)
        return self.op is Op.CHANGED and all(span.op is SpanOp.SAME for span in spans)

    @property
    def has_changed(self) -> bool:
        return self.op is not Op.SAME


def compare(
    old: Sequence[Line], new: Sequence[Line], *, only_changed: bool = False
) -> tuple[ClauseChange, ...]:
    """Every clause of both, in the new order, with what was removed shown where it stood.

    `only_changed`: without the clauses that stayed as they were, which are then not read at all: most of them, when
    a version reaches a school.
    """
    before = {line.key: line for line in old}
    after = {line.key: line for line in new}
    moved = moved_keys(old, new)
    gone: dict[str | None, list[Line]] = {}
    anchor: str | None = None
    for line in old:
        if line.key in after:
            anchor = line.key
        else:
            gone.setdefault(anchor, []).append(line)
    rows = [_row(line, None, moved=False) for line in gone.get(None, ())]
    for line in new:
        was = before.get(line.key)
        if not only_changed or _op(was, line, moved=line.key in moved) is not Op.SAME:
            rows.append(_row(was, line, moved=line.key in moved))
        rows.extend(_row(lost, None, moved=False) for lost in gone.get(line.key, ()))
    return tuple(rows)


def _op(old: Line | None, new: Line | None, *, moved: bool) -> Op:
    if old is None:
        return Op.ADDED
    if new is None:
        return Op.REMOVED
    if old.origin is not new.origin and Origin.LEFT_OUT in (old.origin, new.origin):
        return Op.LEFT_OUT if new.origin is Origin.LEFT_OUT else Op.TAKEN_IN
    if (old.heading, old.text, old.kind) != (new.heading, new.text, new.kind):
        return Op.CHANGED
    if old.allows != new.allows:
        return Op.MODE
    return Op.MOVED if moved else Op.SAME


def _row(old: Line | None, new: Line | None, *, moved: bool) -> ClauseChange:
    line = new or old
    assert line is not None
    return ClauseChange(
        key=line.key,
        op=_op(old, new, moved=moved),
        kind=line.kind,
        number=new.number if new else "",
        old_number=old.number if old else "",
        heading=new.heading if new else "",
        old_heading=old.heading if old else "",
        heading_spans=redline(old.heading if old else "", new.heading if new else ""),
        spans=_read(old, new),
        moved=moved,
        allows=new.allows if new else "",
        old_allows=old.allows if old else "",
        text=new.text if new else "",
    )


def _read(old: Line | None, new: Line | None) -> tuple[Span, ...]:
    if old is not None and new is not None and old.text == new.text:
        return (Span(SpanOp.SAME, to_reading(new.text)),) if new.text else ()
    return read_redline(old.text if old else "", new.text if new else "")


def moved_keys(old: Sequence[Line], new: Sequence[Line]) -> frozenset[str]:
    """Keys under another parent, or out of the longest run of siblings that kept their order.

    The fewest clauses are called moved: a clause added above others moves none of them.
    """
    before = {line.key: line for line in old}
    place = {line.key: at for at, line in enumerate(old)}
    moved: set[str] = set()
    siblings: dict[str | None, list[str]] = {}
    for line in new:
        was = before.get(line.key)
        if was is None:
            continue
        if was.parent != line.parent:
            moved.add(line.key)
        else:
            siblings.setdefault(line.parent, []).append(line.key)
    for keys in siblings.values():
        kept = _longest_increasing([place[key] for key in keys])
        moved.update(key for at, key in enumerate(keys) if at not in kept)
    return frozenset(moved)


def _longest_increasing(places: Sequence[int]) -> frozenset[int]:
    """The indices of a longest increasing subsequence of distinct numbers."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, place in enumerate(places):
        length = bisect_left(tails, place)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(place)
            ends.append(at)
        else:
            tails[length], ends[length] = place, at
    found: set[int] = set()
    step = ends[-1] if ends else -1
    while step >= 0:
        found.add(step)
        step = before[step]
    return frozenset(found)


def compare_trees(
    old: Sequence[Clause], new: Sequence[Clause], style: NumberingStyle, *, only_changed: bool = False
) -> tuple[ClauseChange, ...]:
    """Two versions of the trust's text."""
    return compare(lines_of_tree(old, style), lines_of_tree(new, style), only_changed=only_changed)


def compare_editions(
    old: Sequence[EditionClause], new: Sequence[EditionClause], *, only_changed: bool = False
) -> tuple[ClauseChange, ...]:
    """Two editions, of one place or of two."""
    after = lines_of_edition(new)
    same = {id(one): line for one, line in zip(new, after, strict=True)}
    before = tuple(same.get(id(one)) or _line(one) for one in old)
    return compare(before, after, only_changed=only_changed)


def only_changes(rows: Iterable[ClauseChange]) -> tuple[ClauseChange, ...]:
    return tuple(row for row in rows if row.has_changed)
