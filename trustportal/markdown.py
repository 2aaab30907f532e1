"""Markdown to safe HTML and to plain words: what people write in clauses, messages and notes.

CommonMark with tables. No raw HTML (it shows as the characters that were typed), no images (their words stay),
no headings (a clause has its own; they become bold paragraphs), links to http, https, mailto and our own pages.
No word that somebody wrote is lost. Pure: no framework is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

__all__ = ["SLOT_CLOSE", "SLOT_OPEN", "parse", "strip_marks", "to_html", "to_plain", "to_reading"]

#: Whoever shows where a placeholder was filled puts these around the value. Private use: they stand in no real text.
SLOT_OPEN, SLOT_CLOSE = "\ue000", "\ue001"

#: Deeper than this nobody reads, and browsers and the PDF maker slow down: the text is then shown as it was typed.
_DEEPEST = 24

_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_SCHEMES = {"http", "https", "mailto"}
_BLANK_LINES = re.compile(r"\n\s*\n")

_CLEANER = nh3.Cleaner(
    tags={
        *("p", "br", "hr", "strong", "em", "code", "pre", "blockquote", "a"),
        *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
    },
    attributes={
        "a": {"href", "title"},
        "ol": {"start"},
        "th": {"scope"},
    },
    allowed_classes={"th": {"align-right", "align-center"}, "td": {"align-right", "align-center"}},
    url_schemes=_SCHEMES,
    link_rel="noopener noreferrer",
)


def _may_link(url: str) -> bool:
    """Schemes that we name, or a path of this site; `//host` and `\\\\host` would leave it unseen."""
    scheme = _SCHEME.match(url)
    if scheme is not None:
        return scheme.group(1).lower() in _SCHEMES
    return not url.lstrip().replace("\\", "/").replace("%5C", "/").startswith("//")


class _Renderer(RendererHTML):
    """Plain tables for the style sheet and the screen reader; images as their words; headings as bold paragraphs."""

    def heading_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        return "<p><strong>"

    def heading_close(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        return "</strong></p>\n"

    def th_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        return f'<th scope="col"{_alignment(tokens[at])}>'

    def td_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        return f"<td{_alignment(tokens[at])}>"

    def image(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        return escape(_words(tokens[at].children or ()))


def _alignment(cell: Token) -> str:
    side = str(cell.attrGet("style") or "").removeprefix("text-align:")
    return f' class="align-{side}"' if side in ("right", "center") else ""


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 (the name that markdown-it calls)
        return _may_link(url)


# Without "code", text that was indented stays text; without "reference", a line "[note]: words" stays on the page.
_MARKDOWN = (
    _Markdown("commonmark", {"html": False, "maxNesting": _DEEPEST + 8}, renderer_cls=_Renderer)
    .enable("table")
    .disable(["code", "reference", "html_block", "html_inline"])
)


def to_html(text: str) -> str:
    """Safe HTML of `text`; "" for text without words. Callers wrap it in Markup."""
    tokens = parse(text)
    if tokens is None:
        return "".join(
            f"<p>{escape(part.strip())}</p>\n" for part in _BLANK_LINES.split(text) if part.strip()
        )
    return str(_CLEANER.clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})))


def to_plain(text: str) -> str:
    """The words alone, one line for each paragraph, list entry or table row (cells divided by a tab)."""
    tokens = parse(text)
    if tokens is None:
        return text.strip()
    lines: list[str] = []
    row: list[str] | None = None
    for token in tokens:
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            lines.append("\t".join(row or ()))
            row = None
        elif token.type == "inline":
            (lines if row is None else row).append(_words(token.children or ()))
        elif token.type == "fence":
            lines.append(token.content.rstrip())
    return "\n".join(lines).strip()


def to_reading(text: str) -> str:
    """The text as people read it, without the marks of Markdown: what a redline compares and shows.

    Paragraphs are divided by an empty line, entries of a list begin with "• " or their number, cells of a table are
    divided by " | ", and the address of a link stands behind its words. Emphasis is not told. No word is lost.
    """
    tokens = parse(text)
    if tokens is None:
        return text.strip()
    reader = _Reading()
    for token in tokens:
        reader.take(token)
    return "".join(reader.parts).strip()


class _Reading:
    """Collects the lines of `to_reading`; `parts` holds them with what divides them."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        #: The lists that are open: the number of the next entry, or None for bullets.
        self._lists: list[int | None] = []
        self._marker = ""
        self._row: list[str] | None = None
        self._loose = False

    def take(self, token: Token) -> None:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            ordered = token.type == "ordered_list_open"
            self._lists.append(int(token.attrGet("start") or 1) if ordered else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            self._loose = not self._lists
        elif token.type == "list_item_open":
            number = self._lists[-1]
            self._marker = "• " if number is None else f"{number}. "
            if number is not None:
                self._lists[-1] = number + 1
        elif token.type == "tr_open":
            self._row = []
        elif token.type == "tr_close":
            self._line(" | ".join(self._row or ()), tight=True)
            self._row = None
        elif token.type == "inline":
            words = _words_with_addresses(token.children or ())
            if self._row is None:
                self._line(words, tight=bool(self._lists))
            else:
                self._row.append(words)
        elif token.type == "fence":
            self._line(token.content.rstrip(), tight=bool(self._lists))
        elif token.type == "table_close":
            self._loose = True

    def _line(self, words: str, *, tight: bool) -> None:
        if self.parts:
            self.parts.append("\n" if tight and not self._loose else "\n\n")
        self._loose = not tight
        self.parts.append("  " * max(0, len(self._lists) - 1) + self._marker + words)
        self._marker = ""


def _words_with_addresses(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    opened: list[tuple[int, str]] = []
    for token in tokens:
        if token.type == "link_open":
            opened.append((len(parts), str(token.attrGet("href") or "")))
        elif token.type == "link_close" and opened:
            at, address = opened.pop()
            shown = "".join(parts[at:])
            if address and address.removeprefix("mailto:") != shown:
                parts.append(f" ({address})")
        else:
            parts.append(_words([token]))
    return "".join(parts)


def strip_marks(text: str) -> str:
    """`text` without the marks around filled placeholders."""
    return text.replace(SLOT_OPEN, "").replace(SLOT_CLOSE, "")


def parse(text: str) -> list[Token] | None:
    """The tokens; None if they nest too deeply (markdown-it then drops words without saying so)."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.level >= _DEEPEST or any(child.level >= _DEEPEST for child in token.children or ()):
            return None
    return tokens


def _words(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            parts.append(" " if token.type == "softbreak" else "\n")
        elif token.type == "image":
            parts.append(_words(token.children or ()))
        else:
            parts.append(token.content)
    return "".join(parts)
