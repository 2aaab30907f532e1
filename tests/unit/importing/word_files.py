"""Word files of our own making, written as raw OOXML, so that a test says exactly what is in them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OPEN = (
    f'xmlns:w="{W}" xmlns:r="{R}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
_KINDS = ("styles", "numbering", "footnotes", "header", "footer")
_HEADINGS = "".join(
    f'<w:style w:type="paragraph" w:styleId="Heading{n}"><w:name w:val="heading {n}"/>'
    f'<w:pPr><w:outlineLvl w:val="{n - 1}"/></w:pPr></w:style>'
    for n in (1, 2, 3)
)
STYLES = (
    f'<w:styles {_OPEN}><w:docDefaults><w:rPrDefault><w:rPr><w:sz w:val="22"/></w:rPr></w:rPrDefault></w:docDefaults>'
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="TOC1"><w:name w:val="toc 1"/></w:style>'
    f"{_HEADINGS}%s</w:styles>"
)


def r(text: str, properties: str = "") -> str:
    """A run."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def p(content: str = "", *, style: str = "", num: tuple[int, int] | None = None, properties: str = "") -> str:
    """A paragraph of runs, or of plain words. `num`: list and level."""
    if content and not content.startswith("<"):
        content = r(content)
    inside = f'<w:pStyle w:val="{style}"/>' if style else ""
    if num is not None:
        inside += f'<w:numPr><w:ilvl w:val="{num[1]}"/><w:numId w:val="{num[0]}"/></w:numPr>'
    return f"<w:p><w:pPr>{inside}{properties}</w:pPr>{content}</w:p>"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of plain words."""
    made = "".join(
        "<w:tr>"
        + "".join(f"<w:tc>{cell if cell.startswith('<w:p') else p(cell)}</w:tc>" for cell in row)
        + "</w:tr>"
        for row in rows
    )
    return f"<w:tbl>{made}</w:tbl>"


def level(at: int, shape: str, text: str, *, start: int = 1, more: str = "") -> str:
    """A level of a list."""
    return (
        f'<w:lvl w:ilvl="{at}"><w:start w:val="{start}"/>'
        f'<w:numFmt w:val="{shape}"/>{more}<w:lvlText w:val="{text}"/></w:lvl>'
    )


def numbering(lists: Mapping[int, Sequence[str]], nums: Mapping[int, tuple[int, str]]) -> str:
    """`lists`: id -> levels. `nums`: id -> (list, overrides)."""
    made = "".join(
        f'<w:abstractNum w:abstractNumId="{one}">{"".join(levels)}</w:abstractNum>'
        for one, levels in lists.items()
    )
    made += "".join(
        f'<w:num w:numId="{one}"><w:abstractNumId w:val="{of}"/>{more}</w:num>'
        for one, (of, more) in nums.items()
    )
    return f"<w:numbering {_OPEN}>{made}</w:numbering>"


def word(
    body: str,
    *,
    styles: str = "",
    numbers: str = "",
    notes: str = "",
    header: str = "",
    footer: str = "",
    links: Mapping[str, str] | None = None,
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """A whole Word file."""
    parts = {
        "styles": STYLES % styles,
        "numbering": numbers,
        "footnotes": f"<w:footnotes {_OPEN}>{notes}</w:footnotes>" if notes else "",
        "header": f"<w:hdr {_OPEN}>{header}</w:hdr>" if header else "",
        "footer": f"<w:ftr {_OPEN}>{footer}</w:ftr>" if footer else "",
    }
    package = "http://schemas.openxmlformats.org/package/2006"
    relations = "".join(
        f'<Relationship Id="r{kind}" Type="{R}/{kind}" Target="{kind}.xml"/>'
        for kind in _KINDS
        if parts[kind]
    )
    relations += "".join(
        f'<Relationship Id="{key}" Type="{R}/hyperlink" Target="{target}" TargetMode="External"/>'
        for key, target in (links or {}).items()
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{R}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{relations}</Relationships>',
        )
        archive.writestr("word/document.xml", f"<w:document {_OPEN}><w:body>{body}</w:body></w:document>")
        for kind in _KINDS:
            if parts[kind]:
                archive.writestr(f"word/{kind}.xml", parts[kind])
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return written.getvalue()
