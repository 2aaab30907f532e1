"""What a person should look at: faults of printed numbers and leftovers of pages inside the text.

Nothing is changed here. Each doubt says where it is, in plain English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing.drafts import Draft
from trustportal.policies.importing.labels import Style
from trustportal.policies.importing.lines import CODE, DATE, PAGE_NUMBER
from trustportal.policies.importing.marks import GLYPHS, TICKED, UNTICKED, words
from trustportal.policies.importing.reading import Doubt, Furniture, Uncertain

_TRAILING_DATE = re.compile(rf"[.!?;]\s+(?P<date>{DATE.pattern})\s*$", re.IGNORECASE | re.MULTILINE)
_ORPHAN_NUMBER = re.compile(r"[.!?)]\s+(?P<number>\d{1,3}\.)\s+[A-Z]")
_MERGED = re.compile(rf"(?<=[^\s-])[ \t]+(?P<mark>[{GLYPHS}]|o(?=[ ][A-Z]))(?=\s)")
_LEADING_O = re.compile(r"^[ ]*(?:-[ ]+)?(?P<mark>o)\s+(?=[A-Z])", re.MULTILINE)
_SPLIT = re.compile(r"(?<=[\w)'’”\",])\n\n(?=[a-z])")
_OPEN_END = re.compile(r"[\w,)–-]$")
_VERSION_TABLE = re.compile(
    r"^\|\s*(?:version|revision|issue)\b[^|]*\|.*\b(?:date|change|reason|author)",
    re.IGNORECASE | re.MULTILINE,
)
_FOOTER = (
    "This looks like the foot of a printed page, not part of the clause. It was left in: delete it if it is."
)


def doubts_of(
    drafts: list[Draft], listed: Mapping[tuple[str, ...], str]
) -> tuple[list[Uncertain], list[Furniture]]:
    """All doubts of the clauses in reading order, and the pieces of text taken as page furniture.

    `listed` holds what the contents page calls each section or appendix.
    """
    found: list[Uncertain] = []
    furniture: list[Furniture] = []
    running = _running_lines(drafts)
    numbers = list(_number_doubts(drafts))
    by_clause: dict[int, list[Uncertain]] = {}
    for doubt in numbers:
        by_clause.setdefault(doubt.clause or 0, []).append(doubt)
    guesses = [index for index, draft in enumerate(drafts) if draft.guessed and draft.kind is Kind.SECTION]
    if len(guesses) > 1:
        reason = (
            f"The sections of this text have no numbers. {len(guesses)} short lines that stand alone were read as "
            "section headings. Please check the list of sections."
        )
        found.append(Uncertain(None, reason, Doubt.GUESSED_HEADINGS))
    elif guesses:
        reason = "A short line that stands alone was read as a section heading."
        found.append(Uncertain(guesses[0], reason, Doubt.GUESSED_HEADINGS))
    for index, draft in enumerate(drafts):
        found += [Uncertain(index, reason, code) for code, reason in draft.doubts]
        found += by_clause.get(index, [])
        if draft.contents:
            reason = "This is the contents page. The portal prints its own, so you can drop it."
            found.append(Uncertain(index, reason, Doubt.CONTENTS_PAGE, 0, len(draft.text)))
            furniture.append(Furniture(index, draft.text, 0, len(draft.text)))
            continue
        if draft.guessed and draft.kind is Kind.SUBHEADING:
            reason = "A short line without a number was read as a sub-heading."
            found.append(Uncertain(index, reason, Doubt.GUESSED_SUBHEADING))
        expected = listed.get(draft.path) if draft.kind in (Kind.SECTION, Kind.APPENDIX) else None
        if expected and draft.heading and " ".join(words(draft.heading)).casefold() != expected:
            reason = "The contents page gives this part another heading."
            found.append(Uncertain(index, reason, Doubt.CONTENTS_MISMATCH))
        for start, end in sorted(set(_furniture(draft.text, running))):
            found.append(Uncertain(index, _FOOTER, Doubt.FURNITURE, start, end))
            furniture.append(Furniture(index, draft.text[start:end], start, end))
        found += _text_doubts(index, draft.text)
        if index and _continues_sentence(drafts[index - 1], draft):
            reason = (
                "This begins in the middle of a sentence, as after a page break. Join it to the one before."
            )
            found.append(
                Uncertain(index, reason, Doubt.SPLIT_SENTENCE, 0, len(draft.text.split(maxsplit=1)[0]))
            )
    return found, furniture


def _running_lines(drafts: list[Draft]) -> frozenset[str]:
    """Short lines that come back three times or more, as running heads and feet do."""
    counted: Counter[str] = Counter()
    for draft in drafts:
        if draft.contents:
            continue
        lines = [line.strip() for line in draft.text.split("\n")] + [draft.heading]
        counted.update(line for line in lines if 2 <= len(line.split()) <= 12 and line[0] not in "-|")
    return frozenset(line for line, times in counted.items() if times >= 3)


def _furniture(text: str, running: frozenset[str]) -> Iterator[tuple[int, int]]:
    position = 0
    for line in text.split("\n"):
        stripped = line.strip().removeprefix("- ")
        plain = re.sub(r"\d{1,3}$", "", stripped).strip()
        if stripped and (
            PAGE_NUMBER.match(stripped) or CODE.match(stripped) or stripped in running or plain in running
        ):
            start = position + line.index(stripped)
            yield start, start + len(stripped)
        position += len(line) + 1
    for found in _TRAILING_DATE.finditer(text):
        yield found.span("date")


def _text_doubts(index: int, text: str) -> Iterator[Uncertain]:
    for found in _ORPHAN_NUMBER.finditer(text):
        reason = f"“{found['number']}” stands alone between two sentences. A clause may begin here: split it there."
        yield Uncertain(index, reason, Doubt.ORPHAN_NUMBER, *found.span("number"))
    for pattern in (_MERGED, _LEADING_O):
        for found in pattern.finditer(text):
            reason = (
                f"A bullet (“{found['mark']}”) is left in the text: two list entries may have run together."
            )
            yield Uncertain(index, reason, Doubt.MERGED_BULLETS, *found.span("mark"))
    for found in _SPLIT.finditer(text):
        last_line = text[: found.start()].rpartition("\n")[2]
        if last_line.lstrip().startswith(("- ", "|")):
            continue
        start = found.start() - len(last_line.rpartition(" ")[2])
        end = found.end() + len(text[found.end() : found.end() + 60].split(maxsplit=1)[0])
        reason = (
            "A sentence is broken across two paragraphs here, as by a page break. Join them if it goes on."
        )
        yield Uncertain(index, reason, Doubt.SPLIT_SENTENCE, start, end)
    if _VERSION_TABLE.search(text):
        reason = "This looks like a table of versions. It was left where it stands."
        yield Uncertain(index, reason, Doubt.VERSION_TABLE)
    if _unticked(text):
        reason = (
            "Some entries of this form have a tick box and others have none, or have nothing beside the box."
        )
        yield Uncertain(index, reason, Doubt.FORM)
    rows = [line for line in text.split("\n") if line.startswith("| ") and words(line)]
    cells = [" ".join(words(cell)) for line in rows for cell in line.strip("|").split("|")]
    if any(times > 1 for cell, times in Counter(cell for cell in cells if len(cell.split()) > 2).items()):
        reason = "Some words stand more than once in this table, as after a conversion. They were all kept."
        yield Uncertain(index, reason, Doubt.FORM)


def _unticked(text: str) -> bool:
    entries = [line for line in text.split("\n") if line.startswith("- ")]
    boxed = [line for line in entries if line[2:3] in (UNTICKED, TICKED)]
    return bool(boxed) and (len(boxed) < len(entries) or any(not words(line) for line in boxed))


def _continues_sentence(before: Draft, here: Draft) -> bool:
    if here.label or here.heading or (before.heading and not before.text) or not here.text or not before.text:
        return False
    last = before.text.rstrip().rpartition("\n")[2]
    return (
        here.text[:1].islower()
        and _OPEN_END.search(before.text.rstrip()) is not None
        and not last.startswith("|")
    )


def _number_doubts(drafts: list[Draft]) -> Iterator[Uncertain]:
    printed: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    section_number = 0
    last_under: dict[tuple[str, ...], int] = {}
    for index, draft in enumerate(drafts):
        if draft.style is Style.APPENDIX:
            section = draft.path
        elif draft.style is Style.NUMBER and draft.depth == 0:
            section, number = draft.path, int(draft.path[0])
            if number != section_number + 1:
                reason = f"Section “{draft.label}” does not follow the section before it."
                yield Uncertain(index, reason, Doubt.NUMBER_ORDER)
            section_number = number
        elif draft.style is Style.DECIMAL:
            yield from _decimal_doubts(index, draft, section, printed, last_under)
        if draft.style in (Style.DECIMAL, Style.APPENDIX):
            printed[draft.path] = index


def _decimal_doubts(
    index: int,
    draft: Draft,
    section: tuple[str, ...],
    printed: dict[tuple[str, ...], int],
    last_under: dict[tuple[str, ...], int],
) -> Iterator[Uncertain]:
    shown, parent, number = draft.label, draft.path[:-1], int(draft.path[-1])
    above = ".".join(parent)
    if draft.path in printed:
        yield Uncertain(index, f"The number “{shown}” is printed more than once.", Doubt.DUPLICATE_NUMBER)
    if section and draft.path[0] != section[0]:
        reason = (
            f"“{shown}” stands under section {section[0]}, but its number belongs to section {draft.path[0]}."
        )
        yield Uncertain(index, reason, Doubt.WRONG_SECTION)
    elif len(parent) > 1 and parent not in printed and parent not in last_under:
        # The missing number is told once, here; what follows it counts on from it.
        yield Uncertain(index, f"“{shown}” has no “{above}” above it. Check its level.", Doubt.NO_PARENT)
        last_under[parent[:-1]] = max(int(parent[-1]), last_under.get(parent[:-1], 0))
    elif draft.path not in printed and number != last_under.get(parent, 0) + 1:
        last = last_under.get(parent)
        where = f"comes after “{above}.{last}”" if last else "is the first here"
        yield Uncertain(index, f"“{shown}” {where}: is a number missing?", Doubt.NUMBER_ORDER)
    last_under[parent] = number
