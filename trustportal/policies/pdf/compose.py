"""From a frozen snapshot to HTML and to the PDF. The look is in `templates/print`, the closed fetcher in `pdf`."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from trustportal.markdown import strip_marks, to_html
from trustportal.pdf import Rendered, render_limited
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.diff import Span, SpanOp
from trustportal.policies.domain.resolve import Origin
from trustportal.policies.pdf.gathering import day
from trustportal.policies.pdf.snapshot import (
    HOUSE_COLOUR,
    CertificatePrint,
    ChangeEntry,
    PolicyPrint,
    PrintClause,
    RedlinePrint,
)

__all__ = [
    "AnyPaper",
    "certificate_html",
    "make_certificate",
    "make_paper",
    "make_policy",
    "make_redline",
    "policy_html",
    "redline_html",
]

_TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
#: Longer contents would need contents of their own: then only sections and appendices are listed.
_MOST_CONTENTS = 40
_INK, _LEAST_CONTRAST = "#161b26", 4.5


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(day=day, printed=_printed)
    return made


# -- a policy ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A clause as the template prints it. `level`: of its heading; `title`: of its entry in the contents, or ""."""

    clause: PrintClause
    anchor: str
    level: int
    number: str
    words: Markup
    origin_words: str
    css: str
    title: str

    @property
    def depth(self) -> int:
        return self.clause.depth


_ORIGIN_WORDS = {
    Origin.TRUST: "",
    Origin.ADAPTED: "Adapted here",
    Origin.ADDED: "Added here",
    Origin.LEFT_OUT: "Left out here",
}
_TOP = (Kind.SECTION, Kind.APPENDIX)


def policy_html(paper: PolicyPrint) -> str:
    """The whole page for a template version or an edition. It names its assets; `make_policy` hands them out."""
    rows = _rows(paper.clauses)
    listed = [row for row in rows if row.title]
    if len(listed) > _MOST_CONTENTS:
        listed = [row for row in listed if row.depth == 1]
    return (
        _templates()
        .get_template("print/policy.html")
        .render(
            paper=paper,
            rows=rows,
            contents=listed,
            change_log=_change_log(paper.changes),
            has_notes=any(row.origin_words or row.clause.reason or row.clause.note for row in rows),
            **_common(paper, paper.title),
        )
    )


def make_policy(paper: PolicyPrint) -> Rendered:
    """The PDF/UA-1 of a template version or an edition. Raises `PdfRefused` when its text cannot be laid out."""
    return _make(policy_html(paper), paper, paper.check_url)


def _rows(clauses: Sequence[PrintClause]) -> list[_Row]:
    rows: list[_Row] = []
    last = 1
    taken: set[str] = set()
    for clause in clauses:
        level = 0
        if clause.heading:
            # No level is skipped: a sub-clause with a heading may stand in a clause that has none.
            level = last = min(clause.depth + 1, last + 1, 6)
        out = clause.origin is Origin.LEFT_OUT
        number = "–" if out and not clause.number else clause.number
        title = _contents_title(clause)
        words = Markup(to_html(_printed(clause.text)))  # noqa: S704 (made safe by trustportal.markdown)
        if not clause.heading and number:
            words = _with_number(number, words)
        rows.append(
            _Row(
                clause=clause,
                anchor=_anchor(clause, title, taken) if title else "",
                level=level,
                number=number,
                words=words,
                origin_words=_ORIGIN_WORDS[clause.origin],
                css=f"d{min(clause.depth, 6)} {clause.kind.value} {clause.origin.value.replace('_', '-')}",
                title=title,
            )
        )
    return rows


def _anchor(clause: PrintClause, title: str, taken: set[str]) -> str:
    """The name of a place to jump to. A PDF reads it out as the description of the link, so it is in words.

    No-break spaces: the others may not stand in an id.
    """
    name = f"{clause.number} {title}" if clause.number and clause.number != title else title
    name = "\u00a0".join(_printed(name).split())[:120]
    while name in taken or name in ("Approvals", "Check"):
        name += "\u00a0bis"
    taken.add(name)
    return name


def _with_number(number: str, words: Markup) -> Markup:
    """The number hangs in front of the first paragraph, so that both are read as one; before a list it stands alone."""
    mark = Markup('<span class="no">{} </span>').format(number)
    if words.startswith("<p>"):
        return Markup("<p>") + mark + words[3:]
    return Markup('<p class="alone">') + mark + Markup("</p>") + words


def _contents_title(clause: PrintClause) -> str:
    if clause.origin is Origin.LEFT_OUT or clause.kind is Kind.SUBHEADING:
        return ""
    if clause.kind in _TOP:
        return clause.heading or clause.number
    return clause.heading if clause.depth <= 2 else ""


@dataclass(frozen=True, slots=True)
class _ChangeTable:
    """The changes that came with one version: who wrote and approved them, and when, is said once above the table."""

    caption: str
    entries: tuple[ChangeEntry, ...]


def _change_log(entries: Iterable[ChangeEntry]) -> list[_ChangeTable]:
    tables: list[_ChangeTable] = []
    for (version, author, approver, on), group in groupby(
        entries, key=lambda one: (one.version, one.author, one.approver, one.on)
    ):
        said = [f"Version {version}" if version else "Changes"]
        if author:
            said.append(f"written by {author}")
        if approver:
            said.append(f"approved by {approver}" + (f" on {day(on)}" if on else ""))
        elif on:
            said.append(day(on))
        tables.append(_ChangeTable(", ".join(said), tuple(group)))
    return tables


# -- a redline ---------------------------------------------------------------------------------------------------

_PARAGRAPHS = re.compile(r"\n\s*\n")


def redline_html(paper: RedlinePrint) -> str:
    """The whole page for a redline."""
    title = f"{paper.title}: {paper.old_label} compared with {paper.new_label}"
    return (
        _templates()
        .get_template("print/redline.html")
        .render(
            paper=paper,
            changes=[
                (change, _spans(change.heading_spans), _paragraphs(change.spans)) for change in paper.changes
            ],
            **_common(paper, title),
        )
    )


def make_redline(paper: RedlinePrint) -> Rendered:
    """The PDF/UA-1 of a redline. Raises `PdfRefused` when it cannot be laid out."""
    return _make(redline_html(paper), paper, "")


def _paragraphs(spans: Iterable[Span]) -> list[Markup]:
    """The spans, divided where the text has an empty line, so that each paragraph is one."""
    paragraphs: list[list[Span]] = [[]]
    for span in spans:
        first, *others = _PARAGRAPHS.split(span.text)
        paragraphs[-1].append(Span(span.op, first))
        paragraphs.extend([Span(span.op, part)] for part in others)
    return [made for one in paragraphs if (made := _spans(one)).strip()]


_TAKEN_OUT, _NEW = Markup("<del>[%s]</del>"), Markup("<ins>{%s}</ins>")


def _spans(spans: Iterable[Span]) -> Markup:
    """What was taken out stands in [brackets] and struck through, what is new in {braces} and underlined.

    The brackets are for whoever listens, or prints in black: strike and underline are not read aloud.
    """
    parts: list[Markup] = []
    for span in spans:
        text = _printed(span.text)
        words = text.strip()
        if span.op is SpanOp.SAME or not words:
            parts.append(escape(text))
            continue
        before, after = text[: text.index(words)], text[text.index(words) + len(words) :]
        around = _TAKEN_OUT if span.op is SpanOp.DEL else _NEW
        if parts and not before and parts[-1].endswith("</del>"):
            before = " "
        parts.append(escape(before) + around % words + escape(after))
    return Markup("").join(parts)


# -- a certificate -----------------------------------------------------------------------------------------------


def certificate_html(paper: CertificatePrint) -> str:
    """The whole page for a certificate."""
    return (
        _templates()
        .get_template("print/certificate.html")
        .render(paper=paper, **_common(paper, f"Certificate: {paper.policy}"))
    )


def make_certificate(paper: CertificatePrint) -> Rendered:
    """The PDF/UA-1 of a certificate."""
    return _make(certificate_html(paper), paper, paper.check_url)


# -- a paper of another feature ----------------------------------------------------------------------------------


class AnyPaper(Protocol):
    """What every paper has; the template knows the rest."""

    @property
    def organisation(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def made_on(self) -> date: ...
    @property
    def logo(self) -> bytes | None: ...
    @property
    def colour(self) -> str: ...


def make_paper(template: str, paper: AnyPaper, *, title: str, check_url: str = "") -> Rendered:
    """The PDF/UA-1 of a template in `templates/print` that extends `_paper.html`, with the house's look.

    `check_url`: an address that the paper shows as a QR code, `asset:check.svg`.
    """
    html = _templates().get_template(template).render(paper=paper, **_common(paper, title))
    return _make(html, paper, check_url)


# -- what they share ---------------------------------------------------------------------------------------------

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def _printed(text: str) -> str:
    """Without the characters that have no shape: a PDF/UA must not show a missing one."""
    return _UNPRINTABLE.sub("", strip_marks(text))


def _common(paper: AnyPaper, title: str) -> dict[str, object]:
    return {
        "title": title,
        "logo": f"asset:{_logo_name(paper.logo)}" if _logo_name(paper.logo) else "",
        "short_title": _short(title, 64),
        "short_place": _short(paper.place or paper.organisation, 44),
    }


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _make(html: str, paper: AnyPaper, check_url: str) -> Rendered:
    parts = urlsplit(check_url)
    base = f"{parts.scheme}://{parts.netloc}/" if parts.scheme in ("http", "https") else ""
    return render_limited(html, assets=_assets(paper, check_url), base=base)


def _assets(paper: AnyPaper, check_url: str) -> Mapping[str, bytes]:
    assets = {"colours.css": _colours(paper.colour).encode()}
    name = _logo_name(paper.logo)
    if name and paper.logo:
        assets[name] = paper.logo
    if check_url:
        assets["check.svg"] = _qr(check_url)
    return assets


def _logo_name(logo: bytes | None) -> str:
    """ "logo.png" or "logo.jpg"; "" for no logo, or for a file of another kind."""
    if logo and logo.startswith(b"\x89PNG\r\n\x1a\n"):
        return "logo.png"
    return "logo.jpg" if logo and logo.startswith(b"\xff\xd8\xff") else ""


def _qr(address: str) -> bytes:
    made = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        made, kind="svg", border=0, xmldecl=False, svgns=True, nl=False
    )
    return made.getvalue()


def _colours(colour: str) -> str:
    """The trust's colour for bars, and for words where it can be read on white."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        colour = HOUSE_COLOUR
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    words = colour if 1.05 / (luminance + 0.05) >= _LEAST_CONTRAST else _INK
    return f":root {{ --brand: {colour}; --brand-words: {words}; }}"


def printable(text: str) -> str:
    """Words without the characters that have no shape: for papers of other features."""
    return _printed(text)


def house_assets(colour: str, logo: bytes | None) -> tuple[dict[str, bytes], str]:
    """What a paper of another feature may name: colours and logo; and the logo's name, "" where there is none."""
    name = _logo_name(logo)
    return {"colours.css": _colours(colour).encode(), **({name: logo} if name and logo else {})}, name
