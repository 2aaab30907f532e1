"""What a Word or PDF file says, as paragraphs and tables: between a format's parser and the reader of policies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from trustportal.policies.importing.marks import has_words

__all__ = ["CONTENTS", "RUNNING", "Block", "Mark", "Paragraph", "Piece", "Story", "Table", "markdown_lines"]

CONTENTS, RUNNING = "a table of contents: the portal makes its own", "a running head or foot of the page"


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands before a numbered paragraph. `printed` is "" for a bullet. `format`: of its own level.

    `path`: the value on each level down to this one, as it is counted (1, 2, …).
    """

    printed: str
    format: str
    path: tuple[int, ...]
    list_id: str
    level: int

    @property
    def bullet(self) -> bool:
        """Whether it is a sign instead of a number."""
        return self.format == "bullet"


@dataclass(slots=True)
class Paragraph:
    """One paragraph. `lines`: Markdown, one entry per line that was broken by hand; `plain`: the words alone.

    `level`: of its heading style, 0 for none. `size` in half points, `indent` in points. `contents`: an entry of a
    table of contents. `boxed`: in a text box or note, so no heading by its look.
    """

    lines: list[str]
    plain: str
    style: str = ""
    mark: Mark | None = None
    level: int = 0
    bold: bool = False
    size: int = 0
    caps: bool = False
    indent: int = 0
    contents: bool = False
    boxed: bool = False

    @property
    def titles(self) -> bool:
        """Whether its style is the one for titles."""
        return self.style == "title"


@dataclass(slots=True)
class Table:
    """Rows of cells; each cell has its paragraphs. `headed`: the first row names the columns."""

    rows: list[list[list[Paragraph]]]
    headed: bool = False


Block = Paragraph | Table


@dataclass(slots=True)
class Story:
    """All blocks in reading order, and what was left out: (words, reason)."""

    blocks: list[Block] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of letters that look the same. `link`: the address that it leads to."""

    text: str
    bold: bool = False
    italic: bool = False
    link: str = ""


def markdown_lines(pieces: Sequence[Piece]) -> list[str]:
    """The pieces as Markdown, one string per line. Emphasis and links cover whole words, so that none is cut."""
    lines: list[list[Piece]] = [[]]
    for piece in _whole_words(pieces):
        for number, part in enumerate(piece.text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Piece(part, piece.bold, piece.italic, piece.link))
    return [made for line in lines if (made := _emphasised(line)).strip()] or [""]


def _whole_words(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces cut anew between words: a word is bold when all of it is."""
    made: list[Piece] = []
    waiting: list[Piece] = []

    def settle() -> None:
        if waiting:
            link = waiting[0].link if all(one.link == waiting[0].link for one in waiting) else ""
            made.append(
                Piece(
                    "".join(one.text for one in waiting),
                    all(one.bold for one in waiting),
                    all(one.italic for one in waiting),
                    link,
                )
            )
            waiting.clear()

    for piece in pieces:
        for part in re.findall(r"\s+|\w+|[^\w\s]+", piece.text):
            one = Piece(part) if part.isspace() else Piece(part, piece.bold, piece.italic, piece.link)
            if re.match(r"\w", part):
                waiting.append(one)
            else:
                settle()
                made.append(one)
    settle()
    return made


def _emphasised(line: Sequence[Piece]) -> str:
    out: list[str] = []
    at = 0
    while at < len(line):
        piece = line[at]
        text, end = piece.text, at + 1
        mark = "**" if piece.bold else "*" if piece.italic else ""
        if mark or piece.link:
            last = at
            while end < len(line) and (line[end].text.isspace() or _alike(line[end], piece)):
                if not line[end].text.isspace():
                    last = end
                elif "\t" in line[end].text:
                    break
                end += 1
            end = last + 1
            text = "".join(one.text for one in line[at:end])
            if piece.link and not set("[]") & set(text) and text.strip() != piece.link:
                text = f"[{text}]({piece.link})"
            after = line[end].text[:1] if end < len(line) else ""
            # Stars between a letter and a sign would be read as stars.
            clear = (text[0].isalnum() or not out or not out[-1][-1:].isalnum()) and (
                text[-1].isalnum() or not after.isalnum()
            )
            if mark and clear and has_words(text) and "*" not in text:
                text = f"{mark}{text}{mark}"
        out.append(text)
        at = end
    return "".join(out)


def _alike(one: Piece, other: Piece) -> bool:
    return (one.bold, one.bold or one.italic, one.link) == (
        other.bold,
        other.bold or other.italic,
        other.link,
    )
