"""A ZIP of many policies -> its files, with limits and without trusting any name in it. Nothing is written to disk."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass

from trustportal.policies.importing.files import LARGEST as LARGEST_FILE
from trustportal.policies.importing.reading import ImportRefused

__all__ = ["LARGEST", "MOST_FILES", "Unpacked", "unpack_archive"]

#: Bytes of the ZIP, and of all its files together; a trust's 200 policies with their pictures have about 60 MB.
LARGEST, MOST_BYTES = 100_000_000, 250_000_000
MOST_FILES = 200
#: More than so many entries of any kind, folders included, is no folder of policies.
MOST_ENTRIES = 2_000
MOST_RATIO = 200
#: What Python raises for a damaged ZIP, or for damage inside one; each way of packing has its own.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    NotImplementedError,
    EOFError,
    ValueError,
    OSError,
)
#: What systems put into folders by themselves.
_SYSTEM = re.compile(r"(?:^|/)(?:__MACOSX/|\.[^./\\]|Thumbs\.db$|desktop\.ini$|~\$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One file of the ZIP. `content` is None where it was refused before it was unpacked; `refused` says why."""

    name: str
    content: bytes | None
    refused: str = ""


def unpack_archive(content: bytes, name: str) -> list[Unpacked]:
    """The files of a ZIP in its order. Folders and files of the system are passed over.

    Raises ImportRefused when it is no ZIP, is a bomb, or holds nothing. A file that cannot be unpacked, or whose path
    is a trick, is in the list with the reason.
    """
    if len(content) > LARGEST:
        raise ImportRefused(f"“{name}” is larger than {LARGEST // 1_000_000} MB. Bring it in parts.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except _DAMAGE:
        raise ImportRefused(f"“{name}” is not a ZIP file, or it is damaged. Pack it again.") from None
    files = [
        entry for entry in entries if not entry.filename.endswith("/") and not _SYSTEM.search(entry.filename)
    ]
    if len(entries) > MOST_ENTRIES or len(files) > MOST_FILES:
        raise ImportRefused(f"“{name}” holds more than {MOST_FILES} files. Bring them in parts.")
    if any(entry.filename == "[Content_Types].xml" for entry in files):
        raise ImportRefused(f"“{name}” is a single Office file. Bring it under “Import one policy”.")
    if not files:
        raise ImportRefused(f"“{name}” holds no files.")
    if sum(entry.file_size for entry in files) > MOST_BYTES:
        raise ImportRefused(f"“{name}” unpacks to far more than policies can hold, so it was not opened.")
    spent = 0
    found: list[Unpacked] = []
    for entry in files:
        one = _unpacked(archive, entry)
        spent += len(one.content or b"")
        if spent > MOST_BYTES:
            raise ImportRefused(f"“{name}” unpacks to far more than policies can hold, so it was not opened.")
        found.append(one)
    return found


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Unpacked:
    shown = _shown_name(entry.filename)
    parts = re.split(r"[\\/]", entry.filename)
    if ".." in parts or entry.filename.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", entry.filename):
        return Unpacked(shown, None, "Its path points outside the ZIP, which no ordinary program writes.")
    if (entry.external_attr >> 16) & 0o170000 == 0o120000:
        return Unpacked(shown, None, "It is a link to another file, not a file.")
    if entry.flag_bits & 1:
        return Unpacked(shown, None, "It is protected by a password. Pack it again without one.")
    if entry.filename.lower().endswith((".zip", ".7z", ".rar")):
        return Unpacked(shown, None, "It is an archive inside the ZIP. Take its files out and bring them.")
    if entry.file_size > LARGEST_FILE:
        return Unpacked(shown, None, f"It is larger than {LARGEST_FILE // 1_000_000} MB.")
    if entry.file_size > MOST_RATIO * max(entry.compress_size, 10_000):
        return Unpacked(shown, None, "It unpacks to far more than a policy can hold.")
    try:
        with archive.open(entry) as opened:
            content = opened.read(LARGEST_FILE + 1)
    except _DAMAGE:
        return Unpacked(shown, None, "It is damaged: it cannot be unpacked.")
    if len(content) > LARGEST_FILE:
        return Unpacked(shown, None, f"It is larger than {LARGEST_FILE // 1_000_000} MB.")
    return Unpacked(shown, content)


def _shown_name(name: str) -> str:
    """The name without its folders, and without what does not print."""
    last = re.split(r"[\\/]", name.rstrip("/\\"))[-1]
    return (
        "".join(character for character in last if character.isprintable())[-200:] or "a file without a name"
    )
