"""A table of contents that somebody typed by hand: known by what it lists, and left out only when all of it is sure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trustportal.policies.importing.blocks import CONTENTS, Block, Paragraph, Story, Table
from trustportal.policies.importing.front import CONTENTS as HEAD
from trustportal.policies.importing.labels import label_of
from trustportal.policies.importing.marks import without_emphasis, words

__all__ = ["leave_out_typed_contents"]

#: It stands near the beginning, within so many paragraphs.
_EARLY = 60
#: So many entries make one: under a heading that says so, and without such a heading.
_LEAST, _LEAST_UNTITLED = 2, 3
#: No heading is longer, in words.
_LONGEST = 20
_ENTRY = re.compile(
    r"^(?P<said>\S.*?)(?:(?P<leader>\s*(?:[.…·_]\s?){3,}\s*|[ ]*\t[\s.]*)(?P<to>\d{1,3}|[ivxl]{1,6})?"
    r"|\s+(?P<page>\d{1,3}))$"
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of a list of contents. `led`: dots or a tab lead to its page number."""

    key: str
    page: int | None
    led: bool


def leave_out_typed_contents(story: Story) -> None:
    """Move a typed table of contents to `story.left_out`, with the heading over it.

    Every line of it must end in a page number or in dots that lead to one, must say what a heading further down
    says, and the page numbers must not go back. A line that fails keeps all of it where it is: then somebody is asked.
    """
    for at, block in enumerate(story.blocks[:_EARLY]):
        titled = isinstance(block, Paragraph) and HEAD.match(block.plain.strip()) is not None
        begin = at + 1 if titled else at
        end = begin
        while end < len(story.blocks) and _entries(story.blocks[end]):
            end += 1
        if end == begin:
            continue
        entries = [one for inner in story.blocks[begin:end] for one in _entries(inner)]
        if _is_contents(entries, story.blocks[end:], titled=titled):
            story.left_out += [
                (" ".join(inner.plain.split()), CONTENTS)
                for inner in story.blocks[at:end]
                if isinstance(inner, Paragraph)
            ]
            del story.blocks[at:end]
            return
        if titled:
            return


def _entries(block: Block) -> list[_Entry]:
    """The entries that a paragraph is made of; [] where any of its lines is none."""
    if isinstance(block, Table) or block.boxed:
        return []
    found: list[_Entry] = []
    for line in block.lines:
        # The stars of emphasis go; tabs stay, which `without_emphasis` would make into spaces.
        match = _ENTRY.match("\t".join(without_emphasis(part) for part in line.split("\t")).strip())
        if match is None or not words(match["said"]):
            return []
        page = match["to"] or match["page"] or ""
        key = _key(match["said"])
        found.append(_Entry(key, int(page) if page.isdigit() else None, match["leader"] is not None))
    return found


def _key(text: str) -> str:
    return " ".join(words(text)).casefold()


def _is_contents(entries: Sequence[_Entry], after: Sequence[Block], *, titled: bool) -> bool:
    if len(entries) < (_LEAST if titled else _LEAST_UNTITLED):
        return False
    if not titled and not all(one.led for one in entries):
        return False
    pages = [one.page for one in entries if one.page is not None]
    if pages != sorted(pages):
        return False
    headings = {key for block in after if isinstance(block, Paragraph) for key in _heading_keys(block)}
    return all(one.key in headings or _unlabelled(one.key) in headings for one in entries)


def _heading_keys(block: Paragraph) -> set[str]:
    """What a paragraph may be called in a list of contents; nothing where it is too long to be a heading."""
    if len(block.plain.split()) > _LONGEST or len(block.lines) > 1:
        return set()
    label = label_of(block.plain)
    said = {_key(block.plain), _key(label.rest) if label is not None else ""}
    if block.mark is not None:
        said.add(_key(f"{block.mark.printed} {block.plain}"))
    return said - {""}


def _unlabelled(key: str) -> str:
    """An entry without the number that it begins with."""
    return re.sub(r"^(?:(?:appendix|annex|schedule) )?(?:\d{1,3}|[a-z])(?: \d{1,3})* ", "", key)
