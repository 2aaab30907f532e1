"""What stands on a printed policy, redline or certificate: frozen, complete, and all that composing may know.

Texts are Markdown where a field says so, and words as they are printed everywhere else. Nothing here says "in force"
or "superseded": a PDF never changes, so it gives the address where that can be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from trustportal.policies.domain.clauses import Kind, Weight
from trustportal.policies.domain.diff import Span
from trustportal.policies.domain.resolve import Origin

__all__ = [
    "DRAFT",
    "Approval",
    "CertificatePrint",
    "ChangeEntry",
    "PolicyPrint",
    "PrintClause",
    "PrintKind",
    "RedlineChange",
    "RedlinePrint",
    "VersionRow",
]

#: The only watermark there is.
DRAFT = "DRAFT"
#: The colour of a trust that chose none.
HOUSE_COLOUR = "#1f4b7a"


class PrintKind(StrEnum):
    """Whose words they are: the trust's template, or what one place's policy says."""

    VERSION = "template version"
    EDITION = "edition"


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A row of the version table. `by`: the body that approved it. Days are None where there are none yet."""

    version: str
    approved_on: date | None
    effective_on: date | None
    by: str


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """A row of the change log. `what` in words ("Changed and moved"); `author` and `approver` are posts or bodies."""

    number: str
    heading: str
    what: str
    reason: str
    weight: Weight
    author: str = ""
    approver: str = ""
    on: date | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class PrintClause:
    """A clause as it is printed. `depth`: 1 at the top. `text`: Markdown, with placeholders and references resolved.

    One that is left out has no number and no text. `note` is a line for the margin, such as what schools may change.
    """

    number: str
    depth: int
    kind: Kind
    heading: str = ""
    text: str = ""
    origin: Origin = Origin.TRUST
    reason: str = ""
    anchor: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval. `by`: name or post. `method` in words: "Vote in the portal", "Minuted decision"."""

    body: str
    by: str
    on: date | None
    minute: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class PolicyPrint:
    """A template version or an edition on paper.

    `place`: the school, or "" for the trust itself. `status`: one sentence that stays true ("Approved by …, effective
    on …"). `watermark`: DRAFT or None. `logo`: the bytes of a PNG or JPEG. `made_on`: the day that the PDF names as
    its own. `colour`: the trust's, as #rrggbb. `check_url`: where anyone can check this paper; "" for a draft.
    """

    kind: PrintKind
    title: str
    organisation: str
    place: str
    version_label: str
    status: str
    header: tuple[tuple[str, str], ...]
    clauses: tuple[PrintClause, ...]
    content_hash: str
    check_url: str
    made_on: date
    watermark: str | None = None
    logo: bytes | None = None
    versions: tuple[VersionRow, ...] = ()
    changes: tuple[ChangeEntry, ...] = ()
    approvals: tuple[Approval, ...] = ()
    public: bool = False
    colour: str = HOUSE_COLOUR


@dataclass(frozen=True, slots=True)
class RedlineChange:
    """One clause of a redline: its old and its new number, what became of it, and its words as spans."""

    number: str
    old_number: str
    what: str
    heading_spans: tuple[Span, ...] = ()
    spans: tuple[Span, ...] = ()
    reason: str = ""
    weight: Weight | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RedlinePrint:
    """Two versions or editions against each other; `changes` holds the clauses that differ, in reading order."""

    title: str
    organisation: str
    place: str
    old_label: str
    new_label: str
    old_hash: str
    new_hash: str
    changes: tuple[RedlineChange, ...]
    unchanged: int
    made_on: date
    logo: bytes | None = None
    colour: str = HOUSE_COLOUR


@dataclass(frozen=True, slots=True)
class CertificatePrint:
    """That a person agreed to an edition. `signed_at` as it is printed, in England and UTC; `facts`: further rows."""

    person: str
    role: str
    organisation: str
    place: str
    statement: str
    policy: str
    edition_label: str
    content_hash: str
    signed_at: str
    evidence_id: str
    made_on: date
    facts: tuple[tuple[str, str], ...] = ()
    check_url: str = ""
    logo: bytes | None = None
    colour: str = HOUSE_COLOUR
    #: What was signed: a policy, or a document that somebody else publishes.
    what: str = "Policy"
