"""Automatic numbers of a Word file, as they are printed: levels, formats, restarts, numbers that a style brings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree  # type: ignore[import-untyped]

from trustportal.policies.importing.blocks import Mark
from trustportal.policies.importing.word.package import attribute, w

__all__ = ["Numbering", "letters", "roman"]

_SLOT = re.compile(r"%([1-9])")
_DEEPEST = 9


@dataclass(slots=True)
class _Level:
    start: int = 1
    format: str = "decimal"
    text: str = ""
    restart: int | None = None
    legal: bool = False
    style: str | None = None


@dataclass(slots=True)
class _List:
    levels: dict[int, _Level] = field(default_factory=dict)
    style_link: str | None = None
    num_style_link: str | None = None


@dataclass(slots=True)
class _Num:
    abstract: str
    starts: dict[int, int] = field(default_factory=dict)
    levels: dict[int, _Level] = field(default_factory=dict)


class Numbering:
    """Counts as the paragraphs come. Lists with the same definition count on, unless their list starts afresh."""

    def __init__(self, root: etree._Element | None) -> None:
        self._lists: dict[str, _List] = {}
        self._nums: dict[str, _Num] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[tuple[str, int]] = set()
        if root is None:
            return
        for one in root.iterchildren(w("abstractNum")):
            made = _List(
                style_link=attribute(one.find(w("styleLink"))),
                num_style_link=attribute(one.find(w("numStyleLink"))),
            )
            for level in one.iterchildren(w("lvl")):
                made.levels[_number(attribute(level, "ilvl"))] = _level(level)
            self._lists[attribute(one, "abstractNumId") or ""] = made
        for num in root.iterchildren(w("num")):
            numbered = _Num(attribute(num.find(w("abstractNumId"))) or "")
            for override in num.iterchildren(w("lvlOverride")):
                at = _number(attribute(override, "ilvl"))
                start = attribute(override.find(w("startOverride")))
                if start is not None:
                    numbered.starts[at] = _number(start)
                own = override.find(w("lvl"))
                if own is not None:
                    numbered.levels[at] = _level(own)
            self._nums[attribute(num, "numId") or ""] = numbered

    def level_of_style(self, num_id: str, style: str) -> int | None:
        """The level that a list keeps for paragraphs of a style."""
        levels = self._levels(num_id)
        return next((at for at, level in levels.items() if level.style == style), None)

    def _levels(self, num_id: str) -> dict[int, _Level]:
        num = self._nums.get(num_id)
        if num is None:
            return {}
        found = self._definition(num.abstract)
        return {**found.levels, **num.levels} if found else num.levels

    def _definition(self, abstract: str) -> _List | None:
        found = self._lists.get(abstract)
        if found is None or found.levels or found.num_style_link is None:
            return found
        # The levels stand in the list that the named style made.
        return next(
            (one for one in self._lists.values() if one.style_link == found.num_style_link and one.levels),
            found,
        )

    def next(self, num_id: str, level: int) -> Mark | None:
        """Count one paragraph; None when the list is not defined, or its level prints nothing."""
        num = self._nums.get(num_id)
        levels = self._levels(num_id)
        own = levels.get(level)
        if num is None or own is None:
            return None
        if own.format == "bullet":
            return Mark("", "bullet", (), num_id, level)
        counts = self._counts.setdefault(num.abstract, {})
        if level in num.starts and (num_id, level) not in self._begun:
            counts[level] = num.starts[level]
        else:
            counts[level] = counts[level] + 1 if level in counts else own.start
        self._begun.add((num_id, level))
        for above in range(level):
            counts.setdefault(above, levels[above].start if above in levels else 1)
        for below in range(level + 1, _DEEPEST):
            restart = levels[below].restart if below in levels else None
            # 0: never; n: only after level n, counted from 1.
            if restart is None or (restart > 0 and level < restart):
                counts.pop(below, None)

        def value(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            shown = "decimal" if own.legal else levels[at].format if at in levels else "decimal"
            return _written(counts.get(at, 1), shown)

        printed = _SLOT.sub(value, own.text).strip()
        if own.format == "none" and not printed:
            return None
        path = tuple(counts.get(at, 1) for at in range(level + 1))
        return Mark(printed, own.format, path, num.abstract, level)


def _number(value: str | None) -> int:
    return int(value) if value and re.fullmatch(r"-?\d{1,9}", value) else 0


def _level(element: etree._Element) -> _Level:
    start = attribute(element.find(w("start")))
    restart = attribute(element.find(w("lvlRestart")))
    legal = element.find(w("isLgl"))
    return _Level(
        start=_number(start) if start is not None else 0,
        format=attribute(element.find(w("numFmt"))) or "decimal",
        text=attribute(element.find(w("lvlText"))) or "",
        restart=_number(restart) if restart is not None else None,
        legal=legal is not None and attribute(legal) not in ("0", "false"),
        style=attribute(element.find(w("pStyle"))),
    )


def letters(value: int) -> str:
    """1 -> a, 26 -> z, 27 -> aa, 28 -> bb: as Word counts."""
    if not 1 <= value <= 780:
        return str(value)
    times, at = divmod(value - 1, 26)
    return chr(ord("a") + at) * (times + 1)


def roman(value: int) -> str:
    """4 -> iv; plain digits outside 1 to 3999."""
    if not 1 <= value < 4000:
        return str(value)
    written = ""
    for size, sign in (
        *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
        *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
    ):
        while value >= size:
            written, value = written + sign, value - size
    return written


def _written(value: int, shape: str) -> str:
    if shape == "lowerLetter":
        return letters(value)
    if shape == "upperLetter":
        return letters(value).upper()
    if shape == "lowerRoman":
        return roman(value)
    if shape == "upperRoman":
        return roman(value).upper()
    if shape == "decimalZero":
        return f"{value:02}"
    return "" if shape in ("none", "bullet") else str(value)
