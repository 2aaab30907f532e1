"""Resolving: the trust's tree, one place's answers and its values give that place's policy, numbered. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from trustportal.policies.domain import placeholders, references
from trustportal.policies.domain.answers import (
    Added,
    Answer,
    Override,
    agreements_needed,
    answers_from_json,
    answers_to_json,
    check_added,
    check_answer,
    check_override,
    effective_override,
    ours_of,
)
from trustportal.policies.domain.clauses import (
    Clause,
    Kind,
    Mode,
    NumberingStyle,
    Words,
    by_key,
    canonical_hash,
    numbers_and_labels,
    with_descendants,
)
from trustportal.policies.domain.header import PolicyHeader

__all__ = [
    "Added",
    "Answer",
    "EditionClause",
    "MissingValue",
    "Origin",
    "Override",
    "ResolveWarning",
    "Resolved",
    "WarningKind",
    "agreements_needed",
    "answers_from_json",
    "answers_to_json",
    "check_added",
    "check_answer",
    "check_override",
    "edition_from_json",
    "edition_hash",
    "edition_to_json",
    "resolve",
]


class Origin(StrEnum):
    """Where a clause of an edition comes from."""

    TRUST = "trust"
    ADAPTED = "adapted"
    ADDED = "added"
    LEFT_OUT = "left_out"


class WarningKind(StrEnum):
    REFERENCE_LEFT_OUT = "reference_left_out"
    REFERENCE_DANGLING = "reference_dangling"
    ANSWER_IGNORED = "answer_ignored"
    ADDITION_HIDDEN = "addition_hidden"
    ADDITION_UNPLACED = "addition_unplaced"


@dataclass(frozen=True, slots=True)
class MissingValue:
    """A placeholder without a value. It blocks a school's approval."""

    name: str
    clause_key: str


@dataclass(frozen=True, slots=True)
class ResolveWarning:
    """Something to look at. `about` is the key referred to, where it is about a reference."""

    kind: WarningKind
    clause_key: str
    message: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class EditionClause:
    """One clause as a place's policy says it: placeholders filled, references printed.

    `number` is what is printed in front, `label` the full number. A clause left out keeps its heading, has no text
    and no number. `template_heading` and `template_text` are the trust's words, unresolved ("" for added ones).
    """

    key: str
    parent: str | None
    kind: Kind
    number: str
    label: str
    heading: str
    text: str
    origin: Origin
    mode: Mode
    reason: str = ""
    template_heading: str = ""
    template_text: str = ""
    filled: tuple[str, ...] = ()

    @property
    def words(self) -> Words:
        return Words(self.heading, self.text)

    @property
    def template_words(self) -> Words:
        return Words(self.template_heading, self.template_text)

    def to_json(self, *, with_words: bool = True) -> dict[str, Any]:
        stored = {
            "key": self.key,
            "parent": self.parent,
            "kind": self.kind.value,
            "number": self.number,
            "label": self.label,
            "origin": self.origin.value,
            "mode": self.mode.value,
            "reason": self.reason,
            "filled": list(self.filled),
        }
        if with_words:
            stored |= {
                "heading": self.heading,
                "text": self.text,
                "template_heading": self.template_heading,
                "template_text": self.template_text,
            }
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            key=stored["key"],
            parent=stored.get("parent"),
            kind=Kind(stored["kind"]),
            number=stored.get("number") or "",
            label=stored.get("label") or "",
            heading=stored.get("heading") or "",
            text=stored.get("text") or "",
            origin=Origin(stored.get("origin", Origin.TRUST)),
            mode=Mode(stored.get("mode", Mode.LOCKED)),
            reason=stored.get("reason") or "",
            template_heading=stored.get("template_heading") or "",
            template_text=stored.get("template_text") or "",
            filled=tuple(stored.get("filled") or ()),
        )


def edition_to_json(clauses: Sequence[EditionClause]) -> list[dict[str, Any]]:
    return [clause.to_json() for clause in clauses]


def edition_from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[EditionClause, ...]:
    return tuple(EditionClause.from_json(one) for one in stored)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A place's policy, with what stands in the way of approving it (`missing`) and what to look at (`warnings`)."""

    clauses: tuple[EditionClause, ...]
    missing: tuple[MissingValue, ...]
    warnings: tuple[ResolveWarning, ...]
    content_hash: str


def edition_hash(
    clauses: Sequence[EditionClause], header: PolicyHeader | None = None, place: str = ""
) -> str:
    """The hash of what an edition says: header (without its dates), place, numbered tree. Not approvals, not "3.2"."""
    content = [
        [one.key, one.parent, one.kind.value, one.number, one.heading, one.text, one.origin.value]
        for one in clauses
    ]
    return canonical_hash({"header": header.content() if header else {}, "place": place, "edition": content})


@dataclass(slots=True)
class _Report:
    missing: dict[MissingValue, None] = field(default_factory=dict)
    warnings: dict[ResolveWarning, None] = field(default_factory=dict)

    def warn(self, kind: WarningKind, key: str, message: str, about: str = "") -> None:
        self.warnings[ResolveWarning(kind, key, message, about)] = None


def resolve(
    tree: Sequence[Clause],
    style: NumberingStyle,
    overrides: Mapping[str, Override],
    added: Sequence[Added],
    values: Mapping[str, str],
    *,
    header: PolicyHeader | None = None,
    place: str = "",
) -> Resolved:
    """Resolve one place's policy. `values` are its placeholders; `header` and `place` only go into the hash.

    It fails closed: an override that the clause's mode forbids is not used (the trust's words stand, with a
    warning), and no words of the school vanish: an addition whose clause is gone is put at the end, with a warning.
    """
    report = _Report()
    standing = _standing(tree, overrides, report)
    left_out = with_descendants(
        tree, [key for key, one in standing.items() if one.answer is Answer.LEAVE_OUT]
    )
    whole = _with_added(tree, added, report)
    own = {one.key: one for one in added}
    hidden = with_descendants(whole, left_out) - left_out
    for key in (clause.key for clause in whole if clause.key in hidden):
        message = "This added clause is inside a part that is left out, so it is not printed."
        report.warn(WarningKind.ADDITION_HIDDEN, key, message)
    silent = left_out | hidden
    shown, full = numbers_and_labels(whole, style, silent)
    words = {
        clause.key: ours_of(standing[clause.key], clause.words)
        if clause.key in standing and clause.key not in silent
        else clause.words
        for clause in whole
    }
    names = references.names_for(
        whole, full, {key: placeholders.fill(one.heading, values)[0] for key, one in words.items()}
    )
    clauses: list[EditionClause] = []
    for clause in whole:
        key = clause.key
        addition = own.get(key)
        override = standing.get(key)
        if addition is None and override is None and key not in silent:
            as_written = _as_written(clause, shown[key], full[key])
            if as_written is not None:
                clauses.append(as_written)
                continue
        if key in silent:
            origin = Origin.LEFT_OUT
        elif addition is not None:
            origin = Origin.ADDED
        else:
            origin = Origin.ADAPTED if override is not None and words[key] != clause.words else Origin.TRUST
        quiet = _Report() if origin is Origin.LEFT_OUT else report
        heading = _print(words[key].heading, key, values, names, silent, quiet)
        text = (
            "" if origin is Origin.LEFT_OUT else _print(words[key].text, key, values, names, silent, report)
        )
        used = dict.fromkeys(placeholders.find(words[key].heading))
        if origin is not Origin.LEFT_OUT:
            used.update(dict.fromkeys(placeholders.find(words[key].text)))
        clauses.append(
            EditionClause(
                key=key,
                parent=clause.parent,
                kind=clause.kind,
                number=shown[key],
                label=full[key],
                heading=heading,
                text=text,
                origin=origin,
                mode=clause.mode,
                reason=addition.reason if addition else override.reason if override else "",
                template_heading="" if addition else clause.heading,
                template_text="" if addition else clause.text,
                filled=tuple(used),
            )
        )
    made = tuple(clauses)
    return Resolved(made, tuple(report.missing), tuple(report.warnings), edition_hash(made, header, place))


@lru_cache(5_000)
def _as_written(clause: Clause, shown: str, full: str) -> EditionClause | None:
    """What a clause says wherever nobody changed it; None where it has a slot or refers to another one.

    Kept: it is the same at every school, and most clauses are like that.
    """
    if any(sign in words for words in (clause.heading, clause.text) for sign in ("{{", "[[")):
        return None
    return EditionClause(
        key=clause.key,
        parent=clause.parent,
        kind=clause.kind,
        number=shown,
        label=full,
        heading=clause.heading,
        text=clause.text,
        origin=Origin.TRUST,
        mode=clause.mode,
        template_heading=clause.heading,
        template_text=clause.text,
    )


def _standing(
    tree: Sequence[Clause], overrides: Mapping[str, Override], report: _Report
) -> dict[str, Override]:
    """The overrides that may stand, by clause; the others are reported."""
    clauses = by_key(tree)
    standing: dict[str, Override] = {}
    for key in sorted(overrides):
        override = overrides[key]
        if override.answer is Answer.INHERIT:
            continue
        clause = clauses.get(key)
        if clause is None:
            forbidden: str | None = "The trust's policy no longer has this clause."
        else:
            forbidden = effective_override(tree, clause, override)
        if forbidden is None:
            standing[key] = override
        else:
            report.warn(WarningKind.ANSWER_IGNORED, key, f"The school's answer is not used. {forbidden}")
    return standing


def _with_added(tree: Sequence[Clause], added: Sequence[Added], report: _Report) -> tuple[Clause, ...]:
    """The trust's tree with the school's clauses in their places, each below the parent it gets there."""
    clauses = by_key(tree)
    after: dict[str, list[Added]] = {}
    for one in added:
        if one.key not in clauses:
            after.setdefault(one.after, []).append(one)
    placed: set[str] = set()

    def chain(anchor: str, parent: str | None) -> list[Clause]:
        found: list[Clause] = []
        for one in after.get(anchor, ()):
            if one.key in placed:
                continue
            placed.add(one.key)
            found.append(Clause(one.key, parent, Kind.CLAUSE, one.heading, one.text, Mode.ADAPTABLE))
            found.extend(chain(one.key, parent))
        return found

    def walk(parent: str | None) -> list[Clause]:
        found: list[Clause] = []
        for clause in below.get(parent, ()):
            found.append(clause)
            found.extend(walk(clause.key))
            inside = clause.kind in (Kind.SECTION, Kind.APPENDIX)
            found.extend(chain(clause.key, clause.key if inside else parent))
        return found

    below: dict[str | None, list[Clause]] = {}
    for clause in tree:
        below.setdefault(clause.parent, []).append(clause)
    whole = walk(None)
    for one in added:
        if one.key not in clauses and one.key not in placed:
            message = "The clause that this was added after is gone, so it is put at the end."
            report.warn(WarningKind.ADDITION_UNPLACED, one.key, message)
            placed.add(one.key)
            whole.append(Clause(one.key, None, Kind.CLAUSE, one.heading, one.text, Mode.ADAPTABLE))
            whole.extend(chain(one.key, None))
    return tuple(whole)


_SLOT = re.compile(
    f"(?P<slot>{placeholders.PLACEHOLDER.pattern})|(?P<reference>{references.REFERENCE.pattern})"
)


def _print(
    text: str,
    key: str,
    values: Mapping[str, str],
    names: Mapping[str, str],
    silent: frozenset[str],
    report: _Report,
) -> str:
    """Fill slots and print references in one pass, so that a value is never read as a slot or a reference."""

    def put(found: re.Match[str]) -> str:
        if found["slot"] is not None:
            name = found[2]
            filled, missing = placeholders.fill(found[0], values)
            if missing:
                report.missing[MissingValue(name, key)] = None
            return filled
        about = found[4]
        if about in silent:
            message = "This refers to a clause that is not used at this school."
            report.warn(WarningKind.REFERENCE_LEFT_OUT, key, message, about)
            return references.NOT_USED
        if about not in names:
            report.warn(
                WarningKind.REFERENCE_DANGLING, key, "This refers to a clause that does not exist.", about
            )
            return f"[missing clause: {about}]"
        return names[about]

    return _SLOT.sub(put, text) if "{{" in text or "[[" in text else text
