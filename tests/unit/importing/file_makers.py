"""Readings of texts made into Word and PDF files, to be read back; and how alike two lists of words are."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Sequence

import docx
from docx.document import Document
from rapidfuzz.distance import Indel
from weasyprint import HTML

from trustportal.markdown import to_html
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing.accounting import without_targets
from trustportal.policies.importing.marks import words
from trustportal.policies.importing.reading import ReadClause, Reading

_TOPS = (Kind.SECTION, Kind.APPENDIX)


def share_in_order(wanted: Sequence[str], found: Sequence[str]) -> float:
    """The share of the wanted words that stand in the others, in the same order."""
    ids: dict[str, int] = {}
    left = [ids.setdefault(word, len(ids)) for word in wanted]
    right = [ids.setdefault(word, len(ids)) for word in found]
    same = sum(step.src_end - step.src_start for step in Indel.opcodes(left, right) if step.tag == "equal")
    return same / max(1, len(wanted))


def top_headings(reading: Reading) -> list[str]:
    """The headings of sections and appendices, without the contents page."""
    return [
        one.heading
        for one in reading.clauses
        if one.kind in _TOPS and one.heading and "contents" not in one.heading.lower()
    ]


def _contents(clause: ReadClause) -> bool:
    return "contents" in clause.heading.lower() and clause.kind is Kind.SECTION


def _words(reading: Reading) -> list[str]:
    said = [reading.title, *(f"{one.label}\n{one.value}" for one in reading.header)]
    for one in reading.clauses:
        said += [] if _contents(one) else [one.label, one.heading, without_targets(one.text)]
    return [word for one in said for word in words(one)]


def as_word(reading: Reading) -> tuple[bytes, str, list[str]]:
    """A Word file with heading styles, typed labels, tables and lists, a running head and a foot."""
    made = docx.Document()
    made.add_paragraph(reading.title, style="Title")
    _header(made, reading)
    for one in reading.clauses:
        if _contents(one):
            continue
        if one.heading or one.kind in _TOPS:
            made.add_heading(f"{one.label} {one.heading}".strip(), 1 if one.kind in _TOPS else 2)
        _text(
            made,
            without_targets(one.text) if one.heading else f"{one.label} {without_targets(one.text)}".strip(),
        )
    made.sections[0].header.paragraphs[0].text = "Moor Learning Trust"
    made.sections[0].footer.paragraphs[0].text = "Printed copies are out of date"
    written = io.BytesIO()
    made.save(written)
    return written.getvalue(), "policy.docx", _words(reading)


def _header(made: Document, reading: Reading) -> None:
    fields = [one for one in reading.header if one.label or one.value]
    if fields:
        table = made.add_table(0, 2)
        for one in fields:
            cells = table.add_row().cells
            cells[0].text, cells[1].text = one.label, one.value


def _text(made: Document, text: str) -> None:
    for part in text.split("\n\n"):
        if part.startswith("|"):
            rows = [
                [cell.strip() for cell in row.strip().strip("|").split(" | ")] for row in part.split("\n")
            ]
            rows = [row for row in rows if not all(set(cell) <= set("-| ") for cell in row)]
            table = made.add_table(0, max(map(len, rows)))
            for row in rows:
                cells = table.add_row().cells
                for cell, said in zip(cells, row, strict=False):
                    cell.text = said.strip("| ")
            continue
        for line in part.split("\n"):
            listed = line.strip().startswith("- ")
            if line.strip():
                made.add_paragraph(line.strip().removeprefix("- "), style="List Bullet" if listed else None)


_STYLE = """@page { size: A4; margin: 2.5cm; @top-center { content: "Moor Learning Trust" }
@bottom-right { content: "Page " counter(page) " of " counter(pages) } }
body { font: 11pt serif; text-align: justify; hyphens: auto } h1 { font-size: 22pt } h2 { font-size: 15pt }
h3 { font-size: 12pt } table { border-collapse: collapse } td, th { border: 1px solid; padding: 3pt }"""


def as_pdf(reading: Reading) -> tuple[bytes, str, list[str]]:
    """A PDF with running heads, page numbers, justified text and words divided at line ends."""
    said = [f"<h1>{html.escape(reading.title)}</h1><table>"]
    said += [
        f"<tr><td>{html.escape(one.label)}</td><td>{html.escape(one.value)}</td></tr>"
        for one in reading.header
        if one.label or one.value
    ]
    said.append("</table>")
    for one in reading.clauses:
        if _contents(one):
            continue
        if one.heading or one.kind in _TOPS:
            size = "h2" if one.kind in _TOPS else "h3"
            said.append(f"<{size}>{html.escape(f'{one.label} {one.heading}'.strip())}</{size}>")
        text = to_html(without_targets(one.text))
        label = "" if one.heading or one.kind in _TOPS else html.escape(one.label)
        said.append(
            text.replace("<p>", f"<p>{label} ", 1) if text.startswith("<p>") else f"<p>{label}</p>{text}"
        )
    page = f'<html lang="en-GB"><style>{_STYLE}</style><body>{"".join(said)}</body></html>'
    made = HTML(string=page).write_pdf()
    assert made is not None
    return made, "policy.pdf", _words(reading)


SHAPES: dict[str, Callable[[Reading], tuple[bytes, str, list[str]]]] = {"word": as_word, "pdf": as_pdf}
