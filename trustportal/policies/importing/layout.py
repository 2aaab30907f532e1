"""Paragraphs and tables of a file -> lines that the reader of policies understands, headings and labels told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing.blocks import Mark, Paragraph, Story, Table
from trustportal.policies.importing.labels import Label, Style, counted, label_of, letter_value, roman_value
from trustportal.policies.importing.lines import Line, Place, titled
from trustportal.policies.importing.marks import has_words, without_emphasis

__all__ = ["OURS", "lines_of_story"]

#: Why the portal's own version table and change log are not read back.
OURS = "what the portal prints about a policy: it makes it anew"
_OWN = re.compile(r"policy (?P<what>clause|text|list|subheading|appendix|about)(?: (?P<depth>[1-6]))?$")
_CONTROL = re.compile(
    r"\b(?:(?:document|version|change|revision|amendment|policy)s? (?:control|history|log|record|details|information)|"
    r"contents)\b",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"\b(?:policy|policies|procedures?|code of (?:conduct|practice)|guidance|strategy|plan|handbook|protocol|charter|"
    r"framework|scheme|arrangements)\b",
    re.IGNORECASE,
)
_APPENDIX = re.compile(r"^(?:appendix|annex|schedule)\b", re.IGNORECASE)
_FIRST_PART = 40
#: Words. Some files set whole numbered sentences in a heading style, to have them counted: those are clauses.
_LONGEST_HEADING = 20
_TITLE_LEVEL, _TOP, _LOWEST = 1, 2, 6


def lines_of_story(story: Story) -> list[Line]:
    """The lines of a Word file. What the portal wrote about the policy itself is moved to `story.left_out`."""
    if any(isinstance(one, Paragraph) and _OWN.match(one.style) for one in story.blocks):
        return _own_lines(story)
    levels = _levels(story.blocks)
    told = any(level > _TITLE_LEVEL for level in levels.values())
    sections = {
        block.mark.list_id
        for block in story.blocks
        if isinstance(block, Paragraph) and block.mark is not None and id(block) in levels
    }
    lines: list[Line] = []
    for block in story.blocks:
        if isinstance(block, Table):
            lines += _table(block)
        else:
            lines += _paragraph(block, levels.get(id(block), 0), sections)
    # Where nothing looks like a heading, short lines that stand alone are looked at as in plain text.
    return lines if told else [replace(line, told=False) for line in lines]


# -- headings ----------------------------------------------------------------------------------------------------


def _levels(blocks: Sequence[Paragraph | Table]) -> dict[int, int]:
    """The level of each heading, by the paragraph's identity: 1 for the title, 2 for sections, up to 6."""
    paragraphs = [one for one in blocks if isinstance(one, Paragraph)]
    usual = _usual_size(paragraphs)
    styled = {id(one): one.level for one in paragraphs if one.level and not one.titles}
    fakes = {id(one): one for one in paragraphs if id(one) not in styled and _stands_out(one, usual)}
    title = _title(blocks, paragraphs, styled, fakes, usual)
    found: dict[int, int] = {}
    if title is not None:
        styled.pop(id(title), None)
        fakes.pop(id(title), None)
        found[id(title)] = _TITLE_LEVEL
    for one in _control_headings(blocks):
        styled.pop(id(one), None)
        fakes.pop(id(one), None)
    ranks = sorted(set(styled.values()))
    for key, level in styled.items():
        found[key] = min(_TOP + ranks.index(level), _LOWEST)
    looks = sorted({_weight(one) for one in fakes.values()}, reverse=True)
    for key, one in fakes.items():
        # Below real headings, a line made bold by hand is a sub-heading; without any, the largest are the sections.
        rank = len(ranks) + looks.index(_weight(one))
        if _APPENDIX.match(one.plain):
            rank = 0
        found[key] = min(_TOP + rank, _LOWEST)
    return found


def _usual_size(paragraphs: Sequence[Paragraph]) -> int:
    sizes: Counter[int] = Counter()
    for one in paragraphs:
        sizes[one.size] += len(one.plain)
    return sizes.most_common(1)[0][0] if sizes else 20


def _stands_out(one: Paragraph, usual: int) -> bool:
    """Whether a paragraph in no heading style is a heading all the same: short, and bold, larger or in capitals."""
    if one.boxed or one.contents or (one.mark is not None and one.mark.bullet) or len(one.lines) > 2:
        return False
    label = label_of(one.plain)
    words = label.rest if label is not None else one.plain
    if not titled(words) and not (_APPENDIX.match(one.plain) and len(words.split()) <= 14):
        return False
    if ":" in words.rstrip(":") or len(words) > 120:
        return False
    capitals = one.caps and sum(character.isalpha() for character in words) > 3
    return one.bold or one.size >= usual + 3 or capitals


def _weight(one: Paragraph) -> tuple[int, bool]:
    return one.size, one.caps or one.mark is not None


def _title(
    blocks: Sequence[Paragraph | Table],
    paragraphs: Sequence[Paragraph],
    styled: dict[int, int],
    fakes: dict[int, Paragraph],
    usual: int,
) -> Paragraph | None:
    """The title: in its own style, else the largest line before the first heading, else a heading that names it."""
    for one in paragraphs[:_FIRST_PART]:
        if one.titles:
            return one
    first = next((at for at, one in enumerate(paragraphs) if id(one) in styled), None)
    before = [
        one
        for one in paragraphs[: first if first is not None else _FIRST_PART]
        if one.mark is None and label_of(one.plain) is None and len(one.plain.split()) <= 20
    ]
    if first is None:
        # Only what comes before the text itself.
        long = next((at for at, one in enumerate(paragraphs) if len(one.plain.split()) > 20), len(paragraphs))
        before = [one for one in before if one in paragraphs[:long]]
    larger = [one for one in before if one.size >= usual + 4 or (one.size > usual and one.bold)]
    if larger:
        largest = max(one.size for one in larger)
        named = [one for one in larger if _POLICY.search(one.plain)]
        return named[0] if named else next(one for one in larger if one.size == largest)
    if first is not None:
        head = paragraphs[first]
        same = [one for one in paragraphs if styled.get(id(one)) == styled[id(head)]]
        named_here = _POLICY.search(head.plain) and head.mark is None and label_of(head.plain) is None
        named_before = any(_POLICY.search(one.plain) for one in before)
        text_before = any(len(one.plain.split()) > 20 for one in paragraphs[:first])
        if (
            not text_before
            and head.mark is None
            and (
                (len(same) == 1 and len(styled) > 1 and styled[id(head)] == min(styled.values()))
                or (named_here and not named_before)
            )
        ):
            return head
    named = [one for one in before if _POLICY.search(one.plain) and id(one) in fakes]
    return named[0] if named else None


def _control_headings(blocks: Sequence[Paragraph | Table]) -> list[Paragraph]:
    """Headings over a header or version table before the text begins: they head no section."""
    found: list[Paragraph] = []
    for at, block in enumerate(blocks[:-1]):
        if not isinstance(block, Paragraph):
            continue
        if len(block.plain.split()) > 25:
            break
        if (
            _CONTROL.search(block.plain)
            and len(block.plain.split()) <= 5
            and isinstance(blocks[at + 1], Table)
        ):
            found.append(block)
    return found


# -- lines -------------------------------------------------------------------------------------------------------


def _paragraph(one: Paragraph, level: int, sections: set[str]) -> list[Line]:
    if level:
        body = " ".join(without_emphasis(line) for line in one.lines)
        mark = None if one.mark is None or one.mark.bullet else one.mark
        label = label_of(body) if mark is None else _label(mark, body)
        shown = f"{label.printed} {label.rest}".strip() if mark is not None and label is not None else body
        top = level == _TOP and one.level > 0 and len(body.split()) <= _LONGEST_HEADING
        return [Line(shown, level=level, label=label, told=True, top=top)]
    first, *others = [_one_line(line) for line in one.lines]
    if one.mark is not None and one.mark.bullet:
        line = Line(first, indent=one.indent or 2 * one.mark.level, bullet="-", told=True)
    elif one.mark is not None:
        label = _label(one.mark, first)
        # A list of its own beside the numbers of the sections stays a list in the clause's text.
        listed = label.style is Style.NUMBER and bool(sections) and one.mark.list_id not in sections
        line = Line(
            f"{label.printed} {first}".strip(),
            indent=4 * one.mark.level,
            bullet="1." if listed else "",
            label=label,
            told=True,
        )
    elif (cells := _tabbed(one)) is not None:
        line = Line(" ".join(filter(None, cells)), cells=cells, told=True)
    else:
        line = Line(first, indent=one.indent, label=label_of(first), told=True)
    return [line, *(Line(other, blank_before=False, blank_after=False, told=True) for other in others)]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tabbed(one: Paragraph) -> tuple[str, ...] | None:
    """The cells of a short line that is set with tabs, as forms and header blocks are."""
    line = one.lines[0].strip()
    if len(one.lines) > 1 or "\t" not in line or len(line.split()) > 25:
        return None
    if label_of(line.partition("\t")[0]) is not None or line.startswith(("•", "-", "–")):
        return None
    return tuple(cell.strip() for cell in re.split(r"\t+", line))


def _label(mark: Mark, rest: str) -> Label:
    """The label that a counted number prints."""
    printed = mark.printed
    bare = printed.strip("().: ")
    if _APPENDIX.match(printed):
        return Label(printed, Style.APPENDIX, (bare.split()[-1].upper(),), rest)
    # "Section 2", "Part B": the word counts nothing.
    numbers = re.findall(r"[A-Za-z0-9]+", re.sub(r"^[^\W\d_]{2,}\s+(?=\S)", "", bare))
    if (
        len(numbers) > 1
        and re.search(r"\d|[A-Z]", numbers[0])
        and all(part.isdigit() for part in numbers[1:])
    ):
        return counted(printed, Style.DECIMAL, tuple(numbers), rest)
    if numbers and mark.format in ("lowerLetter", "upperLetter", "lowerRoman", "upperRoman"):
        return Label(printed, Style.LETTER, (numbers[-1].lower(),), rest)
    known = label_of(f"{printed} x")
    if known is not None:
        return Label(printed, known.style, known.path, rest)
    last = numbers[-1].lower() if numbers else "1"
    if letter_value(last) is not None or roman_value(last) is not None:
        return Label(printed, Style.LETTER, (last,), rest)
    return Label(printed, Style.NUMBER, (str(mark.path[-1] if mark.path else 1),), rest)


def _cell(paragraphs: Sequence[Paragraph]) -> str:
    """What a cell says, on one line."""
    parts: list[str] = []
    for one in paragraphs:
        text = _one_line(" ".join(one.lines))
        if one.mark is not None:
            text = f"{'•' if one.mark.bullet else one.mark.printed} {text}"
        parts.append(text)
    said = ""
    for part in parts:
        joint = "" if not said else " " if said[-1] in ".;:,!?" or part.startswith("•") else " / "
        said += joint + part
    return said


def _table(table: Table) -> list[Line]:
    rows = [tuple(_cell(cell) for cell in row) for row in table.rows]
    if table.headed:
        rows[0] = tuple(without_emphasis(cell) for cell in rows[0])
    width = max(map(len, rows))
    rows = [
        (*row, *("",) * (width - len(row))) for row in rows if any(has_words(cell) or cell for cell in row)
    ]
    lines = [
        Line(" ".join(filter(None, row)), cells=row, blank_before=False, blank_after=False, told=True)
        for row in rows
    ]
    if lines:
        lines[0] = replace(lines[0], blank_before=True, ruled=table.headed)
        lines[-1] = replace(lines[-1], blank_after=True)
    return lines


# -- our own export ----------------------------------------------------------------------------------------------


def _own_lines(story: Story) -> list[Line]:
    """A file that the portal made: its styles say where each line belongs, whatever was edited between."""
    lines: list[Line] = []
    about = begun = False
    for block in story.blocks:
        if isinstance(block, Table):
            if about:
                words = "\n".join(_cell(cell) for row in block.rows for cell in row)
                story.left_out.append((words, OURS))
            elif begun:
                lines += [replace(line, place=Place(Kind.CLAUSE, 0, begins=False)) for line in _table(block)]
            else:
                lines += _table(block)
            continue
        own = _OWN.match(block.style)
        if own is not None and own["what"] == "about":
            about = True
            story.left_out.append((block.plain, OURS))
            continue
        place = _place(block, own)
        begun = begun or (place is not None and place.begins)
        about = about and not begun
        if begun:
            lines += _own_paragraph(block, place or Place(Kind.CLAUSE, 0, begins=False))
        elif about:
            story.left_out.append((block.plain, OURS))
        else:
            lines.append(
                Line(without_emphasis(" ".join(block.lines)), level=1 if block.titles else 0, told=True)
            )
    return lines


def _place(block: Paragraph, own: re.Match[str] | None) -> Place | None:
    if own is None:
        if not block.level or block.titles:
            return None
        kind = Kind.SECTION if block.level == 1 else Kind.CLAUSE
        return Place(kind, min(block.level, _LOWEST) - 1, begins=True, heads=True)
    depth = int(own["depth"] or 1) - 1
    if own["what"] == "appendix":
        return Place(Kind.APPENDIX, 0, begins=True, heads=True)
    if own["what"] == "subheading":
        return Place(Kind.SUBHEADING, depth, begins=True, heads=True)
    return Place(Kind.CLAUSE, depth, begins=own["what"] == "clause")


def _own_paragraph(block: Paragraph, place: Place) -> list[Line]:
    first, *others = block.lines
    if place.begins:
        number, tab, rest = first.partition("\t")
        label, body = (without_emphasis(number), rest) if tab else ("", first)
        if place.heads:
            body, others = " ".join(map(without_emphasis, (body, *others))), []
        begins = Line(_one_line(body), told=True, place=replace(place, label=label))
        return [begins, *(_goes_on(line, place, blank=False) for line in others)]
    if block.mark is not None:
        bullet = "-" if block.mark.bullet else "1."
        body = _one_line(first) if block.mark.bullet else f"{block.mark.printed} {_one_line(first)}"
        lines = [Line(body, indent=2 * block.mark.level, bullet=bullet, told=True, place=place)]
    else:
        lines = [_goes_on(first, place, blank=True)]
    return [*lines, *(_goes_on(line, place, blank=False) for line in others)]


def _goes_on(text: str, place: Place, *, blank: bool) -> Line:
    return Line(_one_line(text), blank_before=blank, told=True, place=replace(place, begins=False))
