"""Styles of a Word file: what a paragraph or run inherits from its style and the styles that it is based on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]

from trustportal.policies.importing.word.package import attribute, w

__all__ = ["Look", "Style", "Styles", "is_on", "look_of"]

_HEADING = re.compile(r"^heading ?([1-9])\b")
_DEEPEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Look:
    """How letters look; None where nothing is said. `size` in half points."""

    bold: bool | None = None
    italic: bool | None = None
    caps: bool | None = None
    hidden: bool | None = None
    size: int | None = None

    def over(self, other: Look) -> Look:
        """This look, with what it leaves open taken from `other`."""
        return Look(
            other.bold if self.bold is None else self.bold,
            other.italic if self.italic is None else self.italic,
            other.caps if self.caps is None else self.caps,
            other.hidden if self.hidden is None else self.hidden,
            other.size if self.size is None else self.size,
        )


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph style, resolved. `heading`: 1 to 9, 0 for none; `numbering`: list and level that it brings."""

    id: str
    name: str
    look: Look
    heading: int = 0
    numbering: tuple[str | None, int | None] = (None, None)

    @property
    def title(self) -> bool:
        """Whether it is the style for the title of the whole text."""
        return self.name == "title"

    @property
    def contents(self) -> bool:
        """Whether it is a style of tables of contents."""
        return (
            re.match(r"toc( \d|heading| heading)|contents( \d| heading)|table of figures", self.name)
            is not None
        )


def is_on(parent: etree._Element | None, name: str) -> bool | None:
    """A switch such as <w:b/>: None when it is not there."""
    found = None if parent is None else parent.find(w(name))
    if found is None:
        return None
    return attribute(found) not in ("0", "false", "off", "none")


def look_of(properties: etree._Element | None) -> Look:
    """What run properties say."""
    if properties is None:
        return Look()
    size = attribute(properties.find(w("sz")))
    return Look(
        is_on(properties, "b"),
        is_on(properties, "i"),
        is_on(properties, "caps"),
        is_on(properties, "vanish"),
        int(size) if size and size.isdigit() else None,
    )


class Styles:
    """All styles; one that is missing is plain."""

    def __init__(self, root: etree._Element | None) -> None:
        self._elements: dict[str, etree._Element] = {}
        self._made: dict[str, Style] = {}
        self._looks: dict[str, Look] = {}
        self.default = ""
        self.base = Look()
        if root is None:
            return
        self.base = look_of(root.find(f"{w('docDefaults')}/{w('rPrDefault')}/{w('rPr')}"))
        for one in root.iterchildren(w("style")):
            style_id = attribute(one, "styleId") or ""
            self._elements[style_id] = one
            if attribute(one, "type") == "paragraph" and attribute(one, "default") in ("1", "true"):
                self.default = style_id

    def paragraph(self, style_id: str | None) -> Style:
        """A paragraph style with all that it is based on."""
        key = style_id if style_id in self._elements else self.default
        if key not in self._made:
            self._made[key] = self._resolved(key)
        return self._made[key]

    def run(self, style_id: str | None) -> Look:
        """The look of a character style."""
        if style_id is None:
            return Look()
        if style_id not in self._looks:
            self._looks[style_id] = self._look(style_id)
        return self._looks[style_id]

    def _chain(self, style_id: str) -> list[etree._Element]:
        chain: list[etree._Element] = []
        at: str | None = style_id
        while at in self._elements and len(chain) < _DEEPEST_CHAIN:
            chain.append(self._elements[at])
            at = attribute(self._elements[at].find(w("basedOn")))
        return chain

    def _look(self, style_id: str) -> Look:
        look = Look()
        for one in self._chain(style_id):
            look = look.over(look_of(one.find(w("rPr"))))
        return look

    def _resolved(self, style_id: str) -> Style:
        heading = 0
        num_id: str | None = None
        level: int | None = None
        for one in self._chain(style_id):
            name = _name(one)
            properties = one.find(w("pPr"))
            outline = None if properties is None else attribute(properties.find(w("outlineLvl")))
            if not heading and (found := _HEADING.match(name)):
                heading = int(found[1])
            elif not heading and outline is not None and outline.isdigit() and int(outline) < 9:
                heading = int(outline) + 1
            numbered = None if properties is None else properties.find(w("numPr"))
            if numbered is not None:
                num_id = num_id or attribute(numbered.find(w("numId")))
                own = attribute(numbered.find(w("ilvl")))
                level = int(own) if level is None and own is not None and own.isdigit() else level
        own_name = _name(self._elements[style_id]) if style_id in self._elements else ""
        return Style(style_id, own_name, self._look(style_id).over(self.base), heading, (num_id, level))


def _name(style: etree._Element) -> str:
    return (attribute(style.find(w("name"))) or attribute(style, "styleId") or "").lower()
