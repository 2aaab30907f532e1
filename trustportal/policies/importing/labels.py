"""Printed labels of clauses ("4.1", "a)", "ii.", "Appendix A") and what can follow what."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from trustportal.policies.importing.marks import emphasised


class Style(StrEnum):
    """How a label counts."""

    NUMBER = "number"
    DECIMAL = "decimal"
    LETTER = "letter"
    APPENDIX = "appendix"


@dataclass(frozen=True, slots=True)
class Label:
    """A label found at the start of a line, and the rest of that line."""

    printed: str
    style: Style
    path: tuple[str, ...]
    rest: str


_MARKS = r"(?P<open>\*{1,3}|_{1,2})?"
_DECIMAL = re.compile(
    rf"^{_MARKS}(?P<label>(?:[A-Z]|\d{{1,3}})(?:\.\d{{1,3}})+[.)]?)(?P<shut>\*{{1,3}}|_{{1,2}})?(?:\s+|$)"
)
_NUMBER = re.compile(rf"^{_MARKS}(?P<label>\(?\d{{1,3}}[.)]?)(?P<shut>\*{{1,3}}|_{{1,2}})?(?:\s+|$)")
_LETTER = re.compile(
    rf"^{_MARKS}(?P<label>\((?:[a-z]|[ivxl]{{1,6}})\)|(?:[a-z]|[ivxl]{{1,6}})[.)])(?P<shut>\*{{1,3}}|_{{1,2}})?(?:\s+|$)"
)
_APPENDIX = re.compile(
    rf"^{_MARKS}(?P<label>(?:appendix|annex|schedule)\s+(?:[A-Z]|\d{{1,2}}|[IVX]{{1,4}}))(?P<mark>\s*[:.–-])?"
    r"(?P<shut>\*{1,3}|_{1,2})?(?:\s+|$)",
    re.IGNORECASE,
)
_UNIT = re.compile(r"^(?:am|pm|a\.m|p\.m|%|million|billion|metres|hours|days)\b", re.IGNORECASE)
# "1 September 2026", "10 working days": an amount or a date, where "1 September" cannot be a heading.
_COUNTED = re.compile(
    r"^(?:(?:January|February|March|April|May|June|July|August|September|October|November|December)\b(?:$|,|\s+\d{4})"
    r"|(?:working |school |calendar |clear )?(?:minutes?|hours?|days?|weeks?|months?|terms?|years?)\b)"
)


def label_of(text: str) -> Label | None:
    """The label at the start of a line, if there is one; the rest keeps its emphasis."""
    if emphasised(text):
        mark = re.match(r"[*_]+", text.strip())
        text = text.strip().strip("*_").strip() if mark else text
    for pattern, style in (
        (_APPENDIX, Style.APPENDIX),
        (_DECIMAL, Style.DECIMAL),
        (_NUMBER, Style.NUMBER),
        (_LETTER, Style.LETTER),
    ):
        found = pattern.match(text)
        if not found:
            continue
        rest = text[found.end() :].strip()
        if found["open"] and not found["shut"]:
            rest = found["open"] + rest
        if style is Style.DECIMAL and _UNIT.match(rest):
            return None
        if style is Style.NUMBER and found["label"].isdigit() and _COUNTED.match(rest):
            return None
        printed = (
            found["label"] + (found["mark"] or "").strip() if style is Style.APPENDIX else found["label"]
        )
        return counted(printed, style, _path(found["label"], style), rest)
    return None


def counted(printed: str, style: Style, path: tuple[str, ...], rest: str) -> Label:
    """A label with its path; "3.0" counts as 3: what comes below it is 3.1."""
    if style is Style.DECIMAL and len(path) == 2 and path[0].isdigit() and not path[1].strip("0"):
        return Label(printed, Style.NUMBER, path[:1], rest)
    return Label(printed, style, path, rest)


def _path(printed: str, style: Style) -> tuple[str, ...]:
    if style is Style.APPENDIX:
        return (printed.split()[-1].upper(),)
    return tuple(part for part in printed.strip("().").split("."))


def path_follows(before: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether a decimal number is the next one after `before`: its first child, or the next on any level."""
    if path == (*before, "1"):
        return True
    size = len(path)
    if not 0 < size <= len(before) or not (path[-1].isdigit() and before[size - 1].isdigit()):
        return False
    return path[:-1] == before[: size - 1] and int(path[-1]) == int(before[size - 1]) + 1


_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}


def roman_value(text: str) -> int | None:
    """The value of a small Roman number, None when it is not written as one."""
    if not text or any(letter not in _ROMAN for letter in text):
        return None
    total = 0
    for here, following in zip(text, [*text[1:], ""], strict=True):
        value = _ROMAN[here]
        total += -value if following and _ROMAN[following] > value else value
    return total if _as_roman(total) == text else None


def _as_roman(value: int) -> str:
    written = ""
    for size, letters in ((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")):
        while value >= size:
            written, value = written + letters, value - size
    return written


def letter_value(text: str) -> int | None:
    """1 for a, 26 for z; None for anything longer."""
    return ord(text) - 96 if len(text) == 1 and "a" <= text <= "z" else None


@dataclass(slots=True)
class _Sequence:
    roman: bool
    last: int
    depth: int
    indent: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a lettered clause belongs, and what is odd about that ("" if nothing)."""

    depth: int
    odd: str = ""


@dataclass(slots=True)
class Letters:
    """The open runs of letters and Roman numbers below the current numbered clause."""

    base: int = 1
    runs: list[_Sequence] = field(default_factory=list)

    def restart(self, base: int) -> None:
        """A new section or numbered clause: letters under it start at depth `base`."""
        self.base, self.runs = base, []

    def place(self, name: str, indent: int, following: str) -> Placed:
        """Decide the depth of label `name` ("i"); `following` is the next label on this indent ("" if none)."""
        values = [(False, letter_value(name)), (True, roman_value(name))]
        continued = [
            (run, roman)
            for run in reversed(self.runs)
            for roman, value in values
            if value is not None and run.roman is roman and value == run.last + 1
        ]
        straight = [(run, roman) for run, roman in continued if run.indent == indent]
        starts_roman = name == "i" and (not straight or following == "ii" or indent > straight[0][0].indent)
        if straight and not (starts_roman and following == "ii"):
            return self._continue(*straight[0], indent)
        if name == "a" or starts_roman:
            return self._start(roman=starts_roman, indent=indent)
        if continued:
            run, roman = continued[0]
            placed = self._continue(run, roman, run.indent)
            return Placed(placed.depth, "stands at another level than the run that it continues")
        return self._stray(name, indent)

    def _continue(self, run: _Sequence, roman: bool, indent: int) -> Placed:
        run.last, run.indent = run.last + 1, indent
        self.runs = self.runs[: self.runs.index(run) + 1]
        return Placed(run.depth)

    def _start(self, *, roman: bool, indent: int) -> Placed:
        odd = ""
        if not roman:
            # "a." again: a deeper run only when printed further in, otherwise the letters simply start afresh.
            outer = [run for run in self.runs if run.indent < indent]
            if len(outer) < len(self.runs):
                odd = "starts the letters again"
            self.runs = outer
        else:
            self.runs = [run for run in self.runs if not run.roman or run.indent < indent]
        depth = self.runs[-1].depth + 1 if self.runs else self.base
        self.runs.append(_Sequence(roman, 1, depth, indent))
        return Placed(depth, odd)

    def _stray(self, name: str, indent: int) -> Placed:
        """Neither a start nor a continuation: keep it beside what stands on the same indent."""
        roman = letter_value(name) is None
        beside = [run for run in self.runs if run.roman is roman] or [
            run for run in self.runs if run.indent >= indent
        ]
        value = (roman_value(name) if roman else letter_value(name)) or 1
        if beside:
            run = beside[-1]
            run.roman, run.last = roman, value
            self.runs = self.runs[: self.runs.index(run) + 1]
            return Placed(run.depth, "does not follow the label before it")
        depth = self.runs[-1].depth + 1 if self.runs else self.base
        self.runs.append(_Sequence(roman, value, depth, indent))
        return Placed(depth, "does not start at the first label")
