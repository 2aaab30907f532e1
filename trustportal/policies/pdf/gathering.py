"""Parts of a snapshot from the domain's own shapes: clauses, header, change log, redline. Pure.

Whoever loads the rows (a service) hands them over as domain objects, and puts the parts together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from trustportal.policies.domain import placeholders, references
from trustportal.policies.domain.changes import ChangeRow, Mark
from trustportal.policies.domain.clauses import Clause, Mode, NumberingStyle, labels, number
from trustportal.policies.domain.diff import ClauseChange, only_changes
from trustportal.policies.domain.diff import Op as ChangeOp
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.resolve import EditionClause
from trustportal.policies.pdf.snapshot import ChangeEntry, PrintClause, RedlineChange

__all__ = ["change_entries", "clauses_of_edition", "clauses_of_tree", "day", "header_rows", "redline_changes"]

_MODES = {
    Mode.LOCKED: "",
    Mode.EXTEND: "Schools may add after this",
    Mode.ADAPTABLE: "Schools may change this",
}


def day(value: date | None) -> str:
    """4 September 2026; "" for None."""
    return f"{value.day} {value:%B %Y}" if value else ""


def _depths(clauses: Iterable[Clause | EditionClause]) -> dict[str, int]:
    found: dict[str, int] = {}
    for clause in clauses:
        found[clause.key] = found.get(clause.parent or "", 0) + 1
    return found


def clauses_of_edition(clauses: Sequence[EditionClause]) -> tuple[PrintClause, ...]:
    """The resolved clauses of an edition, with their origin."""
    depths = _depths(clauses)
    return tuple(
        PrintClause(
            number=one.number,
            depth=depths[one.key],
            kind=one.kind,
            heading=one.heading,
            text=one.text,
            origin=one.origin,
            reason=one.reason,
            anchor=one.key,
        )
        for one in clauses
    )


def clauses_of_tree(tree: Sequence[Clause], style: NumberingStyle) -> tuple[PrintClause, ...]:
    """The trust's text, where schools' values do not stand yet: {{school.name}} is printed as [school name]."""
    depths, numbers = _depths(tree), number(tree, style)
    names = references.names_for(tree, labels(tree, style), {one.key: one.heading for one in tree})

    def words(text: str, bracket: str = "[%s]") -> str:
        text = references.REFERENCE.sub(lambda found: names.get(found[1], found[0]), text)
        return placeholders.PLACEHOLDER.sub(
            lambda found: bracket % found[1].replace(".", " ").replace("_", " "), text
        )

    return tuple(
        PrintClause(
            number=numbers[one.key],
            depth=depths[one.key],
            kind=one.kind,
            heading=words(one.heading),
            text=words(one.text, r"\[%s\]"),
            anchor=one.key,
            note=_MODES[one.mode]
            + (", if the trust agrees" if one.needs_agreement and _MODES[one.mode] else ""),
        )
        for one in tree
    )


def header_rows(header: PolicyHeader) -> tuple[tuple[str, str], ...]:
    """The header block, without what is empty. The title stands above it, and is not repeated."""
    months = header.review_months
    years = {12: "Every year", 24: "Every two years", 36: "Every three years"}
    rows = (
        ("Reference", header.reference),
        ("Organisation", header.organisation),
        ("Who it is for", header.audience),
        ("Person responsible", header.person_responsible),
        ("Approving body", header.approving_body),
        ("Approved on", day(header.approved_on)),
        ("Effective on", day(header.effective_on)),
        ("Reviewed", years.get(months, f"Every {months} months")),
        ("Next review due", day(header.next_review_on)),
        ("Statutory", "Yes" if header.statutory else "No"),
        ("Availability", "Public" if header.public else "Internal"),
        ("Related policies", "; ".join(header.related)),
    )
    return tuple((label, value) for label, value in rows if value)


def change_entries(
    rows: Iterable[ChangeRow], *, version: str, author: str, approver: str, on: date | None
) -> tuple[ChangeEntry, ...]:
    """The change log of one version or edition; author, approver and day are the version's."""
    return tuple(
        ChangeEntry(
            number=row.number or row.old_number,
            heading=row.title,
            what=row.said,
            reason=row.reason,
            weight=row.weight,
            author=author,
            approver=approver,
            on=on,
            version=version,
        )
        for row in rows
    )


_WORDS = {
    ChangeOp.ADDED: "Added",
    ChangeOp.REMOVED: "Removed",
    ChangeOp.CHANGED: "Changed",
    ChangeOp.MOVED: "Moved",
    ChangeOp.MODE: "What schools may change",
    ChangeOp.LEFT_OUT: "Left out",
    ChangeOp.TAKEN_IN: "Taken in",
}


def redline_changes(
    comparison: Iterable[ClauseChange], marks: Mapping[str, Mark] | None = None
) -> tuple[RedlineChange, ...]:
    """The clauses of a comparison that differ; `marks` adds why and how heavy, where that is known."""
    marks = marks or {}
    changes: list[RedlineChange] = []
    for row in only_changes(comparison):
        mark = marks.get(row.key)
        what = _WORDS[row.op]
        if row.moved and row.op in (ChangeOp.CHANGED, ChangeOp.MODE):
            what += " and moved"
        changes.append(
            RedlineChange(
                number=row.number,
                old_number=row.old_number,
                what=what,
                heading_spans=row.heading_spans,
                spans=row.spans,
                reason=mark.reason if mark else "",
                weight=mark.weight if mark else None,
                note=_note(row),
            )
        )
    return tuple(changes)


def _note(row: ClauseChange) -> str:
    if row.op is ChangeOp.MODE:
        return f"Was: {row.old_allows}. Now: {row.allows}."
    return "The words are the same; only how they are set out changed." if row.only_set_out else ""
