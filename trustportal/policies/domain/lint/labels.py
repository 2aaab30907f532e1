"""Labels of clauses as lint reads them: which number a label is, and which clause a reference means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint.model import LintClause

__all__ = ["letter_value", "paths_of", "roman_value", "shape", "targets"]

_DECIMAL = re.compile(r"(?:[A-Z]|\d{1,3})(?:\.\d{1,3})+")
_SIGN = re.compile(r"\(?([a-z]{1,6}|\d{1,3})[.)]*")
_APPENDIX = re.compile(r"(?:appendix|annex|schedule)\s+(\w{1,4})", re.IGNORECASE)
_FULL = re.compile(r"\d{1,3}(?:\.\d{1,3})*(?:\.[a-z]{1,5}|\([a-z]{1,5}\))+")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@lru_cache(2048)
def roman_value(sign: str) -> int | None:
    """The value of a small Roman number; None when it is not written as one."""
    if not sign or any(letter not in _ROMAN for letter in sign):
        return None
    total = 0
    for here, after in zip(sign, [*sign[1:], ""], strict=True):
        value = _ROMAN[here]
        total += -value if after and _ROMAN[after] > value else value
    return total if _as_roman(total) == sign else None


def _as_roman(value: int) -> str:
    written = ""
    for size, letters in ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v")):
        while value >= size:
            written, value = written + letters, value - size
    return written + ("iv" if value == 4 else "i" * value)


def letter_value(sign: str) -> int | None:
    """1 for a, 26 for z; None for anything else."""
    return ord(sign) - 96 if len(sign) == 1 and "a" <= sign <= "z" else None


def shape(label: str) -> tuple[str, tuple[str, ...]]:
    """What a printed label is, and its signs: ("decimal", ("4", "1")), ("sign", ("a",)), ("appendix", ("A",)), …"""
    printed = label.strip().strip(":–- ")
    if found := _APPENDIX.match(printed):
        return "appendix", (found[1].upper(),)
    bare = printed.strip("().")
    if _DECIMAL.fullmatch(bare):
        return "decimal", tuple(bare.split("."))
    if _FULL.fullmatch(bare):
        return "full", tuple(part for part in re.split(r"[.()]+", bare) if part)
    if found := _SIGN.fullmatch(printed):
        return ("number" if found[1].isdigit() else "sign"), (found[1],)
    return "", ()


def paths_of(clauses: Sequence[LintClause], parents: Sequence[int | None]) -> tuple[tuple[str, ...], ...]:
    """Each clause's full path of signs ("4", "1", "a"), () where it has no label; an appendix has its letter."""
    found: list[tuple[str, ...]] = []
    for clause, parent in zip(clauses, parents, strict=True):
        kind, signs = shape(clause.label)
        if kind in ("decimal", "appendix", "full"):
            found.append(signs)
        elif kind:
            found.append((*(found[parent] if parent is not None else ()), *signs))
        else:
            found.append(())
    return tuple(found)


def targets(clauses: Sequence[LintClause], parents: Sequence[int | None]) -> Mapping[tuple[str, ...], int]:
    """Path -> index of the first clause that has it; appendices under ("appendix", letter)."""
    found: dict[tuple[str, ...], int] = {}
    for index, path in enumerate(paths_of(clauses, parents)):
        if path and clauses[index].kind is Kind.APPENDIX:
            found.setdefault(("appendix", *path), index)
        elif path:
            found.setdefault(path, index)
    return found
