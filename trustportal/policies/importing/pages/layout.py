"""Words on pages -> lines, with their look, and the tables beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from trustportal.policies.importing.blocks import Piece
from trustportal.policies.importing.marks import GLYPHS

__all__ = ["PageTable", "PrintedLine", "PrintedPage", "read_page"]

_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.IGNORECASE)
_ITALIC = re.compile(r"italic|oblique", re.IGNORECASE)
#: Points between two words on a line that are set apart, as in a form.
_WIDE_GAP = 24.0
_BULLET = re.compile(rf"^(?:[{GLYPHS}\u2013\u2014\uf0a7\uf0d8\uf076*-]|o)$")


@dataclass(slots=True, eq=False)
class PrintedLine:
    """One line of a page. Measures in points from the top left."""

    pieces: list[Piece]
    top: float
    bottom: float
    left: float
    right: float
    size: float
    page: int
    bullet: bool = False

    @property
    def text(self) -> str:
        """The words."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def bold(self) -> bool:
        """Whether all of it is."""
        return all(piece.bold for piece in self.pieces if piece.text.strip())


@dataclass(slots=True, eq=False)
class PageTable:
    """A ruled table: the text of its cells, row by row."""

    rows: list[list[str]]
    top: float
    bottom: float
    page: int
    bold_head: bool = False


@dataclass(slots=True)
class PrintedPage:
    """What stands on a page, from top to bottom; `words` as they come from the file, for the count."""

    number: int
    width: float
    height: float
    lines: list[PrintedLine] = field(default_factory=list)
    tables: list[PageTable] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    pictured: bool = False


def read_page(page: Any, number: int) -> PrintedPage:
    """Read one page of pdfplumber's."""
    made = PrintedPage(number, float(page.width), float(page.height))
    words = page.extract_words(return_chars=True, x_tolerance_ratio=0.18, keep_blank_chars=False)
    made.words = [word["text"] for word in words]
    covered = sum(
        max(0.0, float(one["x1"]) - float(one["x0"])) * max(0.0, float(one["bottom"]) - float(one["top"]))
        for one in page.images
    )
    made.pictured = not words and covered > 0.3 * made.width * made.height
    boxes: list[tuple[float, float, float, float]] = []
    for table in page.find_tables() if words else ():
        cells = [cell for cell in table.cells if cell]
        if len({round(cell[0]) for cell in cells}) < 2 or len(cells) < 2:
            continue
        found = _table(table, words, number)
        if found is not None:
            made.tables.append(found)
            boxes.append(table.bbox)
    made.lines = _lines([word for word in words if not any(_inside(word, box) for box in boxes)], number)
    return made


def _inside(word: dict[str, Any], box: Sequence[float]) -> bool:
    across, down = (word["x0"] + word["x1"]) / 2, (word["top"] + word["bottom"]) / 2
    return bool(box[0] - 1 <= across <= box[2] + 1 and box[1] - 1 <= down <= box[3] + 1)


def _table(table: Any, words: Sequence[dict[str, Any]], number: int) -> PageTable | None:
    rows: list[list[str]] = []
    inside = [word for word in words if _inside(word, table.bbox)]
    placed: set[int] = set()
    bold_head = bold_rest = True
    for at, row in enumerate(table.rows):
        cells: list[str] = []
        for box in row.cells:
            mine = [word for word in inside if box and id(word) not in placed and _inside(word, box)]
            placed.update(map(id, mine))
            cells.append(_cell_text(mine, number))
            if mine and not all(_look(word)[0] for word in mine):
                bold_head, bold_rest = (False, bold_rest) if at == 0 else (bold_head, False)
        if any(cells):
            rows.append(cells)
    # Words in no cell would be lost: then the lines are read as they stand.
    if len(placed) < len(inside) or not rows:
        return None
    return PageTable(
        rows,
        float(table.bbox[1]),
        float(table.bbox[3]),
        number,
        bold_head and not bold_rest and len(rows) > 1,
    )


def _cell_text(words: Sequence[dict[str, Any]], number: int) -> str:
    return "\n".join(("• " if line.bullet else "") + line.text for line in _lines(words, number))


def _look(word: dict[str, Any]) -> tuple[bool, bool, float]:
    """Bold, italic, size: as most of its letters are."""
    chars = word["chars"]
    fonts = Counter(char["fontname"] for char in chars)
    font = fonts.most_common(1)[0][0].rpartition("+")[2]
    sizes = Counter(round(float(char["size"]) * 2) / 2 for char in chars)
    return bool(_BOLD.search(font)), bool(_ITALIC.search(font)), sizes.most_common(1)[0][0]


def _lines(words: Sequence[dict[str, Any]], number: int) -> list[PrintedLine]:
    """Words that stand beside each other, from top to bottom; a raised note sign belongs to its line."""
    rows: list[list[dict[str, Any]]] = []
    spans: list[tuple[float, float]] = []
    for word in sorted(words, key=lambda one: (one["top"] + one["bottom"], one["x0"])):
        top, bottom = float(word["top"]), float(word["bottom"])
        for at in range(len(rows) - 1, max(-1, len(rows) - 4), -1):
            above, below = spans[at]
            shared = min(bottom, below) - max(top, above)
            if shared > 0.5 * min(bottom - top, below - above):
                rows[at].append(word)
                spans[at] = (min(above, top), max(below, bottom))
                break
        else:
            rows.append([word])
            spans.append((top, bottom))
    made = [_line(sorted(row, key=lambda one: one["x0"]), number) for row in rows]
    made.sort(key=lambda line: line.top)
    return made


def _line(row: Sequence[dict[str, Any]], number: int) -> PrintedLine:
    bullet = len(row) > 1 and _BULLET.match(row[0]["text"]) is not None
    looks = [_look(word) for word in row]
    sizes: Counter[float] = Counter()
    for word, look in zip(row, looks, strict=True):
        sizes[look[2]] += len(word["text"])
    size = sizes.most_common(1)[0][0]
    shown = row[int(bullet) :]
    gaps = sorted(float(after["x0"]) - float(one["x1"]) for one, after in pairwise(shown))
    # A line that is stretched to the margin has wide gaps throughout; one that is set apart has a few.
    wide_gap = max(_WIDE_GAP, 2.2 * size, 2.5 * gaps[len(gaps) // 2] if len(gaps) > 2 else 0.0)
    pieces: list[Piece] = []
    before: dict[str, Any] | None = None
    for word, (bold, italic, _) in list(zip(row, looks, strict=True))[int(bullet) :]:
        if before is not None:
            wide = float(word["x0"]) - float(before["x1"]) > wide_gap
            pieces.append(Piece("\t" if wide else " "))
        pieces.append(Piece(word["text"], bold, italic))
        before = word
    body = [word for word, look in zip(row, looks, strict=True) if look[2] >= size - 1] or row
    return PrintedLine(
        pieces,
        top=min(float(word["top"]) for word in body),
        bottom=max(float(word["bottom"]) for word in body),
        left=float(row[0]["x0"]),
        right=float(row[-1]["x1"]),
        size=size,
        page=number,
        bullet=bullet,
    )
