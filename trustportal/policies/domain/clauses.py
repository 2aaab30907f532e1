"""The clause, the tree of clauses, and the numbers that are derived from it. `tree` holds the ways to change one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from trustportal.errors import RuleBroken

__all__ = [
    "MAX_DEPTH",
    "Clause",
    "Kind",
    "Mode",
    "NumberingStyle",
    "Tree",
    "Weight",
    "Words",
    "ancestors",
    "by_key",
    "canonical_hash",
    "check_tree",
    "children",
    "descendants",
    "fresh_key",
    "full_number",
    "labels",
    "number",
    "subtree",
    "tree_from_json",
    "tree_hash",
    "tree_to_json",
    "with_descendants",
    "words_hash",
]

MAX_DEPTH = 6
_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?")


class Kind(StrEnum):
    """What a clause is in the tree. A sub-heading has no number, no children, and does not restart the letters."""

    SECTION = "section"
    CLAUSE = "clause"
    APPENDIX = "appendix"
    SUBHEADING = "subheading"


class Mode(StrEnum):
    """What a school may do with a clause: nothing, add after it, or also replace it and leave it out."""

    LOCKED = "locked"
    EXTEND = "extend"
    ADAPTABLE = "adaptable"


class NumberingStyle(StrEnum):
    """How clauses are numbered: 1 / 1.1 / 1.1.1, or 1 / a. / i., or 4 / 4.1 / a), or not at all.

    Appendices are "Appendix A", A.1, A.1.1 whatever the style.
    """

    DECIMAL = "decimal"
    LETTERS = "letters"
    MIXED = "mixed"
    NONE = "none"


class Weight(StrEnum):
    """Whether a change asks people to sign again."""

    EDITORIAL = "editorial"
    MATERIAL = "material"


@dataclass(frozen=True, slots=True)
class Words:
    """The heading and the text of a clause: what merging, comparing and storing are about."""

    heading: str = ""
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.heading or self.text)

    def to_json(self) -> dict[str, Any]:
        return {"heading": self.heading, "text": self.text}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(stored.get("heading") or "", stored.get("text") or "")


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the trust's text. `key` never changes; its number is derived from its place in the tree."""

    key: str
    parent: str | None
    kind: Kind
    heading: str = ""
    text: str = ""
    mode: Mode = Mode.LOCKED
    needs_agreement: bool = False

    @property
    def words(self) -> Words:
        return Words(self.heading, self.text)

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "parent": self.parent,
            "kind": self.kind.value,
            "heading": self.heading,
            "text": self.text,
            "mode": self.mode.value,
            "needs_agreement": self.needs_agreement,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            key=stored["key"],
            parent=stored.get("parent"),
            kind=Kind(stored["kind"]),
            heading=stored.get("heading") or "",
            text=stored.get("text") or "",
            mode=Mode(stored.get("mode", Mode.LOCKED)),
            needs_agreement=bool(stored.get("needs_agreement", False)),
        )


#: In reading order: a clause's children come directly after it, siblings in their order.
Tree = tuple[Clause, ...]


def tree_to_json(tree: Iterable[Clause]) -> list[dict[str, Any]]:
    return [clause.to_json() for clause in tree]


def tree_from_json(stored: Iterable[Mapping[str, Any]]) -> Tree:
    return tuple(Clause.from_json(one) for one in stored)


def by_key(tree: Iterable[Clause]) -> dict[str, Clause]:
    return {clause.key: clause for clause in tree}


def children(tree: Iterable[Clause], parent: str | None) -> Tree:
    """The clauses directly under `parent` (None: the top level), in order."""
    return tuple(clause for clause in tree if clause.parent == parent)


def descendants(tree: Iterable[Clause], key: str) -> tuple[str, ...]:
    """The keys of everything below `key`, in reading order."""
    below: dict[str, None] = {}
    for clause in tree:
        if clause.parent is not None and (clause.parent == key or clause.parent in below):
            below[clause.key] = None
    return tuple(below)


def with_descendants(tree: Sequence[Clause], keys: Iterable[str]) -> frozenset[str]:
    """`keys` and everything below them."""
    found = set(keys)
    for clause in tree:
        if clause.parent in found:
            found.add(clause.key)
    return frozenset(found)


def ancestors(tree: Iterable[Clause], key: str) -> tuple[str, ...]:
    """The keys above `key`, nearest first."""
    parents = {clause.key: clause.parent for clause in tree}
    above: list[str] = []
    step = parents.get(key)
    while step is not None and step not in above:
        above.append(step)
        step = parents.get(step)
    return tuple(above)


def subtree(tree: Sequence[Clause], key: str) -> Tree:
    """The clause and everything below it, in reading order."""
    keys = {key, *descendants(tree, key)}
    return tuple(clause for clause in tree if clause.key in keys)


def fresh_key(taken: Iterable[str], stem: str) -> str:
    """A key like `stem` (any words) that is not in `taken`: "use-of-photographs", then "use-of-photographs-2"."""
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:60].strip("-") or "clause"
    used = set(taken)
    if slug not in used:
        return slug
    count = 2
    while f"{slug}-{count}" in used:
        count += 1
    return f"{slug}-{count}"


def check_tree(tree: Sequence[Clause], *, complete: bool = False) -> None:
    """Raise `RuleBroken` unless the tree is well formed; `complete` also asks for words, which drafts may lack."""
    open_path: list[Clause] = []
    seen: set[str] = set()
    for clause in tree:
        name = _name(clause)
        if not _KEY.fullmatch(clause.key):
            raise RuleBroken(
                f"The key “{clause.key}” may only hold small letters, digits and hyphens.", "key"
            )
        if clause.key in seen:
            raise RuleBroken(f"Two clauses have the key “{clause.key}”. Each needs its own.", "key")
        seen.add(clause.key)
        while open_path and open_path[-1].key != clause.parent:
            open_path.pop()
        if clause.parent is not None and not open_path:
            raise RuleBroken(f"{name} does not stand directly below the clause it belongs to.", "parent")
        _check_place(clause, open_path[-1] if open_path else None, name)
        open_path.append(clause)
        if len(open_path) > MAX_DEPTH:
            raise RuleBroken(f"{name} is more than {MAX_DEPTH} levels deep. Move it up a level.", "parent")
        if complete:
            _check_words(clause, name)
    if complete and not tree:
        raise RuleBroken("A policy needs at least one clause.")


def _name(clause: Clause) -> str:
    words = clause.heading or clause.text
    return f"“{words[:60]}”" if words else f"The clause “{clause.key}”"


def _check_place(clause: Clause, parent: Clause | None, name: str) -> None:
    if parent is not None and parent.kind is Kind.SUBHEADING:
        raise RuleBroken(
            f"{name} stands below a sub-heading. Put it after the sub-heading, not inside.", "parent"
        )
    if clause.kind is Kind.APPENDIX and parent is not None:
        raise RuleBroken(f"{name} is an appendix. An appendix cannot be inside another clause.", "parent")
    if clause.kind is Kind.SECTION and parent is not None and parent.kind is not Kind.APPENDIX:
        raise RuleBroken(f"{name} is a section. A section cannot be inside another clause.", "parent")


def _check_words(clause: Clause, name: str) -> None:
    if clause.kind is Kind.CLAUSE:
        if not (clause.heading.strip() or clause.text.strip()):
            raise RuleBroken(f"{name} has no words. Write its text, or remove it.", "text")
    elif not clause.heading.strip():
        raise RuleBroken(f"{name} needs a heading.", "heading")


# Numbers


def _letter(count: int) -> str:
    """1 -> a, 26 -> z, 27 -> aa."""
    out = ""
    while count:
        count, rest = divmod(count - 1, 26)
        out = chr(ord("a") + rest) + out
    return out


_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_SMALL = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def _roman(count: int) -> str:
    out = ""
    for value, sign in _ROMAN + _ROMAN_SMALL:
        while count >= value:
            out += sign
            count -= value
    return out


def _mark(style: NumberingStyle, depth: int, count: int) -> str:
    """The bare sign of the `count`-th clause at `depth` (1 is the top), outside appendices."""
    if style is NumberingStyle.DECIMAL or depth == 1:
        return str(count)
    offset = depth if style is NumberingStyle.LETTERS else depth - 1
    if offset < 2:
        return str(count)
    return (_letter, _roman, str)[(offset - 2) % 3](count)


def _printed(style: NumberingStyle, marks: Sequence[str]) -> str:
    depth = len(marks)
    if style is NumberingStyle.DECIMAL or depth == 1 or (style is NumberingStyle.MIXED and depth == 2):
        return ".".join(marks)
    if style is NumberingStyle.LETTERS:
        return f"{marks[-1]}." if depth <= 3 else f"({marks[-1]})"
    return f"{marks[-1]})" if depth <= 5 else f"({marks[-1]})"


def _full(style: NumberingStyle, marks: Sequence[str]) -> str:
    if style is NumberingStyle.MIXED:
        return ".".join(marks[:2]) + "".join(f"({mark})" for mark in marks[2:])
    return ".".join(marks)


def _numbered(
    tree: Sequence[Clause], style: NumberingStyle, unnumbered: frozenset[str]
) -> dict[str, tuple[str, str]]:
    """Key -> (printed number, full label)."""
    found: dict[str, tuple[str, str]] = {}
    paths: dict[str, tuple[tuple[str, ...], bool]] = {}  # key -> its signs, and whether it is in an appendix
    counts: dict[str | None, int] = {}
    appendices = 0
    silent = with_descendants(tree, unnumbered)
    for clause in tree:
        if clause.key in silent or clause.kind is Kind.SUBHEADING:
            found[clause.key] = ("", "")
            continue
        if clause.kind is Kind.APPENDIX:
            appendices += 1
            letter = _letter(appendices).upper()
            paths[clause.key] = ((letter,), True)
            found[clause.key] = (f"Appendix {letter}", f"Appendix {letter}")
            continue
        count = counts[clause.parent] = counts.get(clause.parent, 0) + 1
        above, in_appendix = paths[clause.parent] if clause.parent is not None else ((), False)
        marks = (*above, str(count) if in_appendix else _mark(style, len(above) + 1, count))
        paths[clause.key] = (marks, in_appendix)
        if style is NumberingStyle.NONE:
            found[clause.key] = ("", "")
        elif in_appendix:
            found[clause.key] = (".".join(marks), ".".join(marks))
        else:
            found[clause.key] = (_printed(style, marks), _full(style, marks))
    return found


def number(
    tree: Sequence[Clause], style: NumberingStyle, unnumbered: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Key -> printed number ("3", "3.1", "a.", "a)", "Appendix A", "A.1"); "" where there is none.

    `unnumbered` are the clauses left out at a school: they, and all below them, keep no number and use none up.
    In style NONE only appendices have one ("Appendix A").
    """
    return {key: short for key, (short, _) in _numbered(tree, style, unnumbered).items()}


def labels(
    tree: Sequence[Clause], style: NumberingStyle, unnumbered: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Key -> unambiguous label for references ("3.1", "3.a.i", "4.1(a)", "Appendix A", "A.1"); "" for none."""
    return {key: full for key, (_, full) in _numbered(tree, style, unnumbered).items()}


def numbers_and_labels(
    tree: Sequence[Clause], style: NumberingStyle, unnumbered: frozenset[str] = frozenset()
) -> tuple[dict[str, str], dict[str, str]]:
    """`number` and `labels`, counted once."""
    both = _numbered(tree, style, unnumbered).items()
    return {key: short for key, (short, _) in both}, {key: full for key, (_, full) in both}


def full_number(
    tree: Sequence[Clause], style: NumberingStyle, key: str, unnumbered: frozenset[str] = frozenset()
) -> str:
    """The label of one clause; see `labels`."""
    return labels(tree, style, unnumbered).get(key, "")


# Hashes


def canonical_hash(content: Any) -> str:
    """SHA-256, in hex, of canonical JSON: sorted keys, no spaces, UTF-8. The same content gives the same hash."""
    written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(written.encode("utf-8")).hexdigest()


@lru_cache(20_000)
def words_hash(words: Words) -> str:
    """The hash under which a clause's words are stored once per trust."""
    return canonical_hash(["words", words.heading, words.text])


def tree_hash(
    tree: Sequence[Clause], style: NumberingStyle, header: Mapping[str, Any] | None = None, place: str = ""
) -> str:
    """The hash of a template version: header, place, and the numbered tree with its modes."""
    numbers = number(tree, style)
    content = [[numbers[clause.key], clause.to_json()] for clause in tree]
    return canonical_hash({"header": header or {}, "place": place, "template": content})
