"""What lint reads and what it says: a document as facts, and findings that point into it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trustportal.policies.domain.clauses import Kind

__all__ = [
    "Document",
    "Finding",
    "HeaderFact",
    "LintClause",
    "Note",
    "Severity",
    "Source",
    "VersionFact",
    "fingerprint",
]


class Severity(StrEnum):
    """An error blocks submission, a warning has to be acknowledged, information is only shown. Worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


class Source(StrEnum):
    """What is read. An import has printed labels and its old approval; a draft of ours cannot have either yet."""

    IMPORT = "import"
    DRAFT = "draft"
    EDITION = "edition"


class Note(StrEnum):
    """What only the importer could see, because the tree no longer shows it."""

    NESTING = "nesting"
    HEADING_SIZE = "heading-size"


@dataclass(frozen=True, slots=True)
class LintClause:
    """One clause in reading order. `label` is as printed, or derived for a draft; the top level has depth 0."""

    key: str
    label: str
    heading: str
    text: str
    depth: int
    kind: Kind = Kind.CLAUSE
    #: Whether these words are those of whoever asks: at a school, only its own clauses are.
    own: bool = True


@dataclass(frozen=True, slots=True)
class HeaderFact:
    """One field of the header: its name in our words, the label that is printed, the value as printed."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class VersionFact:
    """A row of the version table: (column, value) pairs."""

    cells: tuple[tuple[str, str], ...]

    def cell(self, name: str) -> str:
        return next((value for column, value in self.cells if column == name), "")


@dataclass(frozen=True, slots=True)
class Document:
    """A policy as lint reads it. Nothing in it knows the clock: the day is passed beside it."""

    title: str
    source: Source
    clauses: tuple[LintClause, ...]
    header: tuple[HeaderFact, ...] = ()
    versions: tuple[VersionFact, ...] = ()
    #: (clause index, what the importer noted)
    notes: tuple[tuple[int, Note], ...] = ()
    #: Whether the policy is flagged as being about safeguarding.
    safeguarding: bool = False
    #: Whether it is only looked at, not about to be approved.
    view_only: bool = False
    #: Titles of related policies, beside those that the text lists.
    related: tuple[str, ...] = ()
    #: The slots that may be used; None where nothing is known of them.
    placeholders: frozenset[str] | None = None
    #: The posts that the trust has, as it calls them; empty where nothing is known of them.
    roles: tuple[str, ...] = ()
    trust_name: str = ""
    school_names: tuple[str, ...] = ()
    #: Councils that are the trust's own.
    authorities: tuple[str, ...] = ()
    #: Whether the text is the trust's, for all its schools.
    template: bool = False

    def fact(self, *names: str) -> HeaderFact | None:
        """The first header field with one of these names that has a value."""
        for name in names:
            for fact in self.header:
                if fact.name == name and fact.value.strip():
                    return fact
        return None

    def value(self, *names: str) -> str:
        found = self.fact(*names)
        return found.value.strip() if found else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right, and where it stands.

    `part` is "heading", "text" or "label" of the clause with that index; without a clause it is "title",
    "header:<field>", "versions:<row>:<column>" or "document". `start` and `length` count characters inside the part.
    """

    rule: str
    severity: Severity
    heuristic: bool
    clause: int | None
    key: str
    part: str
    start: int
    length: int
    message: str
    #: The words that are marked.
    words: str = ""
    #: The record of the dictionary that it is about.
    record: str = ""
    #: See `fingerprint`.
    mark: str = field(default="", compare=False)

    @property
    def end(self) -> int:
        return self.start + self.length

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "deterministic": not self.heuristic,
            "clause": self.clause,
            "key": self.key,
            "part": self.part,
            "start": self.start,
            "length": self.length,
            "message": self.message,
            "record": self.record,
        }


def fingerprint(*said: str) -> str:
    """What an acknowledgement is bound to: SHA-256, in hex, over the finding and the words that it was made about."""
    return hashlib.sha256("\x1f".join(said).encode("utf-8")).hexdigest()
