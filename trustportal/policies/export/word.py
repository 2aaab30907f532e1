"""From a frozen snapshot to a Word file: real heading styles, numbers that survive editing, tables, page numbers.

Each paragraph's style says where it belongs ("Policy clause 2", "Policy text 2"), so that the importer reads the same
clauses back, whatever was edited between. Numbers are typed: they are those of the version, and stay so.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from xml.sax.saxutils import quoteattr

import docx
from docx.document import Document
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from docx.table import Table
from docx.text.paragraph import Paragraph

from trustportal.markdown import strip_marks
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.resolve import Origin
from trustportal.policies.export.styles import LISTS, define_styles, new_list
from trustportal.policies.export.texts import Block, Run, blocks_of
from trustportal.policies.pdf.gathering import day
from trustportal.policies.pdf.snapshot import PolicyPrint, PrintClause

__all__ = ["make_word"]

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ORIGINS = {Origin.ADAPTED: "Adapted here", Origin.ADDED: "Added here"}
_DEEPEST = 6
#: Words across the page, behind the text: WordArt in the head, since a page of Word has no other background.
_WATERMARK = """
<w:pict xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"
  xmlns:o="urn:schemas-microsoft-com:office:office">
  <v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800"
    path="m@7,l@8,m@5,21600l@6,21600e">
    <v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/><v:f eqn="sum 21600 0 @1"/>
      <v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/><v:f eqn="if @0 21600 @1"/>
      <v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/><v:f eqn="mid @5 @6"/><v:f eqn="mid @8 @5"/>
      <v:f eqn="mid @7 @8"/><v:f eqn="mid @6 @7"/><v:f eqn="sum @6 0 @5"/></v:formulas>
    <v:path textpathok="t" o:connecttype="custom" o:connectlocs="@9,0;@10,10800;@11,21600;@12,10800"
      o:connectangles="270,180,90,0"/>
    <v:textpath on="t" fitshape="t"/>
  </v:shapetype>
  <v:shape id="PowerPlusWaterMarkObject1" o:spid="_x0000_s2049" type="#_x0000_t136" alt={words}
    style="position:absolute;margin-left:0;margin-top:0;width:400pt;height:110pt;rotation:315;z-index:-251658752;mso-position-horizontal:center;mso-position-horizontal-relative:margin;mso-position-vertical:center;mso-position-vertical-relative:margin"
    o:allowincell="f" fillcolor="#d9d9d9" stroked="f">
    <v:fill opacity=".5"/><v:textpath style="font-family:Arial;font-size:1pt" string={words}/>
  </v:shape>
</w:pict>
"""


def make_word(paper: PolicyPrint) -> bytes:
    """The Word file of a template version or an edition. The same snapshot gives the same text."""
    made = docx.Document()
    define_styles(made, paper.colour)
    _front(made, paper)
    for clause in paper.clauses:
        _clause(made, clause)
    _running(made, paper)
    known = made.core_properties
    known.title, known.author, known.language = _plain(paper.title), _plain(paper.organisation), "en-GB"
    known.created = known.modified = datetime.combine(paper.made_on, time())
    known.comments = f"Content hash {paper.content_hash}"
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub("", strip_marks(text))


# -- what it says about itself -----------------------------------------------------------------------------------


def _front(made: Document, paper: PolicyPrint) -> None:
    made.add_paragraph(_plain(paper.title), style="Title")
    rows = [(label, value) for label, value in paper.header if label != "Organisation"]
    place = paper.place or paper.organisation
    _rows(made, None, [("Organisation", place), ("Version", paper.version_label), *rows])
    _about(made, paper.status, heading=False)
    if paper.check_url:
        _about(made, f"Whether it is still in force can be checked at {paper.check_url}", heading=False)
    if paper.versions:
        _about(made, "Versions")
        _rows(
            made,
            ("Version", "Approved on", "Effective on", "Approved by"),
            [(one.version, day(one.approved_on), day(one.effective_on), one.by) for one in paper.versions],
        )
    if paper.changes:
        _about(made, "What changed")
        _rows(
            made,
            ("Clause", "What happened", "Why", "Weight"),
            [
                (f"{one.number} {one.heading}".strip(), one.what, one.reason, one.weight.value.capitalize())
                for one in paper.changes
            ],
        )
    if paper.approvals:
        _about(made, "Approvals")
        _rows(
            made,
            ("Body", "By", "On", "How"),
            [
                (
                    one.body,
                    one.by,
                    day(one.on),
                    f"{one.method}{f', minute {one.minute}' if one.minute else ''}",
                )
                for one in paper.approvals
            ],
        )


def _about(made: Document, text: str, *, heading: bool = True) -> None:
    paragraph = made.add_paragraph(_plain(text), style="Policy about")
    if heading:
        paragraph.runs[0].bold = True
        paragraph.paragraph_format.keep_with_next = True


def _rows(made: Document, head: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> None:
    written = [*([head] if head else []), *rows]
    table = made.add_table(0, len(written[0]), style="Table Grid")
    for at, row in enumerate(written):
        cells = table.add_row().cells
        for number, said in enumerate(row):
            run = cells[number].paragraphs[0].add_run(_plain(said))
            run.bold = (at == 0 and head is not None) or (number == 0 and head is None)
    if head:
        _repeat_first_row(table)
    made.add_paragraph(style="Policy about")


def _repeat_first_row(table: Table) -> None:
    properties = table.rows[0]._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:tblHeader"))


# -- clauses -----------------------------------------------------------------------------------------------------


def _clause(made: Document, clause: PrintClause) -> None:
    depth = min(clause.depth, _DEEPEST)
    if clause.origin is Origin.LEFT_OUT:
        heading = clause.heading or "A clause of the trust’s"
        _about(made, f"Left out here: {_plain(heading)}. {_plain(clause.reason)}".strip(), heading=False)
        return
    blocks = blocks_of(_plain(clause.text))
    if clause.heading or clause.kind is not Kind.CLAUSE:
        _paragraph(made, _heading_style(clause.kind, depth), clause.number, [Run(_plain(clause.heading))])
    elif blocks and blocks[0].kind == "paragraph":
        _paragraph(made, f"Policy clause {depth}", clause.number, blocks[0].runs)
        blocks = blocks[1:]
    else:
        _paragraph(made, f"Policy clause {depth}", clause.number, [])
    _blocks(made, blocks, depth)
    origin = _ORIGINS.get(clause.origin, "")
    if origin:
        _about(made, f"{origin}: {clause.reason}" if clause.reason else origin, heading=False)


def _heading_style(kind: Kind, depth: int) -> str:
    if kind is Kind.APPENDIX:
        return "Policy appendix"
    return f"Policy subheading {depth}" if kind is Kind.SUBHEADING else f"Heading {depth}"


def _paragraph(made: Document, style: str, number: str, runs: Sequence[Run]) -> None:
    paragraph = made.add_paragraph(style=style)
    if number:
        paragraph.add_run(f"{number}\t")
    _runs(paragraph, runs)


def _blocks(made: Document, blocks: Sequence[Block], depth: int) -> None:
    lists: dict[int, int] = {}
    for block in blocks:
        if block.kind == "table":
            _table(made, block)
        elif block.kind == "entry":
            paragraph = made.add_paragraph(style=f"Policy list {depth}")
            if block.ordered:
                if block.list_id not in lists:
                    lists[block.list_id] = new_list(made, block.start)
                number = lists[block.list_id]
            else:
                number = LISTS["bullets"]
            _numbered(paragraph, number, block.level)
            _runs(paragraph, block.runs)
        else:
            _runs(made.add_paragraph(style=f"Policy text {depth}"), block.runs)


def _numbered(paragraph: Paragraph, number: int, level: int) -> None:
    properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    properties.get_or_add_ilvl().val = min(level, 8)
    properties.get_or_add_numId().val = number


def _table(made: Document, block: Block) -> None:
    width = max(map(len, block.rows))
    table = made.add_table(0, width, style="Table Grid")
    for at, row in enumerate(block.rows):
        cells = table.add_row().cells
        for cell, runs in zip(cells, row, strict=False):
            paragraph = cell.paragraphs[0]
            _runs(paragraph, runs)
            for run in paragraph.runs if at == 0 and block.headed else ():
                run.bold = True
    if block.headed:
        _repeat_first_row(table)


def _runs(paragraph: Paragraph, runs: Sequence[Run]) -> None:
    for run in runs:
        if run.link:
            _link(paragraph, run)
            continue
        made = paragraph.add_run()
        for number, part in enumerate(run.text.split("\n")):
            if number:
                made.add_break()
            made.add_text(part)
        made.bold, made.italic = run.bold or None, run.italic or None


def _link(paragraph: Paragraph, run: Run) -> None:
    target = paragraph.part.relate_to(
        run.link,
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink",
        is_external=True,
    )
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), target)
    made = paragraph.add_run(run.text)
    made.bold, made.italic = run.bold or None, run.italic or None
    made.font.underline, made.font.color.rgb = True, RGBColor(0x1D, 0x4E, 0x89)
    link.append(made._r)
    paragraph._p.append(link)


# -- heads and feet ----------------------------------------------------------------------------------------------


def _running(made: Document, paper: PolicyPrint) -> None:
    section = made.sections[0]
    head = section.header.paragraphs[0]
    said = f"{paper.place or paper.organisation}: {paper.title}, {paper.version_label}"
    if paper.watermark:
        _mark(head, _plain(paper.watermark))
    head.add_run(_plain(said))
    foot = section.footer.paragraphs[0]
    foot.add_run("Page ")
    _field(foot, "PAGE")
    foot.add_run(" of ")
    _field(foot, "NUMPAGES")
    if paper.content_hash:
        hashed = section.footer.add_paragraph()
        run = hashed.add_run(f"Content hash {paper.content_hash}")
        run.font.size = Pt(7)


def _mark(head: Paragraph, watermark: str) -> None:
    """On every page: what the file is, in words over the title and across the page, as Word itself marks one."""
    run = head.add_run(f"{watermark}. ")
    run.bold, run.font.color.rgb = True, RGBColor(0xA1, 0x1D, 0x2E)
    head.add_run()._r.append(parse_xml(_WATERMARK.format(words=quoteattr(watermark))))


def _field(paragraph: Paragraph, code: str) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), f" {code} ")
    run = paragraph.add_run("1")
    field.append(run._r)
    paragraph._p.append(field)
