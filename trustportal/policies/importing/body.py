"""Lines of the body -> clauses in reading order. Every line goes to exactly one place, in the order printed."""

from __future__ import annotations

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing.contents import Profile, contents_until, entry_key, without_page
from trustportal.policies.importing.drafts import Draft
from trustportal.policies.importing.front import CONTENTS
from trustportal.policies.importing.labels import Label, Letters, Style, label_of, path_follows
from trustportal.policies.importing.lines import (
    CODE,
    PAGE_NUMBER,
    Line,
    Place,
    capitals,
    closed,
    heads_section,
    stands_out,
    titled,
)
from trustportal.policies.importing.marks import table_text, without_emphasis, words
from trustportal.policies.importing.reading import Doubt


def _short_alone(line: Line) -> bool:
    return line.cells is None and not line.bullet and (line.level > 0 or titled(line.body))


class BodyReader:
    """Reads lines one after the other into `drafts`."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.profile = Profile.of(lines)
        self.drafts: list[Draft] = []
        self.letters = Letters()
        self.section = 0
        self.path: tuple[str, ...] = ()
        self.paragraph_number = 0
        self.sectioned = self.divided = self.contents_read = False
        self.in_appendix = False
        self.listed: dict[tuple[str, ...], str] = {}

    def read(self) -> list[Draft]:
        """All clauses."""
        index = 0
        while index < len(self.lines):
            index = self._step(index)
        self._settle_subheadings()
        return self.drafts

    def _step(self, index: int) -> int:
        line = self.lines[index]
        if line.place is not None:
            return self._placed(index, line, line.place)
        if CONTENTS.match(line.plain) and not self.sectioned and not self.contents_read:
            return self._contents(index)
        if line.cells is not None:
            return self._table(index)
        label = line.label
        if label is not None and self._accepts(line, label, index):
            taken = self._labelled(index, line, label)
            if taken:
                return taken
        if line.bullet:
            self._open().entry(f"- {line.body}", line.bullet, line.indent)
            return index + 1
        if self._continues(line):
            self.drafts[-1].continued(line.body)
            return index + 1
        if self._heads(index):
            self._heading(index, line)
            return index + 1
        self._paragraph(line)
        return index + 1

    def _placed(self, index: int, line: Line, place: Place) -> int:
        """A line of a file that says where each of its lines belongs."""
        if place.begins:
            heading, text = (line.plain, "") if place.heads else ("", line.body)
            self._add(
                Draft(label=place.label, heading=heading, text=text, depth=place.depth, kind=place.kind)
            )
        elif line.cells is not None:
            return self._table(index)
        elif line.bullet:
            self._open().entry(
                f"- {line.body}" if line.bullet == "-" else line.body, line.bullet, line.indent
            )
        elif line.blank_before:
            self._open().paragraph(line.body)
        else:
            self._open().continued(line.body)
        return index + 1

    def _open(self) -> Draft:
        if not self.drafts:
            self.drafts.append(Draft())
        return self.drafts[-1]

    def _add(self, draft: Draft) -> Draft:
        self.drafts.append(draft)
        self.divided = self.divided or (draft.kind is not Kind.CLAUSE and not draft.contents)
        self.sectioned = self.sectioned or (
            draft.kind in (Kind.SECTION, Kind.APPENDIX) and not draft.contents
        )
        return draft

    # Contents and tables

    def _contents(self, index: int) -> int:
        end = contents_until(self.lines, index)
        draft = self._add(Draft(heading=self.lines[index].plain, kind=Kind.SECTION, contents=True))
        self.contents_read = True
        path: tuple[str, ...] = ()
        for line in self.lines[index + 1 : end]:
            text = " ".join(cell for cell in line.cells if cell) if line.cells is not None else line.body
            mark = "- " if line.bullet else ""
            if line.blank_before:
                draft.paragraph(mark + text)
            else:
                draft.continued(mark + text)
            label = line.label or label_of(text)
            if label is not None:
                path = label.path
                self.listed[path] = " ".join(words(without_page(label.rest))).casefold()
            elif path and not line.blank_before:
                self.listed[path] += f" {entry_key(line)}"
        return end

    def _table(self, index: int) -> int:
        end = index + 1
        while (
            end < len(self.lines) and self.lines[end].cells is not None and not self.lines[end].blank_before
        ):
            end += 1
        rows = [line.cells or () for line in self.lines[index:end]]
        # A table does not end the list or paragraph before it for good: what follows is a paragraph again.
        draft = self._open()
        if draft.contents:
            draft = self._add(Draft(depth=0))
        draft.paragraph(table_text(rows, headed=self.lines[index].ruled))
        return end

    # Labels

    def _accepts(self, line: Line, label: Label, index: int) -> bool:
        """Whether a label at the start of a line is one: a wrapped sentence may begin with "5.4 of this policy"."""
        if line.level or line.bullet or line.blank_before or line.told or index == 0:
            return True
        if label.style is Style.APPENDIX:
            return titled(line.body) and closed(self.lines[index - 1])
        before = self.lines[index - 1]
        ends = closed(before) or before.level > 0 or PAGE_NUMBER.match(before.plain) is not None
        if label.style is Style.DECIMAL:
            begins = not label.rest[:1].islower()
            return begins and (
                ends or path_follows(self.path, label.path) or path_follows((str(self.section),), label.path)
            )
        if label.style is Style.NUMBER:
            alike = before.label is not None and before.label.style is Style.NUMBER
            goes_on = before.label is not None and label.path[0] == str(self.paragraph_number + 1)
            return alike or goes_on or heads_section(self.lines, index) or ends or bool(before.bullet)
        return label.path[0] in ("a", "i") or bool(self.letters.runs)

    def _labelled(self, index: int, line: Line, label: Label) -> int:
        """Take a labelled line; 0 when its label turns out to be part of the text."""
        if label.style is Style.APPENDIX:
            return self._appendix(index, line, label)
        if label.style is Style.DECIMAL:
            return self._decimal(index, label)
        if line.top and label.rest:
            self._section(label, int(label.path[0]) if label.path[0].isdigit() else self.section + 1)
            return index + 1
        if label.style is Style.NUMBER:
            return self._number(index, line, label)
        return self._letter(index, line, label)

    def _appendix(self, index: int, line: Line, label: Label) -> int:
        if not (line.level or (line.blank_before and (not label.rest or titled(label.rest)))):
            return 0
        draft = self._add(
            Draft(
                label=label.printed,
                heading=without_emphasis(label.rest),
                kind=Kind.APPENDIX,
                style=label.style,
            )
        )
        draft.path = label.path
        self.in_appendix = True
        self.letters.restart(1)
        following = self.lines[index + 1] if index + 1 < len(self.lines) else None
        if label.rest or following is None or following.label is not None or not _short_alone(following):
            return index + 1
        expected = self.listed.get(label.path)
        if expected and " ".join(words(following.plain)).casefold() != expected:
            after = self.lines[index + 2] if index + 2 < len(self.lines) else None
            if after is not None and " ".join(words(after.plain)).casefold() == expected:
                draft.paragraph(following.body)
                draft.doubts.append(
                    (
                        Doubt.HEADING,
                        "The heading that the contents page gives this appendix is printed further down. Type it here.",
                    )
                )
                return index + 2
        draft.heading = following.plain
        return index + 2

    def _decimal(self, index: int, label: Label) -> int:
        depth = len(label.path) - 1
        heads = self._heads_children(index, label)
        draft = self._add(
            Draft(
                label=label.printed,
                heading=without_emphasis(label.rest) if heads else "",
                text="" if heads else label.rest,
                depth=depth,
                style=label.style,
                path=label.path,
            )
        )
        if not self.sectioned:
            draft.depth = max(0, depth - 1)
        self.path = label.path
        self.letters.restart(draft.depth + 1)
        return index + 1

    def _heads_children(self, index: int, label: Label) -> bool:
        """Whether "A.1 Title" is a heading: short, and A.1.1 or an unlabelled paragraph follows."""
        line = self.lines[index]
        if not label.rest or not titled(label.rest) or (not line.blank_before and not line.level):
            return False
        if line.level or capitals(label.rest):
            return True
        following = self.lines[index + 1] if index + 1 < len(self.lines) else None
        if following is None or not line.blank_after or following.level:
            return False
        if following.label is None:
            return not following.bullet and following.cells is None and len(following.plain.split()) > 6
        return following.label.style is Style.DECIMAL and following.label.path[:-1] == label.path

    def _number(self, index: int, line: Line, label: Label) -> int:
        number = int(label.path[0])
        if self.profile.numbered_sections:
            expected = self.section < number <= self.section + 3 or line.level > 0 or capitals(label.rest)
            if heads_section(self.lines, index) and expected and not (self.in_appendix and not line.level):
                self._section(label, number)
                return index + 1
            if (
                number == self.section + 1
                and line.blank_before
                and line.blank_after
                and not line.bullet
                and (line.level or not line.told)
                and label.rest
            ):
                self._section(label, number, text=True)
                return index + 1
        elif not line.bullet and label.rest and (number > self.paragraph_number or number == 1):
            if self._open_list_expects(number):
                return self._listed_number(index, line, label)
            self._numbered_paragraph(label, number)
            return index + 1
        if not label.rest or (not line.bullet and not self.drafts):
            return 0
        return self._listed_number(index, line, label)

    def _numbered_paragraph(self, label: Label, number: int) -> None:
        """A paragraph numbered through the whole policy, under headings without numbers."""
        depth = int(self.divided)
        draft = self._add(
            Draft(label=label.printed, text=label.rest, depth=depth, style=label.style, path=label.path)
        )
        if number not in (1, self.paragraph_number + 1):
            reason = f"“{label.printed}” does not follow the number before it."
            draft.doubts.append((Doubt.NUMBER_ORDER, reason))
        self.paragraph_number = number
        self.letters.restart(depth + 1)

    def _open_list_expects(self, number: int) -> bool:
        if not self.drafts or self.paragraph_number == 0:
            return False
        return number == 1 and self.drafts[-1].introduces

    def _listed_number(self, index: int, line: Line, label: Label) -> int:
        """A numbered list inside a clause stays a list in its text."""
        self._open().entry(line.body, "1.", line.indent)
        return index + 1

    def _section(self, label: Label, number: int, *, text: bool = False) -> None:
        draft = Draft(label=label.printed, kind=Kind.SECTION, style=label.style, path=label.path)
        if text:
            draft.kind = Kind.CLAUSE
            draft.paragraph(label.rest)
        else:
            draft.heading = without_emphasis(label.rest)
        self._add(draft)
        self.section, self.in_appendix = number, False
        self.letters.restart(1)

    def _letter(self, index: int, line: Line, label: Label) -> int:
        if not label.rest:
            return 0
        previous = self.drafts[-1] if self.drafts else None
        if not self.letters.runs:
            if previous is None:
                self.letters.restart(0)
            elif previous.kind is Kind.CLAUSE and previous.style is None:
                self.letters.restart(previous.depth + int(previous.introduces))
        following = next(
            (
                other.label.path[0]
                for other in self.lines[index + 1 : index + 60]
                if other.label is not None
                and other.label.style is Style.LETTER
                and other.indent == line.indent
            ),
            "",
        )
        placed = self.letters.place(label.path[0], line.indent, following)
        draft = self._add(
            Draft(
                label=label.printed,
                heading=without_emphasis(label.rest) if line.level else "",
                text="" if line.level else label.rest,
                depth=placed.depth,
                style=label.style,
                path=label.path,
            )
        )
        if placed.odd:
            draft.doubts.append(
                (Doubt.NESTING, f"“{label.printed}” {placed.odd}. Check its place and level.")
            )
        return index + 1

    # Lines without a label

    def _continues(self, line: Line) -> bool:
        if line.blank_before or not self.drafts or line.level:
            return False
        return self.drafts[-1].filled and not (capitals(line.body) and titled(line.body))

    def _heads(self, index: int) -> bool:
        line = self.lines[index]
        if not stands_out(line) or PAGE_NUMBER.match(line.plain) or CODE.match(line.plain):
            return False
        if line.level or capitals(line.body):
            return True
        following = self.lines[index + 1] if index + 1 < len(self.lines) else None
        if following is None:
            return False
        starts_lower = following.label is None and not following.bullet and following.plain[:1].islower()
        return not starts_lower

    def _heading(self, index: int, line: Line) -> None:
        kind, guessed = self._rank(index, line)
        depth = 0 if kind is Kind.SECTION else 1
        self._add(Draft(heading=line.plain, kind=kind, depth=depth, guessed=guessed and not line.level))
        if kind is Kind.SECTION:
            self.letters.restart(1)

    def _rank(self, index: int, line: Line) -> tuple[Kind, bool]:
        """Section or sub-heading, and whether that is a guess."""
        if line.top or not self.sectioned:
            return Kind.SECTION, not line.top
        if self.in_appendix or self.profile.numbered_sections:
            return Kind.SUBHEADING, not capitals(line.body)
        if line.level and self.profile.top_level:
            return (Kind.SECTION if line.level <= self.profile.top_level else Kind.SUBHEADING), False
        previous = self.drafts[-1]
        introduced = previous.kind is Kind.CLAUSE and previous.introduces
        beside = previous.kind is Kind.SUBHEADING and previous.only_listed and len(line.plain.split()) <= 3
        followed_by_list = index + 1 < len(self.lines) and bool(self.lines[index + 1].bullet)
        if followed_by_list and (introduced or beside):
            return Kind.SUBHEADING, True
        return Kind.SECTION, True

    def _paragraph(self, line: Line) -> None:
        previous = self.drafts[-1] if self.drafts else None
        if previous is not None and (
            (previous.style is not None and previous.kind is Kind.CLAUSE and not previous.heading)
            or (previous.filled and self._furniture_like(line))
        ):
            previous.paragraph(line.body)
            return
        under_heading = previous is not None and previous.style is Style.DECIMAL and bool(previous.heading)
        depth = previous.depth + 1 if previous is not None and under_heading else int(self.divided)
        self._add(Draft(text=line.body, depth=depth))
        if previous is None or previous.style is not Style.LETTER:
            self.letters.restart(depth)

    @staticmethod
    def _furniture_like(line: Line) -> bool:
        return bool(PAGE_NUMBER.match(line.plain) or CODE.match(line.plain))

    def _settle_subheadings(self) -> None:
        """A sub-heading between deeper clauses stands on their level: it must not part them from their parent."""
        following = 1
        for index in range(len(self.drafts) - 1, -1, -1):
            draft = self.drafts[index]
            if draft.kind is not Kind.SUBHEADING:
                following = draft.depth if draft.kind is Kind.CLAUSE else 1
                continue
            before = next(
                (d for d in reversed(self.drafts[max(0, index - 40) : index]) if d.depth <= following), None
            )
            if (
                following > 1
                and before is not None
                and before.depth == following
                and before.kind is Kind.CLAUSE
            ):
                draft.depth = following
