"""What the importer hands back: the `Reading`, its parts, and the two ways to write it down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trustportal.errors import RuleBroken
from trustportal.policies.domain.clauses import Kind, NumberingStyle
from trustportal.policies.importing.marks import to_markdown, words


class ImportRefused(RuleBroken):
    """The file cannot be read as a policy at all; the message says what to bring instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="file")


class Doubt(StrEnum):
    """Why something is shown for correction."""

    TITLE = "title"
    HEADER = "header"
    EMPTY_CHANGE_LOG = "empty-change-log"
    NO_CLAUSES = "no-clauses"
    CONTENTS_PAGE = "contents-page"
    CONTENTS_MISMATCH = "contents-mismatch"
    GUESSED_HEADINGS = "guessed-headings"
    GUESSED_SUBHEADING = "guessed-subheading"
    HEADING = "heading"
    HEADING_SIZE = "heading-size"
    FURNITURE = "furniture"
    ORPHAN_NUMBER = "orphan-number"
    SPLIT_SENTENCE = "split-sentence"
    MERGED_BULLETS = "merged-bullets"
    DUPLICATE_NUMBER = "duplicate-number"
    NUMBER_ORDER = "number-order"
    WRONG_SECTION = "wrong-section"
    NO_PARENT = "no-parent"
    NESTING = "nesting"
    FORM = "form"
    VERSION_TABLE = "version-table"
    UNPLACED_WORDS = "unplaced-words"
    HYPHEN = "hyphen"


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One field of the header. `label` is as printed ("" if none was); `at` is its place in reading order."""

    name: str
    label: str
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One row of the version table: (column, value) pairs in printed order."""

    cells: tuple[tuple[str, str], ...]
    at: int


@dataclass(frozen=True, slots=True)
class ReadClause:
    """One clause in reading order. `label` is as printed, "" if none; `text` is Markdown; a section has depth 0."""

    label: str
    heading: str
    text: str
    depth: int
    kind: Kind = Kind.CLAUSE


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Something to look at: in a clause (by index; `start`..`end` in its text where known) or in a header field."""

    clause: int | None
    reason: str
    code: Doubt
    start: int | None = None
    end: int | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Furniture:
    """A line taken as page furniture (running foot, page number, contents); its words stand in the clause still."""

    clause: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Words that are not in the clauses, kept so that nothing is lost: page furniture that the importer left out, and
    what a person took out while correcting.
    """

    label: str
    heading: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A policy as read: nothing is saved yet, every word of the source is in it, or in `dropped` with the reason."""

    title: str
    title_at: int
    header: tuple[HeaderField, ...]
    versions: tuple[VersionRow, ...]
    clauses: tuple[ReadClause, ...]
    uncertain: tuple[Uncertain, ...]
    furniture: tuple[Furniture, ...]
    numbering_style: NumberingStyle
    dropped: tuple[Dropped, ...] = ()

    def field(self, name: str) -> str:
        """The value of a header field as printed, "" when it was not found."""
        return next((field.value for field in self.header if field.name == name), "")


def to_json(reading: Reading) -> dict[str, Any]:
    """The public form: title, header, versions, clauses, uncertain.

    `header` is ordered as printed and maps a field to its value; where a label was printed, `<field>_label` stands
    before it, so that no word of the source is missing. Read aloud in this order, the words are those of the
    source, except that the title comes first. `left_out`, where anything was: page furniture, with the reason.
    """
    header: dict[str, str] = {}
    for field in reading.header:
        if field.label:
            header[f"{field.name}_label"] = field.label
        header[field.name] = field.value
    left_out = [
        {"text": "\n".join(filter(None, (one.label, one.heading, one.text))), "reason": one.reason}
        for one in reading.dropped
    ]
    return {
        **({"left_out": left_out} if left_out else {}),
        "title": reading.title,
        "header": header,
        "versions": [dict(row.cells) for row in reading.versions],
        "clauses": [
            {"label": clause.label, "heading": clause.heading, "text": clause.text, "depth": clause.depth}
            for clause in reading.clauses
        ],
        "uncertain": [
            {
                "clause": doubt.clause,
                "field": doubt.field,
                "code": doubt.code.value,
                "reason": doubt.reason,
                "start": doubt.start,
                "end": doubt.end,
            }
            for doubt in reading.uncertain
        ],
    }


def pack(reading: Reading) -> dict[str, Any]:
    """All of a reading as JSON, to be stored between two visits to the correction page; `unpack` is its inverse."""
    return {
        **to_json(reading),
        "title_at": reading.title_at,
        "header": [[field.name, field.label, field.value, field.at] for field in reading.header],
        "versions": [[[list(cell) for cell in row.cells], row.at] for row in reading.versions],
        "clauses": [
            [clause.label, clause.heading, clause.text, clause.depth, clause.kind.value]
            for clause in reading.clauses
        ],
        "furniture": [[piece.clause, piece.text, piece.start, piece.end] for piece in reading.furniture],
        "dropped": [[piece.label, piece.heading, piece.text, piece.reason] for piece in reading.dropped],
        "numbering_style": reading.numbering_style.value,
    }


def unpack(packed: dict[str, Any]) -> Reading:
    """The reading that `pack` wrote down."""
    return Reading(
        title=packed["title"],
        title_at=packed["title_at"],
        header=tuple(HeaderField(*field) for field in packed["header"]),
        versions=tuple(VersionRow(tuple((n, v) for n, v in cells), at) for cells, at in packed["versions"]),
        clauses=tuple(
            ReadClause(label, heading, text, depth, Kind(kind))
            for label, heading, text, depth, kind in packed["clauses"]
        ),
        uncertain=tuple(
            Uncertain(**{**doubt, "code": Doubt(doubt["code"])}) for doubt in packed["uncertain"]
        ),
        furniture=tuple(Furniture(*piece) for piece in packed["furniture"]),
        numbering_style=NumberingStyle(packed["numbering_style"]),
        dropped=tuple(Dropped(*piece) for piece in packed["dropped"]),
    )


def words_of(reading: Reading) -> list[str]:
    """Every word of the reading, in the order in which the source has them."""
    front: list[tuple[int, str]] = [(reading.title_at, reading.title)]
    front += [(field.at, f"{field.label}\n{field.value}") for field in reading.header]
    front += [(row.at, "\n".join(value for _, value in row.cells)) for row in reading.versions]
    pieces = [text for _, text in sorted(front, key=lambda piece: piece[0])]
    for clause in reading.clauses:
        pieces += [clause.label, clause.heading, clause.text]
    return [word for piece in pieces for word in words(piece)]


def words_in_order(source: str, reading: Reading) -> bool:
    """Whether the reading holds exactly the words of the source, each once, in the same order."""
    return words(to_markdown(source)) == words_of(reading)
