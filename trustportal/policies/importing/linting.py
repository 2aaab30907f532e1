"""A reading as lint sees it: printed labels, the header as printed, what only the importer could see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from trustportal.policies.domain.lint import RULES
from trustportal.policies.domain.lint.model import (
    Document,
    Finding,
    HeaderFact,
    LintClause,
    Note,
    Severity,
    Source,
    VersionFact,
)
from trustportal.policies.domain.lint.safeguarding import looks_like_safeguarding
from trustportal.policies.importing.reading import Doubt, Reading

__all__ = ["document_of", "printed"]

_NOTES = {Doubt.NESTING: Note.NESTING, Doubt.HEADING_SIZE: Note.HEADING_SIZE}


def document_of(reading: Reading, *, safeguarding: bool | None = None) -> Document:
    """The document that a reading is. `safeguarding` None: judged by its title."""
    return Document(
        title=reading.title,
        source=Source.IMPORT,
        clauses=tuple(
            LintClause("", clause.label, clause.heading, clause.text, clause.depth, clause.kind)
            for clause in reading.clauses
        ),
        header=tuple(HeaderFact(field.name, field.label, field.value) for field in reading.header),
        versions=tuple(VersionFact(row.cells) for row in reading.versions),
        notes=tuple(
            (doubt.clause, _NOTES[doubt.code])
            for doubt in reading.uncertain
            if doubt.clause is not None and doubt.code in _NOTES
        ),
        safeguarding=looks_like_safeguarding(reading.title) if safeguarding is None else safeguarding,
    )


_PARTS = {
    "title": "title",
    "header": "top of the policy",
    "versions": "change log",
    "document": "whole policy",
}


def _place(document: Document, finding: Finding) -> str:
    if finding.clause is None:
        return _PARTS[finding.part.partition(":")[0]]
    clause = document.clauses[finding.clause]
    named = clause.label.strip() or " ".join((clause.heading or clause.text).split())[:40]
    return f"clause {finding.clause} ({named})"


def printed(document: Document, findings: Sequence[Finding]) -> str:
    """The findings as lines for a terminal, worst first, and a count."""
    order = list(Severity)
    lines = []
    for finding in sorted(findings, key=lambda one: order.index(one.severity)):
        marked = f" “{' '.join(finding.words.split())[:60]}”" if finding.words else ""
        guess = ", a guess" if finding.heuristic else ""
        lines.append(
            f"{finding.severity.value} {finding.rule} {RULES[finding.rule].title}{guess}\n"
            f"    {_place(document, finding)}{marked}: {finding.message}"
        )
    counted = Counter(finding.severity for finding in findings)
    sums = ", ".join(f"{counted[one]} {_NAMES[one][counted[one] != 1]}" for one in order)
    return "\n".join([*lines, f"{document.title}: {sums}."])


_NAMES = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFORMATION: ("piece of information", "pieces of information"),
}
