"""The rules as data, and running them. A rule is a function that looks at a `Context` and yields `Hit`s."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TypeVar

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint.dictionary import ActTitle, Dictionary, Mention, acts_in
from trustportal.policies.domain.lint.furniture import furniture
from trustportal.policies.domain.lint.model import (
    Document,
    Finding,
    LintClause,
    Severity,
    Source,
    fingerprint,
)

__all__ = ["RULES", "Context", "Hit", "Piece", "Rule", "rule", "run"]

T = TypeVar("T")

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s{0,8}[-*|])")
_CONTENTS = re.compile(r"^(?:table\s+of\s+)?contents(?:\s+page)?:?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule saw: a place, and what to say. `severity` only where it differs from the rule's."""

    message: str
    clause: int | None = None
    part: str = "document"
    start: int = 0
    end: int = 0
    severity: Severity | None = None
    record: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of the document: part "heading" or "text" of a clause."""

    clause: int
    part: str
    text: str

    def hit(self, message: str, start: int, end: int, **more: object) -> Hit:
        return Hit(message, self.clause, self.part, start, end, **more)  # type: ignore[arg-type]

    def match(self, message: str, found: re.Match[str], group: int | str = 0) -> Hit:
        return self.hit(message, *found.span(group))


class Context:
    """A document with what several rules ask about it, worked out once."""

    def __init__(self, document: Document, dictionary: Dictionary, today: date) -> None:
        self.document, self.dictionary, self.today = document, dictionary, today
        self.clauses = document.clauses
        self._kept: dict[str, object] = {}

    def keep(self, name: str, make: Callable[[], T]) -> T:
        """What several rules of a module ask, worked out once."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]  # type: ignore[return-value]

    @cached_property
    def parents(self) -> tuple[int | None, ...]:
        """The index of the clause that each clause is part of."""
        above: list[int] = []
        found: list[int | None] = []
        for index, clause in enumerate(self.clauses):
            while above and self.clauses[above[-1]].depth >= clause.depth:
                above.pop()
            found.append(above[-1] if above else None)
            if clause.kind is not Kind.SUBHEADING:
                above.append(index)
        return tuple(found)

    @cached_property
    def children(self) -> dict[int | None, tuple[int, ...]]:
        found: dict[int | None, list[int]] = {}
        for index, parent in enumerate(self.parents):
            found.setdefault(parent, []).append(index)
        return {parent: tuple(below) for parent, below in found.items()}

    @cached_property
    def contents_page(self) -> int | None:
        """The index of a contents page that was imported as a clause."""
        return next(
            (
                index
                for index, clause in enumerate(self.clauses)
                if clause.text and _CONTENTS.match(clause.heading.strip())
            ),
            None,
        )

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Every heading and text, in reading order; not those of a contents page."""
        return tuple(
            Piece(index, part, words)
            for index, clause in enumerate(self.clauses)
            if index != self.contents_page
            for part, words in (("heading", clause.heading), ("text", clause.text))
            if words
        )

    @cached_property
    def texts(self) -> tuple[Piece, ...]:
        return tuple(piece for piece in self.pieces if piece.part == "text")

    @cached_property
    def furniture(self) -> tuple[tuple[int, int, int], ...]:
        """(clause index, start, end) of the feet of printed pages inside texts."""
        return furniture(self.texts, self.document.source)

    def in_furniture(self, piece: Piece, start: int) -> bool:
        """Whether a place in a text belongs to the foot of a page."""
        return piece.part == "text" and any(
            index == piece.clause and first <= start < last for index, first, last in self.furniture
        )

    @cached_property
    def whole(self) -> str:
        """All words of the clauses."""
        return "\n\n".join(piece.text for piece in self.pieces)

    @cached_property
    def whole_mark(self) -> str:
        return fingerprint(self.whole)

    def words_mark(self, index: int) -> str:
        """The hash of a clause's words."""
        clause = self.clauses[index]
        return self.keep(f"words {index}", lambda: fingerprint(clause.heading, clause.text))

    @cached_property
    def sentences(self) -> tuple[tuple[Piece, int, str], ...]:
        """(piece, offset in it, sentence)."""
        found: list[tuple[Piece, int, str]] = []
        for piece in self.texts:
            start = 0
            for gap in _SENTENCE_END.finditer(piece.text):
                found.append((piece, start, piece.text[start : gap.start()]))
                start = gap.end()
            found.append((piece, start, piece.text[start:]))
        return tuple(one for one in found if one[2].strip())

    @cached_property
    def mentions(self) -> tuple[tuple[Piece, Mention], ...]:
        """What of the dictionary is named, and where."""
        among = self.dictionary.among(self.whole_lowered)
        return (
            *((piece, one) for piece in self.pieces for one in self.dictionary.mentions(piece.text, among)),
            *((piece, one) for piece, act in self.acts for one in self.dictionary.named_by(act)),
        )

    @cached_property
    def acts(self) -> tuple[tuple[Piece, ActTitle], ...]:
        """The Acts that are named."""
        known = self.dictionary.known_titles
        return tuple((piece, act) for piece in self.pieces for act in acts_in(piece.text, known))

    def name(self, index: int) -> str:
        """How a person would call a clause."""
        clause = self.clauses[index]
        if clause.label:
            return clause.label.strip("().: ") if clause.kind is not Kind.APPENDIX else clause.label
        words = " ".join((clause.heading or clause.text).split())
        return f"“{words[:40].strip()}”"

    @cached_property
    def whole_lowered(self) -> str:
        """All words in small letters: what is not in it need not be looked for in each piece."""
        return self.whole.lower()

    @cached_property
    def lowered(self) -> tuple[tuple[Piece, str], ...]:
        """Every piece with its words in small letters."""
        return tuple((piece, piece.text.lower()) for piece in self.pieces)

    def scan(
        self,
        pattern: re.Pattern[str],
        *needles: str,
        any_of: Sequence[str] | None = None,
        headings: bool = True,
    ) -> Iterator[tuple[Piece, re.Match[str]]]:
        """Every match of a pattern.

        `needles` are literals in small letters that every piece with a match holds, `any_of` some of which it holds
        one: they save most of the time.
        """
        if not all(needle in self.whole_lowered for needle in needles):
            return
        any_of = [needle for needle in any_of if needle in self.whole_lowered] if any_of else None
        if any_of == []:
            return
        for piece, lowered in self.lowered:
            if (
                (headings or piece.part == "text")
                and all(needle in lowered for needle in needles)
                and (not any_of or any(needle in lowered for needle in any_of))
            ):
                for found in pattern.finditer(piece.text):
                    yield piece, found


Check = Callable[[Context], Iterator[Hit]]
_EVERYWHERE = frozenset(Source)


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the catalogue. `local` rules judge a school's own words; `waivable` errors can be waived."""

    id: str
    title: str
    severity: Severity
    heuristic: bool
    applies: frozenset[Source]
    local: bool
    waivable: bool
    check: Check


RULES: dict[str, Rule] = {}


def rule(
    id_: str,
    title: str,
    severity: Severity,
    *,
    heuristic: bool = False,
    applies: frozenset[Source] = _EVERYWHERE,
    local: bool = True,
    waivable: bool = False,
) -> Callable[[Check], Check]:
    """Enter a function as a rule of the catalogue."""

    def enter(check: Check) -> Check:
        if id_ in RULES:
            raise ValueError(f"the rule {id_} is entered twice")
        RULES[id_] = Rule(id_, title, severity, heuristic, applies, local, waivable, check)
        return check

    return enter


def run(
    document: Document, dictionary: Dictionary, today: date, rules: Sequence[Rule]
) -> tuple[Finding, ...]:
    """What the rules find, in reading order; what concerns the whole policy comes first."""
    context = Context(document, dictionary, today)
    found: dict[tuple[object, ...], Finding] = {}
    for one in rules:
        if document.source not in one.applies or (document.source is Source.EDITION and not one.local):
            continue
        for hit in one.check(context):
            if document.source is Source.EDITION and (
                hit.clause is None or not document.clauses[hit.clause].own
            ):
                continue
            finding = _finding(context, one, hit)
            found.setdefault(
                (finding.rule, finding.clause, finding.part, finding.start, finding.record), finding
            )
    ordered = sorted(
        found.values(),
        key=lambda one: (-1 if one.clause is None else one.clause, one.part, one.start, one.rule, one.length),
    )
    return tuple(ordered)


def _words_of(document: Document, hit: Hit) -> str:
    """The words of the part that a hit points into."""
    if hit.clause is not None:
        clause: LintClause = document.clauses[hit.clause]
        return {"heading": clause.heading, "text": clause.text, "label": clause.label}[hit.part]
    kind, _, rest = hit.part.partition(":")
    if kind == "title":
        return document.title
    if kind == "header":
        return next((fact.value for fact in document.header if fact.name == rest), "")
    if kind == "versions":
        row, _, column = rest.partition(":")
        return document.versions[int(row)].cell(column)
    return ""


def _finding(context: Context, one: Rule, hit: Hit) -> Finding:
    document = context.document
    words = _words_of(document, hit)
    start = max(0, min(hit.start, len(words)))
    end = max(start, min(hit.end, len(words)))
    marked = words[start:end]
    key = document.clauses[hit.clause].key if hit.clause is not None else ""
    about: tuple[str, ...]
    if hit.clause is not None:
        about = (key, context.words_mark(hit.clause), str(start))
    elif one.waivable:
        about = (context.whole_mark,)  # what is missing is missing from these words
    else:
        about = (hit.part, words)
    severity = hit.severity or one.severity
    return Finding(
        rule=one.id,
        severity=severity,
        heuristic=one.heuristic,
        clause=hit.clause,
        key=key,
        part=hit.part,
        start=start,
        length=end - start,
        message=hit.message,
        words=marked,
        record=hit.record,
        mark=fingerprint(one.id, severity.value, hit.message, *about),
    )
