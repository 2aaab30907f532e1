"""A Word file -> `Reading`. Runs in the confined child: `files` calls it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree  # type: ignore[import-untyped]

from trustportal.policies.importing.accounting import accounted
from trustportal.policies.importing.layout import lines_of_story
from trustportal.policies.importing.marks import has_words, words
from trustportal.policies.importing.reading import Dropped, ImportRefused, Reading
from trustportal.policies.importing.text import read_lines
from trustportal.policies.importing.word.package import Package, open_package, w
from trustportal.policies.importing.word.paragraphs import read_story
from trustportal.policies.importing.word.typed_contents import leave_out_typed_contents

__all__ = ["read_word", "words_in_parts"]

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DROPPED = {w("del"), w("moveFrom"), w("rt"), f"{_MC}Fallback"}


def read_word(content: bytes, name: str) -> Reading:
    """Read a Word file. Raises ImportRefused for what cannot be read, with what to bring instead."""
    package = open_package(content, name)
    story = read_story(package)
    leave_out_typed_contents(story)
    lines = lines_of_story(story)
    if not any(has_words(line.body) for line in lines):
        raise ImportRefused(
            f"No words were found in “{name}”. If its pages are pictures, bring a copy with text in it."
        )
    reading = read_lines(lines)
    left_out = tuple(Dropped("", "", text, reason) for text, reason in story.left_out)
    return accounted(replace(reading, dropped=left_out), words_in_parts(package))


def words_in_parts(package: Package) -> Iterator[str]:
    """The words that the file's text, notes and boxes hold, counted from its XML without the reader's eyes."""
    part = package.main_part()
    relations = package.relations(part)
    roots = [package.xml(part)]
    for kind in ("footnotes", "endnotes"):
        roots += package.of_kind(relations, kind)
    for root in roots:
        for paragraph in [] if root is None else root.iter(w("p")):
            if not any(up.tag in _DROPPED for up in paragraph.iterancestors()):
                yield from words("".join(_texts(paragraph)))


def _texts(element: etree._Element) -> Iterator[str]:
    for child in element:
        if child.tag == w("t"):
            yield child.text or ""
        elif child.tag in (
            w("tab"),
            w("br"),
            w("cr"),
            w("sym"),
            w("footnoteReference"),
            w("endnoteReference"),
        ):
            yield " "
        elif child.tag == w("noBreakHyphen"):
            yield "-"
        elif child.tag == w("p"):
            continue
        elif child.tag not in _DROPPED and child.tag != w("txbxContent"):
            yield from _texts(child)
