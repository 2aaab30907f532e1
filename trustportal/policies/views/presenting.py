"""How an edition, a comparison and a decision look on a page: rows made ready for the templates.

An approved edition never changes, so its clauses are rendered once per process and kept (`shown_edition`). What is
kept is keyed by trust first: nothing is shared across trusts.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar
from uuid import UUID

from flask import render_template
from markupsafe import Markup

from trustportal.db import current_scope
from trustportal.markdown import to_html
from trustportal.policies.domain import placeholders, references
from trustportal.policies.domain.answers import Added, Override
from trustportal.policies.domain.changes import ChangeRow
from trustportal.policies.domain.clauses import Kind, Mode, NumberingStyle
from trustportal.policies.domain.diff import ClauseChange
from trustportal.policies.domain.resolve import EditionClause, Origin

T = TypeVar("T")


# -- what is kept ------------------------------------------------------------------------------------------------


class Kept(Generic[T]):
    """The newest `size` results of something that is always the same for the same key; safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._found: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        made = make()
        with self._lock:
            self._found[key] = made
            while len(self._found) > self._size:
                self._found.popitem(last=False)
        return made


def _trust_id() -> UUID:
    scope = current_scope()
    if scope is None:
        raise RuntimeError("no scope: what a page keeps belongs to a trust")
    return scope.trust_id


# -- a clause's words as HTML ------------------------------------------------------------------------------------

_bodies: Kept[Markup] = Kept(8_000)

#: Around what a placeholder printed, while the text becomes HTML. Private use: they stand in no real text.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKED = re.compile(r"<(?:\"[^\"]*\"|[^\">])*>|[\ue000\ue001]")
_ENCODED = re.compile("%EE%80%8[01]|[\ue000\ue001]", re.IGNORECASE)
#: A value with any of these could become markup of its own, so it is not marked.
_ACTIVE = re.compile(r"[*_`\[\]<>|~@\\]|://|www\.")
_SLOT_OR_REFERENCE = re.compile(f"{placeholders.PLACEHOLDER.pattern}|{references.REFERENCE.pattern}")


def body(text: str) -> Markup:
    """A clause's text as HTML: Markdown, made safe. Placeholders' values that `marked` marked stand out."""
    if not text:
        return Markup("")

    def make() -> Markup:
        html = to_html(text)
        if _OPEN not in text:
            return Markup(html)  # noqa: S704 (made safe by trustportal.markdown)
        return Markup(_MARKED.sub(_slot, html))  # noqa: S704 (the same, with our own <span> put in)

    return _bodies.get((_trust_id(), text), make)


def _slot(found: re.Match[str]) -> str:
    if found[0] == _OPEN:
        return '<span class="slot">'
    return "</span>" if found[0] == _CLOSE else _ENCODED.sub("", found[0])


def marked(text: str, source: str, values: Mapping[str, str]) -> str:
    """`text` with marks around what the placeholders of `source` printed; unchanged where that cannot be told."""
    if "{{" not in source:
        return text
    pattern: list[str] = []
    at = 0
    for found in _SLOT_OR_REFERENCE.finditer(source):
        pattern.append(re.escape(source[at : found.start()]))
        at = found.end()
        value = values.get(found[1] or "", "")
        if found[1] is None:
            pattern.append("(?:.*?)")
        elif not value or _ACTIVE.search(value):
            pattern.append(f"(?:{re.escape(value)})" if value else "(?:.*?)")
        else:
            pattern.append(f"({re.escape(value)})")
    pattern.append(re.escape(source[at:]))
    whole = re.fullmatch("".join(pattern), text, re.DOTALL)
    if whole is None:
        return text
    out: list[str] = []
    at = 0
    for number in range(1, (whole.re.groups or 0) + 1):
        start, end = whole.span(number)
        out += [text[at:start], _OPEN, text[start:end], _CLOSE]
        at = end
    return "".join([*out, text[at:]])


def in_words(text: str, values: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """The trust's unresolved text for reading: slots with this place's values or their names, references by number."""

    def put(found: re.Match[str]) -> str:
        if found[1] is not None:
            value = values.get(found[1], "")
            name = found[1].rpartition(".")[2].replace("_", " ")
            return value if _ACTIVE.search(value) else f"{_OPEN}{value or name}{_CLOSE}"
        return labels.get(found[2]) or references.NOT_USED

    return _SLOT_OR_REFERENCE.sub(put, text)


def plain(text: str) -> str:
    """A text without the marks, for places that show no HTML."""
    return _ENCODED.sub("", text)


# -- an edition --------------------------------------------------------------------------------------------------

_FROM = {
    Mode.LOCKED: "Trust, locked",
    Mode.EXTEND: "Trust, may be added to",
    Mode.ADAPTABLE: "Trust, may be adapted",
}
_TAG = {
    Origin.TRUST: "",
    Origin.ADAPTED: "Adapted here",
    Origin.ADDED: "Added here",
    Origin.LEFT_OUT: "Left out here",
}


@dataclass(frozen=True, slots=True)
class ClauseRow:
    """One clause as the page shows it. `tag`: empty for the trust's own. `trusts`: the trust's text if it differs."""

    key: str
    kind: Kind
    depth: int
    #: The level of its heading on the page, whose title is level 1; a level is never skipped.
    level: int
    number: str
    label: str
    heading: str
    body: Markup
    origin: Origin
    mode: Mode
    tag: str
    comes_from: str
    reason: str
    trusts_heading: str
    trusts: Markup

    @property
    def is_heading(self) -> bool:
        """Whether it is a section or an appendix: a heading of its own, with what follows below it."""
        return self.kind in (Kind.SECTION, Kind.APPENDIX) and self.depth == 1


@dataclass(frozen=True, slots=True)
class ContentsLine:
    """One line of the contents: a section or an appendix."""

    key: str
    number: str
    heading: str


@dataclass(frozen=True, slots=True)
class ShownEdition:
    """An edition ready for the page: its text as HTML, with the contents, and how many clauses are the school's own."""

    text: Markup
    own: int
    left_out: int


def clause_rows(
    clauses: Sequence[EditionClause],
    values: Mapping[str, str],
    answers: tuple[Mapping[str, Override], Sequence[Added]] = ({}, ()),
    *,
    marking: bool = True,
) -> list[ClauseRow]:
    """The clauses of an edition as rows. `marking`: let the values of placeholders stand out."""
    labels = {clause.key: clause.label for clause in clauses}
    sources = {key: one.text for key, one in answers[0].items()} | {one.key: one.text for one in answers[1]}
    depths: dict[str, int] = {}
    levels: dict[str | None, int] = {}
    rows: list[ClauseRow] = []
    for clause in clauses:
        level = levels.get(clause.parent, 1) + 1
        levels[clause.key] = min(level if clause.heading else level - 1, 5)
        depth = depths[clause.key] = depths.get(clause.parent or "", 0) + 1
        text = clause.text
        source = "" if clause.origin is Origin.TRUST else sources.get(clause.key) or ""
        source = source or clause.template_text
        if clause.origin is Origin.LEFT_OUT:
            text = in_words(clause.template_text or source, values, labels)
        elif marking and clause.filled:
            text = marked(text, source, values)
        differs = clause.origin is Origin.ADAPTED
        rows.append(
            ClauseRow(
                key=clause.key,
                kind=clause.kind,
                depth=depth,
                level=level,
                number=clause.number,
                label=clause.label,
                heading=clause.heading,
                body=body(text if marking else plain(text)),
                origin=clause.origin,
                mode=clause.mode,
                tag=_TAG[clause.origin],
                comes_from=_comes_from(clause),
                reason=clause.reason,
                trusts_heading=plain(in_words(clause.template_heading, values, labels)) if differs else "",
                trusts=body(in_words(clause.template_text, values, labels)) if differs else Markup(""),
            )
        )
    return rows


def _comes_from(clause: EditionClause) -> str:
    if clause.origin is not Origin.TRUST:
        return ""
    if clause.filled and clause.mode is Mode.LOCKED:
        return "Trust, filled in here"
    return _FROM[clause.mode]


def contents_of(rows: Sequence[ClauseRow]) -> tuple[ContentsLine, ...]:
    """The sections and appendices; what is left out is not listed."""
    return tuple(
        ContentsLine(row.key, row.number, row.heading)
        for row in rows
        if row.is_heading and row.origin is not Origin.LEFT_OUT
    )


_editions: Kept[ShownEdition] = Kept(400)


def shown_edition(
    edition_id: UUID, content_hash: str, template: str, read: Callable[[], list[ClauseRow]]
) -> ShownEdition:
    """An approved edition rendered with a template of clauses. `read` gives its rows when it was not kept yet."""

    def make() -> ShownEdition:
        return show(read(), template)

    return _editions.get((_trust_id(), edition_id, content_hash, template), make)


def show(rows: Sequence[ClauseRow], template: str, **context: Any) -> ShownEdition:
    """Rows rendered with a template of clauses, with the contents beside them."""
    html = Markup(render_template(template, rows=rows, **context))  # noqa: S704 (rendered by us, escaped there)
    text = render_template("policies/_text.html", contents=contents_of(rows), clauses=html)
    return ShownEdition(
        text=Markup(text),  # noqa: S704 (the same)
        own=sum(row.origin in (Origin.ADAPTED, Origin.ADDED) for row in rows),
        left_out=sum(row.origin is Origin.LEFT_OUT for row in rows),
    )


_versions: Kept[Markup] = Kept(200)


def shown_version(version_id: UUID, style: NumberingStyle, read: Callable[[], Sequence[Any]]) -> Markup:
    """The trust's text of a published version with its contents. `read` gives its rows when it was not kept yet."""

    def make() -> Markup:
        return Markup(render_template("policies/trust/_whole.html", rows=read()))  # noqa: S704 (the same)

    return _versions.get((_trust_id(), version_id, style), make)


# -- what changed ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One changed clause for the page (`ui.change_card`): the comparison, why, and its weight where it is known."""

    clause: ClauseChange
    reason: str = ""
    weight: str = ""


def changes_shown(
    changed: Sequence[ClauseChange],
    *,
    reasons: Mapping[str, str] | None = None,
    weights: Mapping[str, str] | None = None,
) -> list[Change]:
    """A comparison for the page. `reasons` and `weights` ("editorial", "material") by clause key."""
    return [
        Change(one, (reasons or {}).get(one.key, ""), (weights or {}).get(one.key, "")) for one in changed
    ]


_comparisons: Kept[tuple[Change, ...]] = Kept(400)


def kept_changes(key: tuple[Hashable, ...], make: Callable[[], Sequence[Change]]) -> tuple[Change, ...]:
    """What changed between two approved texts, which never change: compared once. `key` names both."""
    return _comparisons.get((_trust_id(), *key), lambda: tuple(make()))


def first_words(text: str, count: int = 7) -> str:
    """The first words of a text, with dots where it goes on."""
    words = re.sub(r"[*_`#\[\]]", "", text).split()
    return " ".join(words[:count]) + ("…" if len(words) > count else "")


def log_of(stored: Sequence[Mapping[str, Any]]) -> list[ChangeRow]:
    """The rows of an edition's change log."""
    return [ChangeRow.from_json(one) for one in stored]


__all__ = [
    "Change",
    "ClauseRow",
    "ContentsLine",
    "Kept",
    "ShownEdition",
    "body",
    "changes_shown",
    "clause_rows",
    "contents_of",
    "first_words",
    "in_words",
    "kept_changes",
    "log_of",
    "marked",
    "plain",
    "show",
    "shown_edition",
    "shown_version",
]


# -- a header ----------------------------------------------------------------------------------------------------

_HEADER_WORDS = {
    "title": "Title",
    "reference": "Reference",
    "audience": "Who it is for",
    "person_responsible": "Person responsible",
    "approving_body": "Approved by",
    "review_months": "Reviewed every (months)",
    "related": "Related policies",
    "statutory": "Required by law",
    "public": "Open to the public",
    "safeguarding": "About safeguarding",
    "numbering": "Numbering",
}


def header_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(label, old, new) of what differs between two stored headers."""

    def said(value: object) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value or "–")

    return [
        (label, said(old.get(name)), said(new.get(name)))
        for name, label in _HEADER_WORDS.items()
        if old.get(name, new.get(name)) != new.get(name)
    ]
