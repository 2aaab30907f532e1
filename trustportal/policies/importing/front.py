"""What stands before the first clause: title, header fields, version table."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from trustportal.policies.importing.fields import column_names, field_name, slug
from trustportal.policies.importing.labels import Style
from trustportal.policies.importing.lines import DATE, WEBSITE, Line, closed, heads_section, is_date, titled
from trustportal.policies.importing.marks import has_words, without_emphasis
from trustportal.policies.importing.reading import Doubt, HeaderField, Uncertain, VersionRow

CONTENTS = re.compile(r"^(?:table\s+of\s+)?contents(?:\s+page)?:?$", re.IGNORECASE)
_CHANGE_LOG = re.compile(
    r"^(?:change|version|document|revision|amendment)s?\s+(?:log|history|control|record)\b:?", re.IGNORECASE
)
_VERSION_HEAD = re.compile(r"^(?:version|revision|issue)(?:\s+(?:no|number))?\.?:?$", re.IGNORECASE)
_TITLE = re.compile(
    r"\b(?:policy|policies|procedures?|code of (?:conduct|practice)|guidance|guidelines|strategy|plan|agreement|"
    r"handbook|protocol|charter|framework|scheme|arrangements)\b",
    re.IGNORECASE,
)
_ORGANISATION = re.compile(
    r"\b(?:school|academy|academies|trust|college|federation|cic|nursery|infants?|juniors?|partnership)\b",
    re.IGNORECASE,
)

_LABELLED = re.compile(r"^(?P<label>[^\W\d_][^:|]{0,60}?:)\s*(?P<value>.*)$")
_PRODUCED = re.compile(
    r"^(?P<label>(?:produced|prepared|written|published) by:?)\s+(?P<value>\S.*)$", re.IGNORECASE
)
_POINTS = re.compile(r"(?:this|the|these|all|we|our|in|it)\b", re.IGNORECASE)
_WIDEST = 20
_LONGEST_FRONT = 60


@dataclass(slots=True)
class Front:
    """The front matter while it is read; `body_from` is the index of the first line of the body."""

    title: str = ""
    title_at: int = -1
    header: list[HeaderField] = field(default_factory=list)
    versions: list[VersionRow] = field(default_factory=list)
    uncertain: list[Uncertain] = field(default_factory=list)
    body_from: int = 0
    at: int = 0
    names: Counter[str] = field(default_factory=Counter)

    def take(self, name: str, label: str, value: str) -> str:
        """Keep a field; a second one of the same name gets a number. Returns the name that it was kept under."""
        label, value = without_emphasis(label), without_emphasis(value)
        unique = self._unique(name)
        self.header.append(HeaderField(unique, label, value, self._next()))
        return unique

    def take_row(self, columns: list[str], cells: list[str]) -> None:
        """Keep a row of the version table."""
        named: list[tuple[str, str]] = []
        for index, cell in enumerate(cells):
            name = columns[index] if index < len(columns) else f"further_{index + 1}"
            if cell or index < len(columns):
                named.append((name, without_emphasis(cell)))
        self.versions.append(VersionRow(tuple(named), self._next()))

    def take_title(self, title: str) -> None:
        """Keep the title."""
        self.title, self.title_at = without_emphasis(title), self._next()

    def doubt(self, code: Doubt, reason: str, name: str | None = None) -> None:
        """Flag something of the header."""
        self.uncertain.append(Uncertain(None, reason, code, field=name))

    def _unique(self, name: str) -> str:
        """A name that no field has: "note", then "note_2". The ending "_label" is for the labels in `to_json`."""
        stem = f"{name}_field" if name.endswith("_label") else name
        unique = stem
        while unique in self.names:
            self.names[stem] += 1
            unique = f"{stem}_{self.names[stem]}"
        self.names[unique] = 1
        return unique

    def _next(self) -> int:
        self.at += 1
        return self.at


def read_front(lines: list[Line]) -> Front:
    """Read title, header and versions from the lines before the body."""
    end = _body_start(lines)
    title_index = _title_index(lines[:end])
    if title_index is not None and end < len(lines) and not _begins_body(lines[end], lines, end):
        end = max(end, title_index + 1)
    if (
        end >= 1
        and end < len(lines)
        and not _announced(lines, end)
        and not lines[end].level
        and not CONTENTS.match(lines[end].plain)
        and _could_head(lines[end - 1])
        and title_index is not None
        and title_index < end - 1
        and not any(i < end - 1 and _same_chunk(lines, i, end - 1) for i in range(max(0, end - 3), end - 1))
    ):
        end -= 1
    front = Front(body_from=end)
    _take_lines(front, lines[:end], title_index)
    if not front.title:
        front.doubt(Doubt.TITLE, "No title was found. Type the policy's title.", "title")
    return front


def _announced(lines: list[Line], index: int) -> bool:
    """Whether the body begins with a numbered section or an appendix, so that no heading need stand before it."""
    label = lines[index].label
    return label is not None and (label.style is Style.APPENDIX or heads_section(lines, index))


def _same_chunk(lines: list[Line], first: int, last: int) -> bool:
    return not any(lines[index].blank_before for index in range(first + 1, last + 1))


def _could_head(line: Line) -> bool:
    return (
        line.cells is None
        and not line.told
        and not line.level
        and line.blank_before
        and titled(line.body)
        and not _CHANGE_LOG.match(line.plain)
        and not _ORGANISATION.search(line.plain)
        and _labelled(line) is None
    )


def _begins_body(line: Line, lines: list[Line], index: int) -> bool:
    if line.place is not None:
        return True
    if line.bullet or CONTENTS.match(line.plain):
        return True
    if line.level:
        # The first marked heading is the title where it is the largest, or names a policy.
        titles = line.label is None and (line.level == 1 or _TITLE.search(line.plain) is not None)
        return not titles or any(other.level for other in lines[:index])
    if line.label is not None:
        return (
            line.label.style is not Style.NUMBER
            or heads_section(lines, index)
            or closed(line)
            or len(line.plain.split()) > 12
        )
    if line.cells is not None or _labelled(line) is not None:
        return False
    size = len(line.plain.split())
    if size > 14:
        return True
    return size > 3 and re.search(r"(?<![.])[.?!;:]$", line.plain) is not None


def _body_start(lines: list[Line]) -> int:
    for index, line in enumerate(lines):
        if _begins_body(line, lines, index):
            return index
        if index >= _LONGEST_FRONT:
            break
    named = next((i for i, line in enumerate(lines[:_LONGEST_FRONT]) if _TITLE.search(line.plain)), 0)
    return len(lines) if len(lines) <= _LONGEST_FRONT else named + 1


def _title_index(lines: list[Line]) -> int | None:
    """The marked heading, else the first short line that names a policy, else the first that is not a field."""
    for index, line in enumerate(lines):
        if line.level == 1:
            return index
    free = [
        index
        for index, line in enumerate(lines)
        if line.cells is None
        and _labelled(line) is None
        and has_words(line.body)
        and not is_date(line.plain)
        and not WEBSITE.match(line.plain)
        and not _CHANGE_LOG.match(line.plain)
    ]
    for index in free:
        if _TITLE.search(lines[index].plain):
            return index
    named = [index for index in free if not _ORGANISATION.search(lines[index].plain)]
    return named[0] if named else (free[0] if free else None)


def _labelled(line: Line) -> tuple[str, str] | None:
    """Label and value of a line such as "Review period: yearly" outside a table."""
    if line.cells is not None or line.bullet or line.level:
        return None
    plain = line.plain
    found = _PRODUCED.match(plain) or _LABELLED.match(plain)
    if not found or found["value"].startswith("//"):
        return None
    label, value = found["label"], found["value"]
    size = len(label.split())
    if field_name(label) is not None:
        # "This policy applies to:" begins the body; "Signed by:" with nothing behind it is a field.
        fits = size <= 8 if value else size <= 5 and not _POINTS.match(label)
    else:
        sentence = value.endswith(".") and len(value.split()) > 5
        fits = bool(value) and size <= 4 and not sentence
    return (label, value) if fits and len(value.split()) <= 20 else None


def _take_lines(front: Front, lines: list[Line], title_index: int | None) -> None:
    index = 0
    while index < len(lines):
        line = lines[index]
        if index == title_index:
            front.take_title(line.body)
            index += 1
        elif line.cells is not None:
            end = index + 1
            while end < len(lines) and lines[end].cells is not None and not lines[end].blank_before:
                end += 1
            _take_table(front, lines[index:end])
            index = end
        elif (labelled := _labelled(line)) is not None:
            _take_field(front, *labelled)
            index += 1
        elif _CHANGE_LOG.match(line.plain):
            front.take("change_log", line.body, "")
            index += 1
        else:
            end = index + 1
            while (
                end < len(lines) and end != title_index and _loose(lines[end]) and not lines[end].blank_before
            ):
                end += 1
            _take_loose(front, lines[index:end])
            index = end
    logged = any(kept.name == "change_log" for kept in front.header)
    if logged and not front.versions:
        front.doubt(Doubt.EMPTY_CHANGE_LOG, "The change log has a heading but no entries.", "change_log")


def _loose(line: Line) -> bool:
    return line.cells is None and _labelled(line) is None and not _CHANGE_LOG.match(line.plain)


def _take_field(front: Front, label: str, value: str) -> None:
    name = field_name(label) or slug(label)
    if name == "dated" and front.header and front.header[-1].name.startswith("signed_by"):
        name = "signed_on"
    front.take(name, label, value)


def _take_loose(front: Front, lines: list[Line]) -> None:
    """Short lines without a label, such as the organisation's name or a motto."""
    texts = [line.body for line in lines]
    if len(texts) == 1 and (is_date(lines[0].plain) or WEBSITE.match(lines[0].plain)):
        front.take("website" if WEBSITE.match(lines[0].plain) else "dated", "", texts[0])
        return
    named = next((i for i, line in enumerate(lines) if _ORGANISATION.search(line.plain)), None)
    if named is not None and not any(kept.name == "organisation" for kept in front.header):
        front.take("organisation", "", " ".join(texts[: named + 1]))
        front.doubt(
            Doubt.HEADER,
            "Read as the organisation's name: no label is printed beside it. Please check.",
            "organisation",
        )
        texts = texts[named + 1 :]
    if texts:
        name = front.take("strapline", "", " ".join(texts))
        front.doubt(
            Doubt.HEADER,
            "This line stands near the title and has no label. It is kept here; say what it is.",
            name,
        )


def _take_table(front: Front, rows: list[Line]) -> None:
    cells = [list(row.cells or ()) for row in rows]
    first = [without_emphasis(cell) for cell in cells[0]]
    logged = bool(front.header) and front.header[-1].name == "change_log"
    if (len(cells) > 1 and _VERSION_HEAD.match(first[0])) or (
        logged and len(first) > 1 and first[0] and first[1]
    ):
        columns = column_names(first)
        front.take("version_table_columns", " | ".join(cell for cell in first if cell), "")
        for row in cells[1:]:
            front.take_row(columns, row)
        return
    heads: list[str] = []
    for row in cells:
        filled = [cell for cell in row if cell]
        if not filled:
            continue
        if (
            not row[0]
            and len(rows) > 1
            and all(len(cell.split()) <= 4 for cell in filled)
            and row is cells[0]
        ):
            heads = row
            front.take("column_headings", " | ".join(filled), "")
        else:
            _take_header_row(front, row, heads)


def _take_header_row(front: Front, row: list[str], heads: list[str]) -> None:
    """A row of the header table: label, value, and perhaps a second pair or a column headed "Date"."""
    if len(row) > _WIDEST:
        row = [*row[:_WIDEST], " ".join(row[_WIDEST:])]
    label, values = without_emphasis(row[0]), row[1:]
    if _CHANGE_LOG.match(label):
        front.take("change_log", label, " ".join(value for value in values if value))
        return
    if not label:
        for value in filter(None, values):
            _take_cell(front, value)
        return
    if _PRODUCED.match(label) or (":" in label.rstrip(":") and field_name(label) is None):
        inline = _PRODUCED.match(label) or _LABELLED.match(label)
        if inline:
            _take_field(front, inline["label"], inline["value"])
            for value in filter(None, values):
                _take_cell(front, value)
            return
    name = field_name(label) or slug(label)
    first_filled = next((i for i, value in enumerate(values) if value), None)
    if first_filled is None:
        _take_field(front, label, "")
        return
    _take_field(front, label, values[first_filled])
    for index in range(first_filled + 1, len(values)):
        value = values[index]
        head = without_emphasis(heads[index + 1]).lower() if index + 1 < len(heads) else ""
        if not value:
            continue
        if head == "date" and name.endswith("_by"):
            front.take(name.removesuffix("_by") + "_on", "", value)
        elif field_name(value) and index + 1 < len(values) and values[index + 1]:
            _take_field(front, value, values[index + 1])
            values[index + 1] = ""
        else:
            _take_cell(front, value)


def _take_cell(front: Front, value: str) -> None:
    plain = without_emphasis(value)
    name = "website" if WEBSITE.match(plain) else "dated" if DATE.fullmatch(plain) else "note"
    front.take(name, "", value)
