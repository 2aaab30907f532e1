"""Marks of HTML and Markdown: turning the first into the second, and taking words out of either."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

GLYPHS = "•●▪◦‣✦■□➢➤\uf0b7"
UNTICKED = "☐"
TICKED = "☑"
BAR = "\\|"  # a bar inside a table cell

_WORD = re.compile(r"[^\W_]+")
_NEWLINES = re.compile("\r\n|[\r\f\v\x1c\x1d\x1e\x85\u2028\u2029]")
_ATTRIBUTES = r"(?:\s+[\w:-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+))*"
_TABLE = re.compile(
    rf"^[ ]*(<table{_ATTRIBUTES}\s*>(?:(?!</?table)[\s\S])*</table>)[ ]*$", re.IGNORECASE | re.MULTILINE
)
_INNER_TABLE = re.compile(rf"<table{_ATTRIBUTES}\s*>((?:(?!</?table)[^\n])*)</table>", re.IGNORECASE)
_CELL_EDGE = re.compile(rf"</?(?:t[dhr]|thead|tbody){_ATTRIBUTES}\s*>", re.IGNORECASE)
_LINK = re.compile(r"<a\s+href\s*=\s*[\"']([^\"'<>]*)[\"']\s*>([^<>]*)</a>", re.IGNORECASE)
# Only tags that converters write, with attributes in full form: <insert name> is a slot to fill, and its words stay.
_TAG = re.compile(
    r"<(/?)(b|strong|i|em|u|s|sup|sub|span|font|p|div|center|br|hr|table|thead|tbody|tr|td|th|ul|ol|li|h[1-6]|input)"
    rf"{_ATTRIBUTES}((?:\s+(?:checked|disabled))*)\s*/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:amp|nbsp|lt|gt|quot|apos|rsquo|lsquo|ndash|mdash|#\d{2,6}|#x[0-9a-f]{2,5});", re.IGNORECASE
)
_EMPHASIS = re.compile(r"\*+|(?<![^\W_])_+|_+(?![^\W_])")


def words(text: str) -> list[str]:
    """The words of a text in order: runs of letters and digits, whatever stands between them."""
    return _WORD.findall(text)


def has_words(text: str) -> bool:
    """Whether there is any word at all."""
    return _WORD.search(text) is not None


def to_markdown(source: str) -> str:
    """The same text with one kind of line end, and HTML tags as Markdown. No word is added, lost or moved."""
    text = _NEWLINES.sub("\n", source.removeprefix("\ufeff")).replace("\x1f", " ")
    if "<" in text:
        text = _TABLE.sub(_table_rows, text)
        text = _LINK.sub(r"[\2](\1)", text)
        text = "\n".join(_without_tags(line) for line in text.split("\n"))
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return text


def _character(entity: re.Match[str]) -> str:
    character = html.unescape(entity[0])
    return character if character.isprintable() else " "


def _table_rows(table: re.Match[str]) -> str:
    """An HTML table that stands on its own becomes lines with tabs between the cells."""
    inside = re.sub(r"\s+", " ", table[1])
    inside = re.sub(r"</t[dh]\s*>\s*(?=<t[dh])", "\t", inside, flags=re.IGNORECASE)
    return re.sub(r"\s*</tr\s*>\s*", "\t\n", inside, flags=re.IGNORECASE)


def _without_tags(line: str) -> str:
    if "<" not in line:
        return line
    inside_row = "\t" in line
    line = _INNER_TABLE.sub(_inner_cells, line)

    def replacement(tag: re.Match[str]) -> str:
        closing, name = bool(tag[1]), tag[2].lower()
        if name in ("b", "strong"):
            return "**"
        if name in ("i", "em"):
            return "*"
        if name == "input":
            return f"{TICKED if 'checked' in tag[3].lower() else UNTICKED} "
        if name in ("td", "th", "tr"):
            return " "
        if name in ("br", "hr", "p", "div", "center", "ul", "ol", "table", "thead", "tbody"):
            return " " if inside_row else "\n"
        if name == "li":
            return " " if inside_row or closing else "\n- "
        if name.startswith("h"):
            return " " if inside_row else "\n\n" if closing else f"\n\n{'#' * int(name[1])} "
        return ""

    return _TAG.sub(replacement, line)


def _inner_cells(table: re.Match[str]) -> str:
    """A table inside a table's cell: its cells in order, with strokes between them."""
    return " / ".join(cell.strip() for cell in _CELL_EDGE.split(table[1]) if cell.strip())


def without_emphasis(text: str) -> str:
    """A heading, label or header value as it is read aloud: no stars or underlines, single spaces."""
    return re.sub(r"\s+", " ", _EMPHASIS.sub("", text)).strip()


def emphasised(text: str) -> bool:
    """Whether the whole text is one emphasised run, as a heading made bold by hand is."""
    stripped = text.strip()
    for mark in ("***", "**", "__", "*", "_"):
        inner = stripped[len(mark) : -len(mark)]
        if stripped.startswith(mark) and stripped.endswith(mark) and inner.strip() and mark not in inner:
            return True
    return False


def table_text(rows: Sequence[Sequence[str]], *, headed: bool) -> str:
    """Rows of cells as a Markdown table; tick boxes and single columns as a list. Words keep their order.

    Columns that are empty throughout go, except one to write in where only the questions are printed.
    """
    filled = sorted({index for row in rows for index, cell in enumerate(row) if cell.strip()})
    kept = [[row[index].strip() if index < len(row) else "" for index in filled] for row in rows]
    if filled == [0] and all(len(row) > 1 for row in rows):
        kept = [[*row, ""] for row in kept]
    elif all(cell in ("", UNTICKED, TICKED) for row in kept for cell in row[:-1]):
        return "\n".join(" ".join(["-", *filter(None, row)]) for row in kept)
    width = len(kept[0])
    lines = [f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |" for row in kept]
    rule = f"|{' --- |' * width}"
    return "\n".join([lines[0], rule, *lines[1:]] if headed else [f"|{'  |' * width}", rule, *lines])
