"""The styles and lists of an exported Word file."""

from __future__ import annotations

import re

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt, RGBColor
from docx.styles.style import ParagraphStyle

__all__ = ["LISTS", "define_styles", "new_list"]

#: The list of bullets; ordered lists get a number each, so that each starts afresh.
LISTS = {"bullets": 901}
_BULLETS, _ORDERED = 901, 902
_STEP = 22.0
_SIZES = {1: 15, 2: 12.5, 3: 11.5, 4: 11, 5: 11, 6: 11}


def define_styles(made: Document, colour: str) -> None:
    """Define what the paragraphs of a policy use. `colour`: of headings, as #rrggbb."""
    normal = made.styles["Normal"]
    normal.font.name, normal.font.size = "Arial", Pt(11)
    normal.paragraph_format.space_after = Pt(6)
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), "Arial")
    for language in made.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "en-GB")
    shade = RGBColor.from_string(colour[1:].upper()) if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else None
    for depth in range(1, 7):
        indent = _STEP * (depth - 1)
        heading = made.styles[f"Heading {depth}"]
        _heading(heading, _SIZES[depth], shade)
        _hang(heading, indent)
        _hang(_own(made, f"Policy clause {depth}", "Normal"), indent)
        _own(made, f"Policy text {depth}", "Normal").paragraph_format.left_indent = Pt(indent + 36)
        _own(made, f"Policy list {depth}", "Normal").paragraph_format.space_after = Pt(3)
        under = _own(made, f"Policy subheading {depth}", f"Heading {min(depth + 1, 6)}")
        under.paragraph_format.left_indent = Pt(indent)
    title = made.styles["Title"]
    _heading(title, 24, shade)
    _own(made, "Policy appendix", "Heading 1").paragraph_format.page_break_before = True
    about = _own(made, "Policy about", "Normal")
    about.font.size, about.font.italic = Pt(9.5), False
    _define_lists(made)


def _own(made: Document, name: str, base: str) -> ParagraphStyle:
    style: ParagraphStyle = made.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = made.styles[base]
    style.quick_style = True
    return style


def _heading(style: ParagraphStyle, size: float, colour: RGBColor | None) -> None:
    style.font.name, style.font.size, style.font.bold, style.font.italic = "Arial", Pt(size), True, False
    if colour is not None:
        style.font.color.rgb = colour
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in [name for name in fonts.attrib if name.endswith("Theme")]:
        del fonts.attrib[name]
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), "Arial")


def _hang(style: ParagraphStyle, indent: float) -> None:
    """The number hangs to the left of the words."""
    style.paragraph_format.left_indent = Pt(indent + 36)
    style.paragraph_format.first_line_indent = Pt(-36)
    style.paragraph_format.tab_stops.add_tab_stop(Pt(indent + 36))


def _define_lists(made: Document) -> None:
    root = made.part.numbering_part.element
    first = root.find(qn("w:num"))
    for number, shapes in (
        (_BULLETS, [("bullet", "•"), ("bullet", "–"), ("bullet", "▪")]),
        (_ORDERED, [("decimal", "%1."), ("decimal", "%2."), ("decimal", "%3.")]),
    ):
        levels = "".join(
            f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{shapes[at % 3][0]}"/>'
            f'<w:lvlText w:val="{shapes[at % 3][1] if shapes[0][0] == "bullet" else f"%{at + 1}."}"/>'
            f'<w:pPr><w:ind w:left="{1160 + 360 * at}" w:hanging="360"/></w:pPr></w:lvl>'
            for at in range(9)
        )
        made_list = parse_xml(
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{number}">'
            f'<w:multiLevelType w:val="hybridMultilevel"/>{levels}</w:abstractNum>'
        )
        if first is not None:
            first.addprevious(made_list)
        else:
            root.append(made_list)
    root.append(_num(_BULLETS, _BULLETS, None))


def new_list(made: Document, start: int) -> int:
    """A numbered list that counts from `start`; its number."""
    root = made.part.numbering_part.element
    number = 1 + max(int(one.get(qn("w:numId"))) for one in root.iter(qn("w:num")))
    root.append(_num(number, _ORDERED, start))
    return number


def _num(number: int, of: int, start: int | None) -> object:
    restart = "".join(
        f'<w:lvlOverride w:ilvl="{at}"><w:startOverride w:val="{start if at == 0 else 1}"/></w:lvlOverride>'
        for at in range(9)
        if start is not None
    )
    return parse_xml(
        f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="{of}"/>{restart}</w:num>'
    )
