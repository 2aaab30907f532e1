"""What pages, word processors and converters leave in a text: L17 to L20, L26, L47, L48."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trustportal.policies.domain import placeholders
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint.furniture import PAGE_LINE
from trustportal.policies.domain.lint.model import Severity
from trustportal.policies.domain.lint.registry import Context, Hit, rule

_GLYPHS = "•●▪◦‣✦■□➢➤\uf0b7"


@rule("L17", "Foot of a page inside a clause", Severity.ERROR)
def page_foot(context: Context) -> Iterator[Hit]:
    for index, start, end in context.furniture:
        yield Hit(
            "This looks like the foot of a printed page. Take it out: the portal prints dates and page numbers itself.",
            index,
            "text",
            start,
            end,
        )


_ORPHAN = re.compile(r"[.!?)][ \t]+(?P<number>\d{1,3}\.)[ \t]+(?=[A-Z])")


@rule("L18", "Clause number in the middle of a text", Severity.WARNING)
def orphan_number(context: Context) -> Iterator[Hit]:
    for piece, found in context.scan(_ORPHAN, headings=False):
        yield piece.match(
            f"“{found['number']}” stands alone between two sentences. Split the clause here, or take the number out.",
            found,
            "number",
        )


_BROKEN = re.compile(r"(?<=[\w'’”\",])\n\n(?=[a-z])")
_LAST_WORD = re.compile(r"\S+$")
_FIRST_WORD = re.compile(r"\S+")
_OPEN_END = re.compile(r"[\w,–-]$")


@rule("L19", "Sentence broken across paragraphs", Severity.WARNING)
def broken_sentence(context: Context) -> Iterator[Hit]:
    said = "A sentence is broken here, as by the end of a page. Join the two parts."
    for piece, found in context.scan(_BROKEN, headings=False):
        line = piece.text[piece.text.rfind("\n", 0, found.start()) + 1 : found.start()]
        if line.lstrip().startswith(("- ", "|", "* ")):
            continue
        last, first = _LAST_WORD.search(line), _FIRST_WORD.match(piece.text, found.end())
        if last and first:
            yield piece.hit(said, found.start() - len(last[0]), first.end())
    for index in range(1, len(context.clauses)):
        here, before = context.clauses[index], context.clauses[index - 1]
        if here.label or here.heading or before.kind is not Kind.CLAUSE or not before.text or not here.text:
            continue
        ends = before.text.rstrip()
        listed = ends.rpartition("\n")[2].lstrip().startswith(("|", "- "))
        first = _FIRST_WORD.match(here.text)
        if here.text[:1].islower() and _OPEN_END.search(ends) and not listed and first:
            if before.text[:1].islower() and not before.label:
                continue  # a list of which each entry is a clause
            yield Hit(said, index, "text", 0, first.end())


_MERGED = re.compile(rf"(?<=[^\s-])[ \t]+(?P<mark>[{_GLYPHS}]|o(?=[ ][A-Z]))(?=\s)")
_LEADING = re.compile(rf"^[ ]{{0,8}}(?:-[ ]+)?(?P<mark>o|[{_GLYPHS}])[ ]+(?=[A-Z])", re.MULTILINE)


@rule("L20", "Bullet left in a text", Severity.WARNING)
def stray_bullet(context: Context) -> Iterator[Hit]:
    for pattern in (_MERGED, _LEADING):
        for piece, found in context.scan(pattern, headings=False):
            yield piece.match(
                f"The bullet “{found['mark']}” is left in the text. Give each point of the list a line of its own.",
                found,
                "mark",
            )


_DEAD = re.compile(
    r"\[[^\[\]\n]{1,120}\]\((?:#|https?://|about:blank|javascript:[^)\n]{0,60}|\s*)\)|"
    r"\[(?:insert|name of|add|enter|date|school name|name|xx+)\b[^\[\]\n]{0,60}\](?!\()|"
    r"<(?:insert|name of|add|enter)\b[^<>\n]{0,60}>|\bT\.?B\.?C\.?\b|\bX{3,}\b|_{5,}(?!_)",
    re.IGNORECASE,
)


@rule("L26", "Dead link or gap", Severity.ERROR)
def dead_link(context: Context) -> Iterator[Hit]:
    for piece, found in context.scan(_DEAD, any_of=("](", "[", "<", "tbc", "t.b.c", "xxx", "_____")):
        if found[0].startswith("_") and _is_form(context, piece.clause):
            continue
        said = (
            "This link leads nowhere. Give it its address, or take the link off."
            if found[0].startswith("[") and found[0].endswith(")")
            else "Something is still to be filled in here. Write it, or use a placeholder."
        )
        yield piece.match(said, found)
    known = context.document.placeholders
    for piece in context.pieces:
        if "{{" not in piece.text:
            continue
        for found in placeholders.PLACEHOLDER.finditer(piece.text):
            if known is not None and found[1] not in known:
                yield piece.match(
                    f"{found[0]} is not one of the trust’s placeholders. Define it in Settings, or correct its name.",
                    found,
                )
        for written in placeholders.malformed(piece.text):
            start = piece.text.index(written)
            yield piece.hit(
                "This is not a placeholder: names are small letters, digits, underscores and dots.",
                start,
                start + len(written),
            )


def _is_form(context: Context, index: int) -> bool:
    """Whether a clause is part of a form: in an appendix, or one with tick boxes."""
    step: int | None = index
    while step is not None:
        if context.clauses[step].kind is Kind.APPENDIX or "☐" in context.clauses[step].text:
            return True
        step = context.parents[step]
    return False


_PAGE = re.compile(r"\b[Pp]ages?\s+\d{1,3}\b(?!\s*(?:of|/)\s*\d)")


@rule("L47", "Reference to a page number", Severity.INFORMATION)
def page_reference(context: Context) -> Iterator[Hit]:
    said = "Page numbers change with every print. Refer to the clause instead."
    for row, version in enumerate(context.document.versions):
        for column, value in version.cells:
            if found := _PAGE.search(value):
                yield Hit(said, None, f"versions:{row}:{column}", *found.span())
    for piece, found in context.scan(_PAGE, "page"):
        first = piece.text.rfind("\n", 0, found.start()) + 1
        last = piece.text.find("\n", found.end())
        line = piece.text[first : last if last >= 0 else None]
        if PAGE_LINE.fullmatch(line.strip()):
            continue  # L17
        yield piece.match(said, found)


_ENTRY = re.compile(r"^- (?P<box>[☐☑] ?)?(?P<words>.*)$", re.MULTILINE)


@rule("L48", "Form with blank options or missing boxes", Severity.WARNING)
def form_integrity(context: Context) -> Iterator[Hit]:
    for piece in context.texts:
        if "☐" not in piece.text and "☑" not in piece.text:
            continue
        entries = list(_ENTRY.finditer(piece.text))
        blank = next((one for one in entries if one["box"] and not one["words"].strip()), None)
        bare = next((one for one in entries if not one["box"] and one["words"].strip()), None)
        if blank:
            yield piece.match(
                "Some boxes of this form have no words beside them. Write them, or take them out.", blank
            )
        if bare and any(one["box"] for one in entries):
            yield piece.match("Some entries of this form have no box to tick. Give each entry one.", bare)
