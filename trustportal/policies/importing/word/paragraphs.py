"""The story of a Word file as paragraphs and tables: changes accepted, fields resolved, boxes and notes in their place.

Everything that is left out is said in `Story.left_out`, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]

from trustportal.policies.importing.blocks import (
    CONTENTS,
    RUNNING,
    Block,
    Mark,
    Paragraph,
    Piece,
    Story,
    Table,
    markdown_lines,
)
from trustportal.policies.importing.marks import TICKED, UNTICKED, has_words
from trustportal.policies.importing.reading import ImportRefused
from trustportal.policies.importing.word.numbering import Numbering
from trustportal.policies.importing.word.package import Package, Relation, attribute, w
from trustportal.policies.importing.word.styles import Look, Style, Styles, is_on, look_of

__all__ = ["read_story"]

DELETED, HIDDEN = "deleted in a tracked change", "hidden text, which Word does not print"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SIGNS = {
    **dict.fromkeys(("F0A8", "F06F", "F0A3", "F071", "F072", "2610"), UNTICKED),
    **dict.fromkeys(("F0FE", "F0FD", "F052", "F053", "F054", "2611", "2612"), TICKED),
    **dict.fromkeys(("F0FC", "F050"), "✓"),
    **dict.fromkeys(("F0B7", "F0A7", "F0D8"), "•"),
    "F0E0": "→",
}
_LINK = re.compile(r'HYPERLINK\s+"((?:https?://|mailto:)[^"\s<>]{1,2000})"', re.IGNORECASE)
_WEB = re.compile(r"(?:https?://|mailto:)[^\s<>()]{1,2000}", re.IGNORECASE)
_DEEPEST = 40
_INSERTED = (
    "A program has put another file into this one, and only Word can show them as one. Open it in Word, save it, "
    "and bring it again."
)


@dataclass(slots=True)
class _Piece:
    text: str
    look: Look
    link: str = ""


@dataclass(slots=True)
class _Field:
    """A complex field that is open: its code so far, and whether its result has begun."""

    code: str = ""
    result: bool = False


class _Reader:
    def __init__(self, package: Package) -> None:
        part = package.main_part()
        self.relations: Mapping[str, Relation] = package.relations(part)
        self.root = package.xml(part)
        self.styles = Styles(next(package.of_kind(self.relations, "styles"), None))
        self.numbering = Numbering(next(package.of_kind(self.relations, "numbering"), None))
        self.notes: dict[tuple[str, str], etree._Element] = {}
        for kind in ("footnote", "endnote"):
            for root in package.of_kind(self.relations, f"{kind}s"):
                for note in root.iterchildren(w(kind)):
                    if attribute(note, "type") in (None, "normal"):
                        self.notes[kind, attribute(note, "id") or ""] = note
        self.story = Story()
        self.fields: list[_Field] = []
        self.cited: list[tuple[str, str]] = []
        self.boxes: list[etree._Element] = []
        self.told = 0  # notes that were printed
        self.in_cells = 0  # how many cells, one in another, the paragraph that is read lies in
        self.carried: list[_Piece] = []

    # -- blocks ----------------------------------------------------------------------------------------------

    def blocks(self, parent: etree._Element, *, depth: int = 0, contents: bool = False) -> Iterator[Block]:
        if depth > _DEEPEST:
            self.leave_out(_text_of(parent), "it lies too deep inside tables and boxes")
            return
        for child in parent:
            if child.tag == w("p"):
                yield from self.paragraph(child, depth=depth, contents=contents)
            elif child.tag == w("tbl"):
                yield from self.table(child, depth)
            elif child.tag == w("sdt"):
                gallery = child.find(f"{w('sdtPr')}/{w('docPartObj')}/{w('docPartGallery')}")
                listed = attribute(gallery) == "Table of Contents"
                content = child.find(w("sdtContent"))
                if content is not None:
                    yield from self.blocks(content, depth=depth + 1, contents=contents or listed)
            elif child.tag in (w("ins"), w("moveTo"), w("customXml"), w("smartTag")):
                yield from self.blocks(child, depth=depth + 1, contents=contents)
            elif child.tag == w("del"):
                self.leave_out(_text_of(child), DELETED)
            elif child.tag == w("altChunk"):
                raise ImportRefused(_INSERTED)
            elif child.tag == f"{_MC}AlternateContent":
                chosen = _choice(child)
                if chosen is not None:
                    yield from self.blocks(chosen, depth=depth + 1, contents=contents)

    def paragraph(
        self, element: etree._Element, *, depth: int, contents: bool
    ) -> Iterator[Paragraph | Table]:
        properties = element.find(w("pPr"))
        style = self.styles.paragraph(attribute(None if properties is None else properties.find(w("pStyle"))))
        in_contents = contents or style.contents or self._in_contents()
        pieces = [*self.carried, *self.inline(element, style.look)]
        in_contents = in_contents or self._in_contents()
        self.carried = []
        # The mark at its end was deleted: it runs into the next paragraph.
        if properties is not None and properties.find(f"{w('rPr')}/{w('del')}") is not None:
            self.carried = pieces
            return
        boxes, self.boxes = self.boxes, []
        cited, self.cited = self.cited, []
        made = self._made(element, properties, style, pieces)
        # A box beside a heading belongs to what the heading heads; otherwise it is read where it is anchored.
        if _begins_with_box(element) and (made is None or not made.level):
            yield from self._boxed(boxes, depth)
            boxes = []
        if made is not None:
            made.contents = in_contents
            yield made
        yield from self._boxed(boxes, depth)
        for kind, number in cited:
            note = self.notes.get((kind, number))
            if note is not None:
                yield from self._note(note, depth)

    def _boxed(self, boxes: Sequence[etree._Element], depth: int) -> Iterator[Block]:
        for box in boxes:
            for block in self.blocks(box, depth=depth + 1):
                if isinstance(block, Paragraph):
                    block.boxed = True
                yield block

    def _note(self, note: etree._Element, depth: int) -> Iterator[Paragraph | Table]:
        self.told += 1
        first = True
        for block in self.blocks(note, depth=depth + 1):
            if isinstance(block, Paragraph) and first:
                first = False
                block.lines[0] = f"[{self.told}] {block.lines[0].lstrip()}"
                block.plain = f"[{self.told}] {block.plain}"
            if isinstance(block, Paragraph):
                block.boxed = True
            yield block

    def _made(
        self,
        element: etree._Element,
        properties: etree._Element | None,
        style: Style,
        pieces: Sequence[_Piece],
    ) -> Paragraph | None:
        plain = "".join(piece.text for piece in pieces)
        # A paragraph without words says nothing, unless the portal's own style says that a clause begins here;
        # in a cell a sign alone does: a tick, a dash, a line to write on.
        if (
            not has_words(plain)
            and not (self.in_cells and plain.strip())
            and not {TICKED, UNTICKED} & set(plain)
            and style.name[:13] != "policy clause"
        ):
            return None
        written = [piece for piece in pieces if piece.text.strip()]
        outline = None if properties is None else attribute(properties.find(w("outlineLvl")))
        level = int(outline) + 1 if outline and outline.isdigit() and int(outline) < 9 else style.heading
        if outline == "9":
            level = 0
        return Paragraph(
            lines=markdown_lines(
                [Piece(one.text, bool(one.look.bold), bool(one.look.italic), one.link) for one in pieces]
            ),
            plain=" ".join(plain.split()),
            style=style.name,
            mark=self._mark(properties, style),
            level=level,
            bold=all(piece.look.bold for piece in written),
            size=max((piece.look.size or 20 for piece in written), default=20),
            caps=all(piece.look.caps or piece.text.isupper() for piece in written),
            indent=_indent(properties),
        )

    def _mark(self, properties: etree._Element | None, style: Style) -> Mark | None:
        direct = None if properties is None else properties.find(w("numPr"))
        num_id, level = style.numbering
        if direct is not None:
            own_id = attribute(direct.find(w("numId")))
            own_level = attribute(direct.find(w("ilvl")))
            if own_id is not None:
                num_id = own_id
                level = None
            if own_level is not None and own_level.isdigit():
                level = int(own_level)
        if num_id is None or num_id == "0":
            return None
        if level is None:
            level = self.numbering.level_of_style(num_id, style.id)
        elif direct is None:
            linked = self.numbering.level_of_style(num_id, style.id)
            level = level if linked is None else linked
        return self.numbering.next(num_id, level or 0)

    def _in_contents(self) -> bool:
        return any(_is_contents(one.code) for one in self.fields)

    # -- runs ------------------------------------------------------------------------------------------------

    def inline(self, parent: etree._Element, look: Look, link: str = "", depth: int = 0) -> Iterator[_Piece]:
        for child in parent:
            tag = child.tag
            if tag == w("r"):
                yield from self.run(child, look, link)
            elif tag == w("hyperlink"):
                target = self.relations.get(child.get(_ID, ""))
                outside = target.target if target is not None and target.outside else ""
                yield from self.inline(child, look, outside if _WEB.fullmatch(outside) else link, depth)
            elif tag in (w("ins"), w("moveTo"), w("smartTag"), w("customXml"), w("dir"), w("bdo")):
                yield from self.inline(child, look, link, depth)
            elif tag == w("sdt"):
                content = child.find(w("sdtContent"))
                if content is not None:
                    yield from self.inline(content, look, link, depth)
            elif tag == w("fldSimple"):
                code = attribute(child, "instr") or ""
                if _is_contents(code):
                    self.leave_out(_text_of(child), CONTENTS)
                else:
                    yield from self.inline(child, look, link, depth)
            elif tag == w("del"):
                self.leave_out(_text_of(child), DELETED)
            elif tag == f"{_MC}AlternateContent":
                chosen = _choice(child)
                if chosen is not None:
                    yield from self.inline(chosen, look, link, depth)
            elif tag in (f"{_MATH[:-1]}oMath", f"{_MATH[:-1]}oMathPara"):
                yield _Piece("".join(child.itertext(_MATH)), look)

    def run(self, element: etree._Element, look: Look, link: str) -> Iterator[_Piece]:
        properties = element.find(w("rPr"))
        style = attribute(None if properties is None else properties.find(w("rStyle")))
        mine = look_of(properties).over(self.styles.run(style)).over(look)
        if mine.hidden:
            self.leave_out(_text_of(element), HIDDEN)
            return
        yield from self._parts(element, mine, link)

    def _parts(self, element: etree._Element, look: Look, link: str) -> Iterator[_Piece]:
        for child in element:
            tag = child.tag
            if tag == w("fldChar"):
                yield from self._field(child, look)
            elif tag == w("instrText"):
                if self.fields and not self.fields[-1].result:
                    self.fields[-1].code += child.text or ""
            elif self.fields and not self.fields[-1].result:
                continue
            elif tag == w("t"):
                yield _Piece((child.text or "").replace("☒", TICKED), look, link or self._field_link())
            elif tag in (w("tab"), w("ptab")):
                yield _Piece("\t", look)
            elif tag in (w("br"), w("cr")):
                yield _Piece(" " if attribute(child, "type") in ("page", "column") else "\n", look)
            elif tag == w("noBreakHyphen"):
                yield _Piece("\u2011", look, link)
            elif tag == w("sym"):
                yield _Piece(_SIGNS.get((attribute(child, "char") or "").upper(), "•"), look)
            elif tag == w("ruby"):
                # Letters with their pronunciation above them: the letters are the text.
                for base in child.iterchildren(w("rubyBase")):
                    yield from self.inline(base, look, link)
            elif tag in (w("footnoteReference"), w("endnoteReference")):
                kind = "footnote" if tag == w("footnoteReference") else "endnote"
                number = attribute(child, "id") or ""
                if (kind, number) in self.notes:
                    self.cited.append((kind, number))
                    yield _Piece(f" [{self.told + len(self.cited)}]", Look())
            elif tag in (w("drawing"), w("pict"), w("object")):
                self.boxes += _boxes(child)
            elif tag == f"{_MC}AlternateContent":
                chosen = _choice(child)
                if chosen is not None:
                    yield from self._parts(chosen, look, link)
            elif tag == w("delText"):
                self.leave_out(child.text or "", DELETED)

    def _field(self, element: etree._Element, look: Look) -> Iterator[_Piece]:
        kind = attribute(element, "fldCharType")
        if kind == "begin":
            self.fields.append(_Field())
            box = element.find(f"{w('ffData')}/{w('checkBox')}")
            if box is not None:
                ticked = is_on(box, "checked")
                yield _Piece(
                    (TICKED if (is_on(box, "default") if ticked is None else ticked) else UNTICKED), look
                )
        elif kind == "separate" and self.fields:
            self.fields[-1].result = True
        elif kind == "end" and self.fields:
            self.fields.pop()

    def _field_link(self) -> str:
        for one in reversed(self.fields):
            if found := _LINK.search(one.code):
                return found[1]
        return ""

    # -- tables ----------------------------------------------------------------------------------------------

    def table(self, element: etree._Element, depth: int) -> Iterator[Block]:
        rows: list[list[list[Paragraph]]] = []
        headed = False
        for row in _rows(element):
            properties = row.find(w("trPr"))
            if properties is not None and properties.find(w("del")) is not None:
                self.leave_out(_text_of(row), DELETED)
                continue
            if not rows and is_on(properties, "tblHeader"):
                headed = True
            rows.append(self._cells(row, depth))
        if not rows:
            return
        if max(map(len, rows)) == 1:
            # A frame around text, not a table.
            for one in rows:
                yield from one[0]
            return
        yield Table(rows, headed or _looks_headed(rows))

    def _cells(self, row: etree._Element, depth: int) -> list[list[Paragraph]]:
        cells: list[list[Paragraph]] = []
        for cell in _cells(row):
            properties = cell.find(w("tcPr"))
            found: list[Paragraph] = []
            self.in_cells += 1
            for block in self.blocks(cell, depth=depth + 1):
                found += [block] if isinstance(block, Paragraph) else _flat(block)
            self.in_cells -= 1
            cells.append(found)
            span = attribute(None if properties is None else properties.find(w("gridSpan")))
            if span and span.isdigit():
                cells += [[] for _ in range(min(int(span), 60) - 1)]
        return cells

    def leave_out(self, text: str, reason: str) -> None:
        if has_words(text):
            self.story.left_out.append((" ".join(text.split()), reason))


def read_story(package: Package) -> Story:
    """Read the text of a Word file. Raises ImportRefused where the package holds none."""
    reader = _Reader(package)
    # Word reads a file whose text was put together by a program from several bodies: so do we.
    for body in [] if reader.root is None else reader.root.iterchildren(w("body")):
        for block in reader.blocks(body):
            if isinstance(block, Paragraph) and block.contents:
                reader.leave_out(block.plain, CONTENTS)
            else:
                reader.story.blocks.append(block)
    seen: set[str] = set()
    for kind in ("header", "footer"):
        for root in package.of_kind(reader.relations, kind):
            words = " ".join(_text_of(root).split())
            if words not in seen:
                seen.add(words)
                reader.leave_out(words, RUNNING)
    return reader.story


def _indent(properties: etree._Element | None) -> int:
    """How far in a paragraph stands, in points."""
    found = None if properties is None else properties.find(w("ind"))
    left = attribute(found, "left") or attribute(found, "start") or "0"
    return int(left) // 20 if left.isdigit() else 0


def _is_contents(code: str) -> bool:
    return re.match(r"\s*TOC\b", code) is not None


def _choice(element: etree._Element) -> etree._Element | None:
    chosen = element.find(f"{_MC}Choice")
    return chosen if chosen is not None else element.find(f"{_MC}Fallback")


def _boxes(element: etree._Element) -> list[etree._Element]:
    """The text boxes of a drawing, without those that lie in another and without the second copy for old programs."""
    found: list[etree._Element] = []
    for one in element.iter(w("txbxContent")):
        above = list(one.iterancestors())
        if not any(up.tag == f"{_MC}Fallback" or up in found for up in above):
            found.append(one)
    return found


def _begins_with_box(paragraph: etree._Element) -> bool:
    """Whether a text box is anchored before the paragraph's own first words."""
    for one in paragraph.iter(w("t"), w("txbxContent")):
        if one.tag == w("txbxContent"):
            return True
        if has_words(one.text or ""):
            return False
    return False


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    for child in table:
        if child.tag == w("tr"):
            yield child
        elif child.tag == w("sdt"):
            content = child.find(w("sdtContent"))
            if content is not None:
                yield from _rows(content)
        elif child.tag in (w("ins"), w("moveTo"), w("customXml")):
            yield from _rows(child)


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for child in row:
        if child.tag == w("tc"):
            yield child
        elif child.tag == w("sdt"):
            content = child.find(w("sdtContent"))
            if content is not None:
                yield from _cells(content)
        elif child.tag == w("customXml"):
            yield from _cells(child)


def _flat(table: Table) -> list[Paragraph]:
    """A table inside a cell: its cells in order."""
    return [paragraph for row in table.rows for cell in row for paragraph in cell]


def _looks_headed(rows: Sequence[Sequence[Sequence[Paragraph]]]) -> bool:
    """Whether the first row is printed bold, and the others are not."""
    first = [paragraph for cell in rows[0] for paragraph in cell]
    others = [paragraph for row in rows[1:] for cell in row for paragraph in cell]
    filled = sum(1 for cell in rows[0] if cell)
    return (
        filled > 1
        and bool(others)
        and all(paragraph.bold for paragraph in first)
        and not all(paragraph.bold for paragraph in others)
    )


def _text_of(element: etree._Element) -> str:
    """The words below an element: for what is left out."""
    parts: list[str] = []
    for one in element.iter(w("t"), w("delText"), w("p"), w("tab"), w("br")):
        parts.append(one.text or "" if one.tag in (w("t"), w("delText")) else " ")
    return "".join(parts)
