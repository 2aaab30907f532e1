"""The package of a Word file: a ZIP opened with limits, and its XML parts without entities or fetching."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]

from trustportal.policies.importing.reading import ImportRefused

__all__ = ["MOST_ENTRIES", "MOST_UNPACKED", "Package", "Relation", "W", "attribute", "open_package", "w"]

#: Bytes of one part that is read, and of all of them: the XML of a 300-page policy has about 15 MB.
MOST_PART, MOST_UNPACKED = 60_000_000, 120_000_000
#: A packed part that grows more than this is a bomb; real XML shrinks to a tenth or a thirtieth.
MOST_RATIO = 400
MOST_ENTRIES = 5_000
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_MAIN = ("/officeDocument", "/relationships/officeDocument")


@dataclass(frozen=True, slots=True)
class Relation:
    """Where an id of a part leads: a part of the package, or an address outside (which nobody follows)."""

    kind: str
    target: str
    outside: bool


def w(name: str) -> str:
    """`p` -> the full name of the tag in WordprocessingML."""
    return f"{{{W}}}{name}"


def attribute(element: etree._Element | None, name: str = "val") -> str | None:
    """An attribute in the same namespace; None when it, or the element, is missing."""
    return None if element is None else element.get(w(name))


class Package:
    """The parts of a Word file that a reading needs."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name, self._spent = archive, name, 0
        self._entries = {entry.filename.lstrip("/"): entry for entry in archive.infolist()}

    def xml(self, part: str) -> etree._Element | None:
        """A part, parsed; None when the package has no such part. Raises ImportRefused for bombs and broken XML."""
        content = self._content(part)
        if content is None:
            return None
        # Neither entities nor a document type belong into Office files; lxml would expand the former.
        if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content:
            raise ImportRefused(
                f"“{self._name}” holds definitions that no Word file needs, and that can do harm. It was not read."
            )
        if _STRICT.encode() in content[:4096]:
            content = content.replace(_STRICT.encode(), W.encode())
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True
        )
        try:
            return etree.fromstring(content, parser)
        except etree.XMLSyntaxError:
            raise ImportRefused(_broken(self._name)) from None

    def _content(self, part: str) -> bytes | None:
        entry = self._entries.get(part)
        if entry is None:
            return None
        with self._archive.open(entry) as opened:
            content = opened.read(MOST_PART + 1)
        self._spent += len(content)
        if len(content) > MOST_PART or self._spent > MOST_UNPACKED:
            raise ImportRefused(_bomb(self._name))
        return content

    def relations(self, part: str) -> Mapping[str, Relation]:
        """Id -> relation of a part ("" for those of the package)."""
        folder, _, file = part.rpartition("/")
        root = self.xml(f"{folder}/_rels/{file}.rels".lstrip("/"))
        found: dict[str, Relation] = {}
        for one in [] if root is None else root.iter(_RELATION):
            outside = one.get("TargetMode") == "External"
            target = one.get("Target", "")
            if not outside:
                target = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")
            found[one.get("Id", "")] = Relation(one.get("Type", ""), target, outside)
        return found

    def main_part(self) -> str:
        """The part with the text. Raises ImportRefused when this is no Word file."""
        for one in self.relations("").values():
            if one.kind.endswith(_MAIN) and not one.outside:
                return one.target
        raise ImportRefused(_other_kind(self._name, set(self._entries)))

    def has_macros(self) -> bool:
        """Whether the file carries programs."""
        return any(entry.rpartition("/")[2].lower() == "vbaproject.bin" for entry in self._entries)

    def of_kind(self, relations: Mapping[str, Relation], kind: str) -> Iterator[etree._Element]:
        """The parsed parts that a part leads to by a kind of relation ("numbering", "footnotes", "header")."""
        for one in relations.values():
            if one.kind.endswith(f"/{kind}") and not one.outside:
                root = self.xml(one.target)
                if root is not None:
                    yield root


def open_package(content: bytes, name: str) -> Package:
    """Open a Word file. Raises ImportRefused for a bomb, an encrypted entry, or a ZIP that is no Word file."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
        raise ImportRefused(_broken(name)) from None
    if len(entries) > MOST_ENTRIES:
        raise ImportRefused(_bomb(name))
    if any(entry.flag_bits & 1 for entry in entries):
        raise ImportRefused(f"“{name}” is protected by a password. Save it without one and bring it again.")
    for entry in entries:
        if (
            entry.filename.endswith((".xml", ".rels"))
            and entry.file_size > MOST_RATIO * max(entry.compress_size, 1_000)
        ) or entry.file_size > 10 * MOST_UNPACKED:
            raise ImportRefused(_bomb(name))
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names:
        raise ImportRefused(_other_kind(name, names))
    package = Package(archive, name)
    if package.has_macros():
        raise ImportRefused(
            f"“{name}” holds macros (small programs). Save it as a Word document without macros (.docx) "
            "and bring it again."
        )
    return package


def _bomb(name: str) -> str:
    return f"“{name}” unpacks to far more than a policy can hold, so it was not opened."


def _broken(name: str) -> str:
    return f"“{name}” is damaged: it cannot be opened. Save it again in Word and bring the new copy."


def _other_kind(name: str, entries: set[str]) -> str:
    if any(entry.startswith("xl/") for entry in entries):
        return f"“{name}” is an Excel workbook. Bring the policy as Word (.docx), PDF or plain text."
    if any(entry.startswith("ppt/") for entry in entries):
        return f"“{name}” is a PowerPoint file. Bring the policy as Word (.docx), PDF or plain text."
    if "mimetype" in entries:
        return f"“{name}” is an OpenDocument file. Save it as Word (.docx) or PDF and bring it again."
    return f"“{name}” is not a Word file. Bring the policy as Word (.docx), PDF or plain text."
