"""Lines of a text with what can be seen of each: indent, bullet, heading mark, cells, label, blank lines around."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing.labels import Label, Style, label_of
from trustportal.policies.importing.marks import GLYPHS, emphasised, has_words, without_emphasis


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line belongs, when the file says it: it begins a clause of this kind and depth, or goes on with one."""

    kind: Kind
    depth: int
    begins: bool
    heads: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says something. `body` has no bullet and no heading mark; `cells` is None outside tables.

    `told`: the file itself says what is a heading and what is not, so its shape tells nothing more.
    `top`: it is in the first of the file's own heading styles.
    """

    body: str
    indent: int = 0
    bullet: str = ""
    level: int = 0
    cells: tuple[str, ...] | None = None
    ruled: bool = False
    blank_before: bool = True
    blank_after: bool = True
    label: Label | None = None
    told: bool = False
    top: bool = False
    place: Place | None = None

    @property
    def plain(self) -> str:
        """The line without emphasis."""
        return without_emphasis(self.body)


_RULE = re.compile(rf"^[\s|:=_*+#{GLYPHS}-]*$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+")
_BULLET = re.compile(
    rf"^(?P<indent>\s*)(?P<mark>[-*+–—]|[{GLYPHS}])(?:\s+|(?<=[{GLYPHS}]))(?P<second>[{GLYPHS}]\s*)?"
)
_TABBED_LABEL = re.compile(
    rf"^(\s*(?:[-*+–—{GLYPHS}]|\(?\w{{1,4}}[.)]|(?:[A-Z]|\d{{1,3}})(?:\.\d{{1,3}})*[.)]?))\t+(?=[^\t])"
)
_BOLD_OPEN = re.compile(r"^\s*\*\*[^*]+$")


def lines_of(text: str) -> list[Line]:
    """All lines with words or tick boxes, in order. A bold heading over two lines becomes one."""
    raw = _joined_bold(text.split("\n"))
    found: list[Line] = []
    blank = True
    for text_line in raw:
        if not text_line.strip() or _RULE.match(text_line):
            if found and text_line.strip() and found[-1].cells is not None:
                found[-1] = replace(found[-1], ruled=True)
                continue
            if found and not blank:
                found[-1] = replace(found[-1], blank_after=True)
            blank = True
            continue
        line = _line(text_line, in_table=not blank and bool(found) and found[-1].cells is not None)
        found.append(replace(line, blank_before=blank, blank_after=False))
        blank = False
    if found:
        found[-1] = replace(found[-1], blank_after=True)
    return found


def _joined_bold(raw: list[str]) -> list[str]:
    joined: list[str] = []
    skip = False
    for index, text_line in enumerate(raw):
        if skip:
            skip = False
            continue
        following = raw[index + 1].strip() if index + 1 < len(raw) else ""
        if (
            _BOLD_OPEN.match(text_line)
            and following.endswith("**")
            and following.count("*") == 2
            and "\t" not in text_line + following
        ):
            joined.append(f"{text_line.strip()} {following}")
            skip = True
        else:
            joined.append(text_line)
    return joined


def _line(text_line: str, *, in_table: bool) -> Line:
    heading = _HEADING.match(text_line)
    if heading and has_words(text_line):
        body = " ".join(text_line[heading.end() :].rstrip("# \t").split())
        return Line(body, level=len(heading[1]), label=label_of(body))
    if not in_table:
        text_line = _TABBED_LABEL.sub(r"\1 ", text_line)
    cells = _cells(text_line)
    if cells is not None:
        return Line(" ".join(cell for cell in cells if cell), cells=cells)
    text_line = text_line.replace("\t", "    ")
    bullet = _BULLET.match(text_line)
    if bullet and text_line[bullet.end() :].strip():
        body = text_line[bullet.end() :].strip()
        mark = (bullet["second"] or bullet["mark"]).strip()
        return Line(body, indent=len(bullet["indent"]), bullet=mark, label=label_of(body))
    body = text_line.strip()
    return Line(body, indent=len(text_line) - len(text_line.lstrip()), label=label_of(body))


def _cells(text_line: str) -> tuple[str, ...] | None:
    stripped = text_line.strip()
    if len(stripped) > 2 and stripped[0] == stripped[-1] == "|":
        return tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", stripped[1:-1]))
    if "\t" not in text_line:
        return None
    lead = text_line.lstrip("\t")
    if "\t" not in lead and (_BULLET.match(lead) or label_of(lead)):
        return None
    return tuple(cell.strip() for cell in text_line.split("\t"))


_CLOSED = re.compile(r"[.,;:!…]$")
_FINITE = re.compile(
    r"\b(?:is|are|was|were|will|must|should|shall|may|can|has|have|does|do|cannot|includes?|applies|apply|requires?)\b"
)
_SENTENCE_START = re.compile(r"^[\W_]*[A-Z0-9]")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = re.compile(
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?(?:{_MONTHS}),?\s*(?:19|20)\d\d|\d{{1,2}}[./-]\d{{1,2}}[./-](?:\d\d){{1,2}}",
    re.IGNORECASE,
)
CODE = re.compile(r"^[^\s/:]+(?:/[^/]+){3,}$")
WEBSITE = re.compile(r"^(?:https?://|www\.)\S+$", re.IGNORECASE)
PAGE_NUMBER = re.compile(
    r"^(?:page\s+)?[-–]?\s*\d{1,3}\s*[-–]?(?:\s*(?:of|/)\s*\d{1,3})?$|^\d{1,3}\s*\|\s*page$", re.IGNORECASE
)


def is_date(text: str) -> bool:
    """Whether the text is a date and nothing else."""
    return DATE.fullmatch(text.strip()) is not None


def titled(text: str) -> bool:
    """Whether the text could be a heading: short, begins with a capital, no full stop, not a sentence."""
    plain = without_emphasis(text)
    size = len(plain.split())
    if not 1 <= size <= 14 or len(plain) > 140 or _CLOSED.search(plain) or not _SENTENCE_START.match(plain):
        return False
    if is_date(plain) or WEBSITE.match(plain) or CODE.match(plain) or PAGE_NUMBER.match(plain):
        return False
    if not re.search(r"[^\W\d_]", plain):
        return False
    return size <= 6 or plain.endswith("?") or not _FINITE.search(plain)


def capitals(text: str) -> bool:
    """Whether all letters are capitals, and there are enough of them to mean it."""
    letters = [character for character in without_emphasis(text) if character.isalpha()]
    return len(letters) > 3 and all(character.isupper() for character in letters)


def stands_out(line: Line) -> bool:
    """Whether a line without label looks like a heading by itself: marked, bold, in capitals, or short and alone."""
    if line.level or line.told:
        return line.level > 0
    if line.bullet or line.cells is not None or not titled(line.body):
        return False
    if line.blank_before and (capitals(line.body) or emphasised(line.body)):
        return True
    return line.blank_before and line.blank_after


def is_section_number(line: Line) -> bool:
    """Whether a line is a numbered section heading such as "3. Aims" or "3 AIMS"."""
    label = line.label
    if line.top:
        return label is not None and label.style in (Style.NUMBER, Style.LETTER) and bool(label.rest)
    if (
        label is None
        or label.style is not Style.NUMBER
        or line.bullet
        or not label.rest
        or not titled(label.rest)
    ):
        return False
    if line.level or line.told:
        return line.level > 0
    if emphasised(line.body) or capitals(label.rest):
        return line.blank_before
    return line.blank_before and line.blank_after


def heads_section(lines: Sequence[Line], index: int) -> bool:
    """Whether a line is a section heading by itself, or because its own 3.1 or a. follows at once."""
    line = lines[index]
    if is_section_number(line):
        return True
    label = line.label
    if label is None or label.style is not Style.NUMBER or line.bullet or not titled(label.rest):
        return False
    following = lines[index + 1].label if index + 1 < len(lines) else None
    if following is None:
        return False
    if following.style is Style.DECIMAL:
        return following.path[0] == label.path[0]
    return following.style is Style.LETTER and following.path[0] in ("a", "i")


def closed(line: Line) -> bool:
    """Whether a line ends where a sentence or a list entry may end."""
    return _CLOSED.search(line.plain) is not None and not line.plain.endswith(",")
