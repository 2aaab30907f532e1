"""Plain text -> `Reading`: the reader's front door. Pure; refuses what is not readable text."""

from __future__ import annotations

import re
from collections import Counter

from trustportal.policies.domain.clauses import MAX_DEPTH, Kind, NumberingStyle
from trustportal.policies.importing.body import BodyReader
from trustportal.policies.importing.doubts import doubts_of
from trustportal.policies.importing.drafts import Draft
from trustportal.policies.importing.front import read_front
from trustportal.policies.importing.labels import Style
from trustportal.policies.importing.lines import Line, lines_of
from trustportal.policies.importing.marks import has_words, to_markdown
from trustportal.policies.importing.reading import Doubt, ImportRefused, ReadClause, Reading, Uncertain

LARGEST = 2_000_000
"""Bytes of UTF-8; the longest real policies have about a tenth of it."""

MOST_LINES = 50_000
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")


def read_bytes(data: bytes, filename: str) -> Reading:
    """Read an uploaded text file. Raises ImportRefused when it is too large, not UTF-8, or not text."""
    if len(data) > LARGEST:
        raise ImportRefused(_too_large(f"“{filename}”"))
    if b"\x00" in data:
        raise ImportRefused(
            f"“{filename}” is not a text file. Save it as plain text (UTF-8) and bring it again."
        )
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportRefused(
            f"“{filename}” is not written in UTF-8. Open it in a text editor, choose “Save as”, encoding UTF-8, "
            "and bring it again."
        ) from None
    return read_text(source)


def read_text(source: str) -> Reading:
    """Read a policy that is already text, with or without Markdown or HTML marks.

    Every word of `source` is in the result, in the same order (`words_in_order`). What was guessed is in
    `uncertain`. Raises ImportRefused for text that is empty, binary, larger than 2 MB, or without words.
    """
    if not source.strip().strip("\ufeff"):
        raise ImportRefused("The file is empty. Bring a file that holds the text of the policy.")
    if len(source) > LARGEST or len(source.encode("utf-8", "surrogatepass")) > LARGEST:
        raise ImportRefused(_too_large("This text"))
    strange = len(_CONTROL.findall(source))
    if (
        "\x00" in source
        or (strange > 8 and strange * 50 > len(source))
        or any("\ud800" <= c <= "\udfff" for c in source)
    ):
        raise ImportRefused(
            "This is not a text file. Save the policy as plain text (UTF-8) and bring it again."
        )
    text = _CONTROL.sub(" ", to_markdown(source))
    if not has_words(text):
        raise ImportRefused(
            "No words were found in the file. Bring a file that holds the text of the policy."
        )
    if text.count("\n") > MOST_LINES:
        raise ImportRefused(f"The file has more than {MOST_LINES:,} lines. Bring one policy at a time.")
    return read_lines(lines_of(text))


def _too_large(what: str) -> str:
    return f"{what} is larger than 2 MB. Take out what is not the policy itself, or bring it in parts."


def read_lines(lines: list[Line]) -> Reading:
    """Lines of any file -> title, header, versions and clauses. Every word of the lines is in the reading, in order."""
    front = read_front(lines)
    body = lines[front.body_from :]
    reader = BodyReader(body)
    drafts = reader.read()
    _settle_depths(drafts)
    uncertain, furniture = doubts_of(drafts, reader.listed)
    uncertain = front.uncertain + uncertain + _heading_sizes(body, drafts)
    if not drafts:
        reason = "No clauses were found: the text has only a few short lines."
        uncertain.append(Uncertain(None, reason, Doubt.NO_CLAUSES))
    return Reading(
        title=front.title,
        title_at=front.title_at,
        header=tuple(front.header),
        versions=tuple(front.versions),
        clauses=tuple(
            ReadClause(draft.label, draft.heading, draft.text, draft.depth, draft.kind) for draft in drafts
        ),
        uncertain=tuple(sorted(uncertain, key=_place)),
        furniture=tuple(furniture),
        numbering_style=_numbering_style(drafts),
    )


def _place(doubt: Uncertain) -> tuple[int, int]:
    return (-1 if doubt.clause is None else doubt.clause, -1 if doubt.start is None else doubt.start)


def _settle_depths(drafts: list[Draft]) -> None:
    """No clause stands more than one level below the one before it, so that the list is always a tree."""
    deepest = 0
    for draft in drafts:
        if draft.depth > deepest:
            draft.depth = deepest
            draft.doubts.append(
                (Doubt.NESTING, "Nothing stands above this on the next higher level. Check its level.")
            )
        # A sub-heading has no clauses below it, so what follows may be as deep as it is, not deeper.
        deepest = draft.depth if draft.kind is Kind.SUBHEADING else min(draft.depth + 1, MAX_DEPTH - 1)


def _heading_sizes(body: list[Line], drafts: list[Draft]) -> list[Uncertain]:
    """Numbered sections whose heading marks differ from those of most sections."""
    levels = {line.label.printed: line.level for line in body if line.level and line.label is not None}
    sections = [
        (i, draft) for i, draft in enumerate(drafts) if draft.kind is Kind.SECTION and draft.label in levels
    ]
    if not sections:
        return []
    usual = Counter(levels[draft.label] for _, draft in sections).most_common(1)[0][0]
    reason = "This heading is printed in another size than most section headings. It was read as a section."
    return [Uncertain(i, reason, Doubt.HEADING_SIZE) for i, draft in sections if levels[draft.label] != usual]


def _numbering_style(drafts: list[Draft]) -> NumberingStyle:
    """What the printed labels look most like."""
    decimals = any(
        draft.style is Style.DECIMAL and len(draft.path) > 1 and draft.path[0].isdigit() for draft in drafts
    )
    letters = any(draft.style is Style.LETTER for draft in drafts)
    numbers = any(draft.style in (Style.NUMBER, Style.DECIMAL) for draft in drafts)
    if decimals:
        return NumberingStyle.MIXED if letters else NumberingStyle.DECIMAL
    if letters:
        return NumberingStyle.LETTERS
    return NumberingStyle.DECIMAL if numbers else NumberingStyle.NONE
