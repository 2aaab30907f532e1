"""What a person does on the correction page, as operations on a reading: reading in, corrected reading out.

No operation loses a word: what is taken out or written over is in `Reading.dropped`. Each refuses with RuleBroken
what cannot be done. `index` counts clauses from 0. Doubts move with the words that they are about, and go when the
operation answers them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from trustportal.errors import RuleBroken
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing.labels import label_of
from trustportal.policies.importing.marks import has_words, words
from trustportal.policies.importing.reading import (
    Doubt,
    Dropped,
    Furniture,
    HeaderField,
    ReadClause,
    Reading,
    Uncertain,
)
from trustportal.policies.importing.tree import tree_of

__all__ = [
    "cut",
    "drop",
    "edit",
    "edit_header",
    "indent",
    "join",
    "join_lines",
    "mark",
    "outdent",
    "restore",
    "settle",
    "split",
]

_ABOUT_NUMBERS = {
    Doubt.DUPLICATE_NUMBER,
    Doubt.NUMBER_ORDER,
    Doubt.WRONG_SECTION,
    Doubt.NO_PARENT,
    Doubt.NESTING,
}
_ABOUT_LEVEL = {Doubt.NESTING, Doubt.NO_PARENT, Doubt.WRONG_SECTION}
_ABOUT_HEADING = {
    Doubt.GUESSED_HEADINGS,
    Doubt.GUESSED_SUBHEADING,
    Doubt.HEADING,
    Doubt.HEADING_SIZE,
    Doubt.CONTENTS_MISMATCH,
}
LONGEST_HEADING = 200

#: Where a span of clause `index` lies after an operation: (index, start, end), or None when it is gone.
_Moved = tuple[int, int | None, int | None] | None
_Mover = Callable[[int, int | None, int | None], _Moved]


def split(reading: Reading, index: int, offset: int) -> Reading:
    """Cut the text of a clause in two at `offset`; the rest becomes the next clause, on the same level.

    A label at the start of the rest ("64.") becomes the new clause's label. Text under a section becomes a clause
    in that section.
    """
    clause = _clause(reading, index)
    text = clause.text
    if not 0 <= offset <= len(text) or not has_words(text[offset:]):
        raise RuleBroken("There are no words after this place to make a new clause of.", "offset")
    if not has_words(text[:offset]) and not (clause.heading and clause.kind is not Kind.CLAUSE):
        raise RuleBroken("There are no words before this place: the clause begins here already.", "offset")
    _between_words(text, offset, "offset")
    rest = text[offset:].strip()
    label = label_of(rest)
    printed, body = (label.printed, label.rest) if label is not None and has_words(label.rest) else ("", rest)
    begin = len(text) - len(text[offset:].lstrip()) + (len(rest) - len(body) if rest.endswith(body) else 0)
    depth = clause.depth + 1 if clause.kind in (Kind.SECTION, Kind.APPENDIX) else clause.depth
    before = replace(clause, text=text[:offset].rstrip())
    clauses = [
        *reading.clauses[:index],
        before,
        ReadClause(printed, "", body, depth),
        *reading.clauses[index + 1 :],
    ]

    def move(at: int, start: int | None, end: int | None) -> _Moved:
        if at != index or start is None or end is None:
            return (at + 1 if at > index else at), start, end
        if end <= len(before.text):
            return at, start, end
        return (at + 1, start - begin, end - begin) if begin <= start and end <= begin + len(body) else None

    return _corrected(reading, clauses, move)


def join(reading: Reading, index: int) -> Reading:
    """Add a clause to the one before it. A sentence that was broken goes on; anything else is a new paragraph."""
    clause = _clause(reading, index)
    if index == 0:
        raise RuleBroken("This is the first clause: there is none before it to join it to.", "index")
    if index + 1 < len(reading.clauses) and reading.clauses[index + 1].depth > clause.depth:
        raise RuleBroken("Other clauses stand below this one. Move them up a level first.", "index")
    before = reading.clauses[index - 1]
    moved = " ".join(filter(None, (clause.label, clause.heading)))
    body = (
        "\n\n".join(filter(None, (moved, clause.text)))
        if clause.heading
        else " ".join(filter(None, (moved, clause.text)))
    )
    goes_on = bool(before.text) and before.text[-1] not in ".!?:;" and body[:1].islower() and not moved
    joint = "" if not before.text else " " if goes_on else "\n\n"
    shift = len(before.text) + len(joint) + (len(body) - len(clause.text))
    joined = replace(before, text=f"{before.text}{joint}{body}")
    clauses = [*reading.clauses[: index - 1], joined, *reading.clauses[index + 1 :]]

    def move(at: int, start: int | None, end: int | None) -> _Moved:
        if at < index:
            return at, start, end
        if at > index:
            return at - 1, start, end
        return None if start is None or end is None else (at - 1, start + shift, end + shift)

    answered = {index: {Doubt.SPLIT_SENTENCE}} if goes_on else {}
    return _corrected(reading, clauses, move, answered=answered)


def join_lines(reading: Reading, index: int, offset: int) -> Reading:
    """Join the two lines or paragraphs of a clause between which `offset` lies (or the first break after it)."""
    clause = _clause(reading, index)
    text = clause.text
    start = max(offset, 0)
    while start > 0 and text[start - 1 : start] in (" ", "\n"):
        start -= 1
    start = text.find("\n", start)
    if start < 0:
        raise RuleBroken("There is no line break here to take out.", "offset")
    end = start
    while end < len(text) and text[end] in " \n":
        end += 1
    while start > 0 and text[start - 1] == " ":
        start -= 1
    shorter = end - start - 1
    clauses = _with(reading, index, replace(clause, text=f"{text[:start]} {text[end:]}"))

    def move(at: int, first: int | None, last: int | None) -> _Moved:
        if at != index or first is None or last is None or last <= start:
            return at, first, last
        return (at, first - shorter, last - shorter) if first >= end else None

    return _corrected(reading, clauses, move)


def indent(reading: Reading, index: int) -> Reading:
    """Move a clause, with all below it, one level down: it becomes part of the clause before it."""
    clause = _clause(reading, index)
    if clause.kind in (Kind.SECTION, Kind.APPENDIX):
        raise RuleBroken("A section or appendix stands at the top. Make it a clause first.", "index")
    if index == 0 or reading.clauses[index - 1].depth < clause.depth:
        raise RuleBroken(
            "There is no clause before this one on the same level that it could be part of.", "index"
        )
    return _shifted(reading, index, 1)


def outdent(reading: Reading, index: int) -> Reading:
    """Move a clause, with all below it, one level up. What follows on its old level becomes part of it."""
    if _clause(reading, index).depth == 0:
        raise RuleBroken("This clause is at the top level already.", "index")
    return _shifted(reading, index, -1)


def _shifted(reading: Reading, index: int, by: int) -> Reading:
    clauses = list(reading.clauses)
    for at in (index, *_below(reading, index)):
        clauses[at] = replace(clauses[at], depth=clauses[at].depth + by)
    return _corrected(reading, clauses, _stay, answered={index: _ABOUT_LEVEL})


def mark(reading: Reading, index: int, kind: Kind) -> Reading:
    """Say what a clause is. Text without a heading becomes the heading of a section, appendix or sub-heading.

    A heading that is marked as a clause becomes its text, if it has none. What stood below a section that is one
    no more belongs to the section before it.
    """
    clause = _clause(reading, index)
    if clause.kind is kind:
        return reading
    headed = _as_clause(clause) if kind is Kind.CLAUSE else _with_heading(clause)
    clauses = list(reading.clauses)
    below = _below(reading, index)
    if kind in (Kind.SECTION, Kind.APPENDIX):
        depth, by = 0, -clause.depth
    elif clause.kind in (Kind.SECTION, Kind.APPENDIX):
        depth, by = (1 if _divided(reading.clauses[:index]) else 0), 0
        by = depth - 1
    else:
        depth, by = clause.depth, -1 if kind is Kind.SUBHEADING else 0
    clauses[index] = replace(headed, kind=kind, depth=depth)
    for at in below:
        clauses[at] = replace(clauses[at], depth=max(0, clauses[at].depth + by))
    return _corrected(
        reading,
        clauses,
        _stay if headed.text == clause.text else _lost_in(index),
        answered={index: _ABOUT_HEADING},
    )


def _divided(clauses: Sequence[ReadClause]) -> bool:
    return any(clause.kind in (Kind.SECTION, Kind.APPENDIX) for clause in clauses)


def _with_heading(clause: ReadClause) -> ReadClause:
    if clause.heading:
        return clause
    text = clause.text.strip()
    if "\n" in text or len(text) > LONGEST_HEADING:
        raise RuleBroken("This text is too long for a heading. Split the heading off first.", "index")
    if not has_words(text):
        raise RuleBroken("Write a heading for it first.", "heading")
    return replace(clause, heading=text, text="")


def _as_clause(clause: ReadClause) -> ReadClause:
    return replace(clause, heading="", text=clause.heading) if not clause.text else clause


def edit(
    reading: Reading,
    index: int,
    *,
    label: str | None = None,
    heading: str | None = None,
    text: str | None = None,
) -> Reading:
    """Write a clause's label, heading or text anew; None leaves it. What was there is kept if words of it went."""
    clause = _clause(reading, index)
    label = clause.label if label is None else label.strip()
    heading = clause.heading if heading is None else " ".join(heading.split())
    text = clause.text if text is None else text.strip()
    if not has_words(heading) and not has_words(text):
        raise RuleBroken("Nothing would be left of this clause. Drop it instead.", "text")
    if len(heading) > LONGEST_HEADING:
        raise RuleBroken(f"A heading can have up to {LONGEST_HEADING} characters.", "heading")
    edited = replace(clause, label=label, heading=heading, text=text)
    answered: set[Doubt] = set()
    if label != clause.label:
        answered |= _ABOUT_NUMBERS
    if heading != clause.heading:
        answered |= _ABOUT_HEADING
    old, dropped = clause.text, reading.dropped
    if Counter(_words(clause)) - Counter(_words(edited)):
        dropped = (*dropped, Dropped(clause.label, clause.heading, clause.text, "written anew"))

    def move(at: int, start: int | None, end: int | None) -> _Moved:
        if at != index or start is None or end is None or text == old:
            return at, start, end
        quoted = old[start:end]
        if text[start:end] == quoted:
            return at, start, end
        if text.count(quoted) != 1:
            return None
        return at, text.index(quoted), text.index(quoted) + len(quoted)

    corrected = _corrected(reading, _with(reading, index, edited), move, answered={index: answered})
    return replace(corrected, dropped=dropped)


def edit_header(reading: Reading, name: str, value: str) -> Reading:
    """Write the title ("title") or a header field anew; a field that was not found is added."""
    value = " ".join(value.split())
    if name == "title" and not has_words(value):
        raise RuleBroken("Give the policy a title.", "title")
    old = reading.title if name == "title" else reading.field(name)
    dropped = reading.dropped
    if Counter(words(old)) - Counter(words(value)):
        dropped = (*dropped, Dropped("", name, old, "written anew"))
    uncertain = tuple(doubt for doubt in reading.uncertain if doubt.field != name)
    if name == "title":
        return replace(reading, title=value, dropped=dropped, uncertain=uncertain)
    header = tuple(replace(field, value=value) if field.name == name else field for field in reading.header)
    if all(field.name != name for field in header):
        last = max((field.at for field in header), default=reading.title_at)
        header = (*header, HeaderField(name, "", value, last + 1))
    return replace(reading, header=header, dropped=dropped, uncertain=uncertain)


def cut(reading: Reading, index: int, start: int, end: int) -> Reading:
    """Take a piece out of a clause's text, such as the foot of a page. Its words are kept among the dropped."""
    clause = _clause(reading, index)
    text = clause.text
    if not 0 <= start < end <= len(text):
        raise RuleBroken("Choose the words to take out.", "start")
    _between_words(text, start, "start")
    _between_words(text, end, "end")
    left, right = text[:start].rstrip(), text[end:].lstrip(" ")
    if not has_words(left + right) and not clause.heading:
        raise RuleBroken("Nothing would be left of this clause. Drop it instead.", "start")
    gap = " " if left and right and right[0] != "\n" else ""
    shift = len(left) + len(gap) - (len(text) - len(right))
    rest = replace(clause, text=f"{left}{gap}{right}".strip("\n"))

    def move(at: int, first: int | None, last: int | None) -> _Moved:
        if at != index or first is None or last is None or last <= len(left):
            return at, first, last
        return (at, first + shift, last + shift) if first >= end else None

    corrected = _corrected(reading, _with(reading, index, rest), move)
    return replace(corrected, dropped=(*reading.dropped, Dropped("", "", text[start:end], "cut out")))


def drop(reading: Reading, index: int, reason: str = "dropped") -> Reading:
    """Leave a clause out of the policy. Its words are kept among the dropped."""
    clause = _clause(reading, index)
    if len(reading.clauses) == 1:
        raise RuleBroken("This is the only clause. A policy needs at least one.", "index")
    if _below(reading, index):
        raise RuleBroken("Other clauses stand below this one. Drop or move those first.", "index")
    clauses = [*reading.clauses[:index], *reading.clauses[index + 1 :]]

    def move(at: int, start: int | None, end: int | None) -> _Moved:
        return None if at == index else ((at - 1 if at > index else at), start, end)

    corrected = _corrected(reading, clauses, move)
    gone = Dropped(clause.label, clause.heading, clause.text, reason)
    return replace(corrected, dropped=(*reading.dropped, gone))


def restore(reading: Reading, position: int) -> Reading:
    """Put back what was left out (by its place in `dropped`): it becomes the last clause, to be moved or joined."""
    if not 0 <= position < len(reading.dropped):
        raise RuleBroken("This was put back already.", "position")
    piece = reading.dropped[position]
    clause = ReadClause(piece.label, piece.heading, piece.text, int(_divided(reading.clauses)))
    if not piece.text and piece.heading and len(piece.heading) > LONGEST_HEADING:
        clause = replace(clause, heading="", text=piece.heading)
    rest = (*reading.dropped[:position], *reading.dropped[position + 1 :])
    return replace(_corrected(reading, [*reading.clauses, clause], _stay), dropped=rest)


def settle(reading: Reading, position: int) -> Reading:
    """Say that a doubt (by its place in `uncertain`) was looked at and the reading is right."""
    if not 0 <= position < len(reading.uncertain):
        raise RuleBroken("This question was answered already.", "position")
    return replace(reading, uncertain=(*reading.uncertain[:position], *reading.uncertain[position + 1 :]))


def _clause(reading: Reading, index: int) -> ReadClause:
    if not 0 <= index < len(reading.clauses):
        raise RuleBroken("This clause is no longer there. Load the page again.", "index")
    return reading.clauses[index]


def _between_words(text: str, offset: int, field: str) -> None:
    if 0 < offset < len(text) and text[offset - 1].isalnum() and text[offset].isalnum():
        raise RuleBroken("Choose a place between two words.", field)


def _words(clause: ReadClause) -> list[str]:
    return words(f"{clause.label}\n{clause.heading}\n{clause.text}")


def _below(reading: Reading, index: int) -> list[int]:
    """The indices of all clauses below the one at `index`."""
    below = []
    for at in range(index + 1, len(reading.clauses)):
        if reading.clauses[at].depth <= reading.clauses[index].depth:
            break
        below.append(at)
    return below


def _with(reading: Reading, index: int, clause: ReadClause) -> list[ReadClause]:
    return [*reading.clauses[:index], clause, *reading.clauses[index + 1 :]]


def _stay(at: int, start: int | None, end: int | None) -> _Moved:
    return at, start, end


def _lost_in(index: int) -> _Mover:
    """The text of `index` went elsewhere, and with it what pointed into it."""
    return lambda at, start, end: None if at == index and start is not None else (at, start, end)


def _corrected(
    reading: Reading,
    clauses: Sequence[ReadClause],
    move: _Mover,
    *,
    answered: dict[int, set[Doubt]] | None = None,
) -> Reading:
    """The reading with other clauses, refused unless they are still a tree; doubts and furniture move along."""
    tree_of(clauses)
    uncertain: list[Uncertain] = []
    for doubt in reading.uncertain:
        if doubt.clause is None:
            uncertain.append(doubt)
            continue
        if doubt.code in (answered or {}).get(doubt.clause, ()):
            continue
        moved = move(doubt.clause, doubt.start, doubt.end)
        if moved is not None:
            uncertain.append(replace(doubt, clause=moved[0], start=moved[1], end=moved[2]))
    furniture: list[Furniture] = []
    for piece in reading.furniture:
        place = move(piece.clause, piece.start, piece.end)
        if place is not None and place[1] is not None and place[2] is not None:
            furniture.append(replace(piece, clause=place[0], start=place[1], end=place[2]))
    return replace(reading, clauses=tuple(clauses), uncertain=tuple(uncertain), furniture=tuple(furniture))
