"""The contents page, and what all lines together say about how a policy is built."""

from __future__ import annotations

from dataclasses import dataclass

from trustportal.policies.importing.front import CONTENTS
from trustportal.policies.importing.labels import Style
from trustportal.policies.importing.lines import Line, heads_section
from trustportal.policies.importing.marks import words


def without_page(text: str) -> str:
    return text.rstrip("0123456789").rstrip(" \t.…") or text


@dataclass(frozen=True, slots=True)
class Profile:
    """How this policy is built, seen from all its lines at once."""

    numbered_sections: bool
    top_level: int

    @staticmethod
    def of(lines: list[Line]) -> Profile:
        """Look at the whole body."""
        after = _contents_end(lines)
        body = lines[after:]
        sections = [index for index in range(len(body)) if heads_section(body, index)]
        told = len(sections) >= 2 or any(_with_decimals(body, index) for index in sections)
        free = [line.level for line in lines if line.level and line.label is None]
        return Profile(numbered_sections=told, top_level=min(free, default=0))


def _with_decimals(lines: list[Line], index: int) -> bool:
    """Whether "3. Heading" is followed by 3.1."""
    label = lines[index].label
    following = lines[index + 1].label if index + 1 < len(lines) else None
    if label is None or following is None or following.style is not Style.DECIMAL:
        return False
    return following.path[0] == label.path[0]


def _contents_end(lines: list[Line]) -> int:
    for index, line in enumerate(lines[:80]):
        if CONTENTS.match(line.plain):
            return contents_until(lines, index)
    return 0


def entry_key(line: Line) -> str:
    return " ".join(words(without_page(line.plain))).casefold()


def contents_until(lines: list[Line], start: int) -> int:
    """The index of the first line after a contents page that begins at `start`."""
    seen: set[str] = set()
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if index > start + 1 and (line.level or len(line.plain.split()) > 25):
            return index
        key = entry_key(line)
        if line.blank_before and key in seen:
            return index
        if key:
            seen.add(key)
            label = line.label
            if label is not None and label.rest:
                seen.add(" ".join(words(without_page(label.rest))).casefold())
    return len(lines)
