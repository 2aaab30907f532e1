"""What changed between two versions or editions: keys, weight (editorial or material), and rows for the change log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from trustportal.errors import RuleBroken
from trustportal.policies.domain.answers import Added, Override
from trustportal.policies.domain.clauses import Clause, Kind, NumberingStyle, Weight, by_key
from trustportal.policies.domain.diff import (
    ClauseChange,
    Op,
    compare_editions,
    compare_trees,
    only_changes,
)
from trustportal.policies.domain.resolve import EditionClause, Origin

__all__ = [
    "ChangeRow",
    "Mark",
    "Weight",
    "changed_keys",
    "check_marks",
    "edition_rows",
    "is_material",
    "marks_from_json",
    "rows",
    "school_marks",
    "template_rows",
    "weigh",
]


@dataclass(frozen=True, slots=True)
class Mark:
    """What whoever changed a clause said about the change."""

    weight: Weight
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"weight": self.weight.value, "reason": self.reason}


def marks_from_json(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Mark]:
    return {key: Mark(Weight(one["weight"]), one.get("reason") or "") for key, one in stored.items()}


def changed_keys(old: Sequence[Clause], new: Sequence[Clause]) -> tuple[str, ...]:
    """The clauses of the trust that differ between two trees: words, kind, mode, place; added and removed ones too.

    Renumbering alone is no change. In the order of the comparison (new order, removed ones where they stood).
    """
    comparison = compare_trees(old, new, NumberingStyle.NONE, only_changed=True)
    return tuple(row.key for row in comparison)


def check_marks(old: Sequence[Clause], new: Sequence[Clause], marks: Mapping[str, Mark]) -> None:
    """Raise `RuleBroken` unless every changed clause is marked editorial or material."""
    unmarked = [key for key in changed_keys(old, new) if key not in marks]
    if unmarked:
        clause = by_key(new).get(unmarked[0]) or by_key(old)[unmarked[0]]
        name = (clause.heading or clause.text)[:60]
        raise RuleBroken(f"Mark the change to “{name}” as editorial or material.", unmarked[0])


def school_marks(overrides: Mapping[str, Override], added: Iterable[Added]) -> dict[str, Mark]:
    """The marks that a school's answers carry."""
    marks = {key: Mark(one.weight, one.reason) for key, one in overrides.items()}
    marks.update({one.key: Mark(one.weight, one.reason) for one in added})
    return marks


def weigh(
    old: Sequence[EditionClause],
    new: Sequence[EditionClause],
    trust: Mapping[str, Mark],
    school: Mapping[str, Mark],
    *,
    values: Weight = Weight.EDITORIAL,
) -> dict[str, Weight]:
    """The weight of every clause whose resolved words differ between two editions of one place.

    `trust` are the marks of the template changes in between, `school` those of the school's answers that changed in
    between. The heavier one counts. A change that nobody marked is a value or a printed number (`values`), unless
    the clause came, went or changed its origin: then it is material, because nobody said otherwise.
    """
    was = {clause.key: clause for clause in old}
    now = {clause.key: clause for clause in new}
    found: dict[str, Weight] = {}
    for key in dict.fromkeys((*now, *was)):
        before, after = was.get(key), now.get(key)
        if _said(before) == _said(after):
            continue
        marks = [given[key].weight for given in (trust, school) if key in given]
        if marks:
            found[key] = Weight.MATERIAL if Weight.MATERIAL in marks else Weight.EDITORIAL
        elif before is None or after is None or before.origin is not after.origin:
            found[key] = Weight.MATERIAL
        else:
            found[key] = values
    return found


def _said(clause: EditionClause | None) -> tuple[str, str]:
    return ("", "") if clause is None or clause.origin is Origin.LEFT_OUT else (clause.heading, clause.text)


def is_material(
    old: Sequence[EditionClause],
    new: Sequence[EditionClause],
    trust: Mapping[str, Mark],
    school: Mapping[str, Mark],
    *,
    values: Weight = Weight.EDITORIAL,
) -> bool:
    """Whether any clause whose resolved words differ changed materially; see `weigh`. A first edition is material."""
    return not old or Weight.MATERIAL in weigh(old, new, trust, school, values=values).values()


_SAID = {
    Op.ADDED: "Added",
    Op.REMOVED: "Removed",
    Op.CHANGED: "Changed",
    Op.MOVED: "Moved",
    Op.MODE: "What schools may change",
    Op.LEFT_OUT: "Left out",
    Op.TAKEN_IN: "Taken in",
    Op.SAME: "Unchanged",
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One row of the change log. Author, approver and date are the version's, not the row's."""

    key: str
    op: Op
    kind: Kind
    number: str
    old_number: str
    title: str
    moved: bool
    weight: Weight
    reason: str

    @property
    def said(self) -> str:
        """In words: "Changed", "Changed and moved", "Removed"."""
        return (
            f"{_SAID[self.op]} and moved"
            if self.moved and self.op in (Op.CHANGED, Op.MODE)
            else _SAID[self.op]
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "op": self.op.value,
            "kind": self.kind.value,
            "number": self.number,
            "old_number": self.old_number,
            "title": self.title,
            "moved": self.moved,
            "weight": self.weight.value,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            stored["key"],
            Op(stored["op"]),
            Kind(stored["kind"]),
            stored.get("number") or "",
            stored.get("old_number") or "",
            stored.get("title") or "",
            bool(stored.get("moved")),
            Weight(stored["weight"]),
            stored.get("reason") or "",
        )


def _title(row: ClauseChange) -> str:
    heading = row.heading or row.old_heading
    if heading:
        return heading
    words = "".join(span.text for span in row.spans if span.op.value != "del").split()
    words = words or "".join(span.text for span in row.spans).split()
    return " ".join(words[:8]) + ("…" if len(words) > 8 else "")


def rows(
    comparison: Iterable[ClauseChange], weights: Mapping[str, Weight], reasons: Mapping[str, str]
) -> tuple[ChangeRow, ...]:
    """Rows of the change log from a comparison. A change without a weight is a move or a renumbering: editorial."""
    return tuple(
        ChangeRow(
            key=row.key,
            op=row.op,
            kind=row.kind,
            number=row.number,
            old_number=row.old_number,
            title=_title(row),
            moved=row.moved,
            weight=weights.get(row.key, Weight.EDITORIAL),
            reason=reasons.get(row.key, ""),
        )
        for row in only_changes(comparison)
    )


def template_rows(
    old: Sequence[Clause], new: Sequence[Clause], style: NumberingStyle, marks: Mapping[str, Mark]
) -> tuple[ChangeRow, ...]:
    """The change log between two versions of the trust's text, made from the versions themselves."""
    comparison = compare_trees(old, new, style, only_changed=True)
    return rows(
        comparison,
        {row.key: marks[row.key].weight if row.key in marks else Weight.MATERIAL for row in comparison},
        {key: mark.reason for key, mark in marks.items()},
    )


def edition_rows(
    old: Sequence[EditionClause],
    new: Sequence[EditionClause],
    trust: Mapping[str, Mark],
    school: Mapping[str, Mark],
    *,
    values: Weight = Weight.EDITORIAL,
) -> tuple[ChangeRow, ...]:
    """The change log between two editions of one place; the school's reason is shown before the trust's."""
    reasons = {key: mark.reason for key, mark in (*trust.items(), *school.items()) if mark.reason}
    return rows(
        compare_editions(old, new, only_changed=True), weigh(old, new, trust, school, values=values), reasons
    )
