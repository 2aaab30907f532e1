"""A PDF file with a text layer -> `Reading`. Runs in the confined child: `files` calls it."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pdfplumber
from pdfminer.pdfdocument import PDFPasswordIncorrect
from pdfplumber.utils.exceptions import PdfminerException

from trustportal.policies.importing.accounting import accounted
from trustportal.policies.importing.blocks import Mark, Paragraph, Piece, Story, Table, markdown_lines
from trustportal.policies.importing.labels import label_of
from trustportal.policies.importing.layout import lines_of_story
from trustportal.policies.importing.marks import has_words, words
from trustportal.policies.importing.pages.furniture import without_contents, without_running
from trustportal.policies.importing.pages.healing import Healer
from trustportal.policies.importing.pages.layout import PageTable, PrintedLine, PrintedPage, read_page
from trustportal.policies.importing.reading import Doubt, Dropped, ImportRefused, Reading, Uncertain
from trustportal.policies.importing.text import read_lines

__all__ = ["MOST_PAGES", "read_pdf"]

MOST_PAGES = 300
_CLOSED = re.compile(r"[.!?:;]['”’\")]*$")
_CID = re.compile(r"\(cid:\d+\)")
_REPEATED = "the head of a table, printed again on the next page"


def read_pdf(content: bytes, name: str) -> Reading:
    """Read a PDF. Raises ImportRefused for scans, encrypted and damaged files, with what to bring instead."""
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    pages = _pages(content, name)
    source = [word for page in pages for one in page.words for word in words(one)]
    running, copies = without_running(pages)
    left_out = [*running, *without_contents(pages)]
    healer = Healer.knowing(line.text for page in pages for line in page.lines)
    story = Story(_blocks(pages, healer, left_out), left_out)
    lines = lines_of_story(story)
    if not any(has_words(line.body) for line in lines):
        raise ImportRefused(_scan(name))
    reading = read_lines(lines)
    dropped = tuple(Dropped("", "", text, reason) for text, reason in story.left_out)
    doubts = (*_page_doubts(pages), *_healed(healer), *reading.uncertain)
    reading = replace(reading, dropped=dropped, uncertain=doubts)
    return accounted(reading, _whole(source, healer, copies))


def _pages(content: bytes, name: str) -> list[PrintedPage]:
    try:
        with pdfplumber.open(io.BytesIO(content)) as opened:
            if len(opened.pages) > MOST_PAGES:
                raise ImportRefused(f"“{name}” has more than {MOST_PAGES} pages. Bring one policy at a time.")
            pages = []
            for number, page in enumerate(opened.pages, start=1):
                pages.append(read_page(page, number))
                page.close()
    except PdfminerException as error:
        if isinstance(error.args[0] if error.args else None, PDFPasswordIncorrect):
            raise ImportRefused(
                f"“{name}” is protected by a password. Save a copy without one and bring that."
            ) from None
        raise ImportRefused(f"“{name}” is damaged: it cannot be opened. Save it as PDF again.") from None
    said = [word for page in pages for word in page.words]
    if not any(map(has_words, said)):
        raise ImportRefused(_scan(name))
    if sum(1 for word in said if _CID.search(word)) > 0.05 * len(said):
        raise ImportRefused(
            f"The letters of “{name}” cannot be read: its fonts do not say which letters they show. Bring the Word "
            "file that it was made from, or plain text."
        )
    return pages


def _scan(name: str) -> str:
    return (
        f"“{name}” has no text in it: its pages are pictures, as a scanner makes them. Bring the Word file that it was "
        "made from, or a PDF whose words can be selected."
    )


# -- paragraphs --------------------------------------------------------------------------------------------------


def _blocks(
    pages: Sequence[PrintedPage], healer: Healer, left_out: list[tuple[str, str]]
) -> list[Paragraph | Table]:
    usual, spacing = _usual(pages)
    blocks: list[Paragraph | Table] = []
    open_lines: list[PrintedLine] = []

    def settle() -> None:
        if open_lines:
            blocks.append(_paragraph(open_lines, healer))
            open_lines.clear()

    for page in pages:
        margin = max((line.right for line in page.lines), default=page.width)
        first = True
        parts: list[PrintedLine | PageTable] = [*page.lines, *page.tables]
        for one in sorted(parts, key=lambda part: part.top):
            if isinstance(one, PageTable):
                settle()
                _add_table(blocks, one, left_out, healer, new_page=first)
            else:
                before = open_lines[-1] if open_lines else None
                if before is None or _begins(before, one, open_lines[0], usual, spacing, margin):
                    settle()
                open_lines.append(one)
            first = False
    settle()
    return blocks


def _usual(pages: Sequence[PrintedPage]) -> tuple[float, float]:
    """The size of most letters, and the usual distance from one line's top to the next, in points."""
    sizes: Counter[float] = Counter()
    steps: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    size = sizes.most_common(1)[0][0] if sizes else 11.0
    for page in pages:
        for above, below in pairwise(page.lines):
            step = below.top - above.top
            if above.size == below.size == size and 0 < step < 3 * size:
                steps[round(step * 2) / 2] += 1
    # The smallest distance that is common: between lines of a paragraph, not between paragraphs.
    common = [step for step, times in steps.items() if times >= 0.15 * max(steps.values())] if steps else []
    return size, min(common, default=1.3 * size)


def _begins(
    before: PrintedLine,
    line: PrintedLine,
    first: PrintedLine,
    usual: float,
    spacing: float,
    margin: float,
) -> bool:
    """Whether a line begins a new paragraph, instead of going on with the one before it."""
    if line.bullet or abs(line.size - before.size) > 0.6 or line.bold != before.bold:
        lead = line.size == before.size and not line.bullet and line.text[:1].islower()
        return not (lead and line.page == before.page)
    text, said = line.text.strip(), before.text.rstrip()
    if _labels(line, before, first, margin):
        return True
    if "\t" in line.text or "\t" in before.text:
        return True
    if line.page != before.page:
        if text[:1].islower():
            return False
        full = before.right > margin - 6 * before.size
        return bool(_CLOSED.search(said)) or not full or before.bold
    step = line.top - before.top
    if step > 1.28 * spacing * max(1.0, before.size / usual):
        return True
    # A short last line ends a paragraph where the next one is not set apart by white space.
    short = before.right < margin - 0.25 * (margin - first.left)
    return short and bool(_CLOSED.search(said)) and text[:1].isupper() and not before.bold


def _labels(line: PrintedLine, before: PrintedLine, first: PrintedLine, margin: float) -> bool:
    """Whether a number at the start of a line is a label: a wrapped line may begin with one too."""
    label = label_of(line.text.strip())
    if label is None or not label.rest:
        return False
    if _CLOSED.search(before.text.rstrip()) or before.right < margin - 0.25 * (margin - first.left):
        return True
    # A wrapped line stands under the text of its clause, or goes on at the left edge of one without a label.
    if label_of(first.text.strip()) is None or abs(line.left - first.left) > 2:
        return False
    hangs = before is not first and before.left > first.left + 2
    return hangs or before.right < margin - 3 * before.size


def _paragraph(lines: Sequence[PrintedLine], healer: Healer) -> Paragraph:
    pieces: list[Piece] = []
    for line in lines:
        if not pieces:
            pieces = list(line.pieces)
            continue
        last, following = pieces[-1], line.pieces[0]
        joined = healer.join(last.text, following.text)
        if joined == f"{last.text} {following.text}":
            pieces += [Piece(" "), *line.pieces]
        else:
            pieces = [
                *pieces[:-1],
                Piece(joined, last.bold and following.bold, last.italic and following.italic),
                *line.pieces[1:],
            ]
    plain = "".join(piece.text for piece in pieces)
    first = lines[0]
    letters = [character for character in plain if character.isalpha()]
    return Paragraph(
        lines=markdown_lines(pieces),
        plain=" ".join(plain.split()),
        mark=Mark("", "bullet", (), "", 0) if first.bullet else None,
        bold=all(line.bold for line in lines),
        size=round(2 * first.size),
        caps=bool(letters) and all(character.isupper() for character in letters),
        indent=round(first.left),
    )


def _add_table(
    blocks: list[Paragraph | Table],
    table: PageTable,
    left_out: list[tuple[str, str]],
    healer: Healer,
    *,
    new_page: bool,
) -> None:
    rows = [[_cell(cell, healer) for cell in row] for row in table.rows]
    before = blocks[-1] if blocks else None
    if new_page and isinstance(before, Table) and len(before.rows[0]) == len(rows[0]):
        if _words(before.rows[0]) == _words(rows[0]):
            left_out.append((" ".join(_words(rows[0])), _REPEATED))
            rows = rows[1:]
        before.rows += rows
        return
    blocks.append(Table(rows, table.bold_head))


def _words(row: Sequence[Sequence[Paragraph]]) -> list[str]:
    return [one.plain for cell in row for one in cell]


def _cell(text: str, healer: Healer) -> list[Paragraph]:
    """A cell's lines: a new paragraph at each bullet, otherwise one sentence that wraps."""
    found: list[Paragraph] = []
    for line in text.split("\n"):
        if found and not line.startswith("•"):
            said = found[-1].lines[0]
            joined = f"{said}{line}" if said.endswith("-") else healer.join(said, line)
            found[-1] = Paragraph([joined], joined)
        elif line.strip():
            found.append(Paragraph([line], line))
    return found


# -- what to tell ------------------------------------------------------------------------------------------------


def _page_doubts(pages: Sequence[PrintedPage]) -> list[Uncertain]:
    pictured = [str(page.number) for page in pages if page.pictured]
    if not pictured:
        return []
    which = f"Page {pictured[0]} is" if len(pictured) == 1 else f"Pages {', '.join(pictured)} are"
    reason = f"{which} a picture without text. If it holds words of the policy, type them in."
    return [Uncertain(None, reason, Doubt.UNPLACED_WORDS)]


def _healed(healer: Healer) -> list[Uncertain]:
    guessed = list(dict.fromkeys(healer.guessed))
    if not guessed:
        return []
    shown = ", ".join(f"“{word}”" for word in guessed[:20]) + (" …" if len(guessed) > 20 else "")
    reason = f"Words that were divided at a line end were joined: {shown}. Check that none lost its hyphen."
    return [Uncertain(None, reason, Doubt.HYPHEN)]


def _whole(source: Sequence[str], healer: Healer, copies: Sequence[str]) -> list[str]:
    """The words of the file, with those that were divided at a line end counted as one.

    `copies`: the words of running heads beyond the first of each, which is said once.
    """
    spared = Counter(copies)
    joined: Counter[str] = Counter()
    for first, second, whole in healer.made:
        spared.update((first, second))
        joined[whole] += 1
    found = []
    for word in source:
        if spared[word]:
            spared[word] -= 1
        else:
            found.append(word)
    return [*found, *joined.elements()]
