"""A file somebody brings -> `Reading`: told by its content, refused when it is something else, read within limits."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from trustportal.confined import Ended, memory_was_short, run_confined
from trustportal.errors import RuleBroken
from trustportal.policies.importing import text
from trustportal.policies.importing.reading import ImportRefused, Reading, pack, unpack

__all__ = ["LARGEST", "FileKind", "kind_of", "read_file"]

#: Bytes of a Word or PDF file; most of a large one are pictures.
LARGEST = 25_000_000
CPU_SECONDS, WALL_SECONDS = 20, 27
MEMORY_BYTES = 1024**3

BRING = "Bring the policy as Word (.docx), PDF or plain text."


class FileKind(StrEnum):
    """What can be read."""

    WORD = "Word"
    PDF = "PDF"
    TEXT = "plain text"


_NAMES = {
    FileKind.WORD: {"docx"},
    FileKind.PDF: {"pdf"},
    FileKind.TEXT: {"", "txt", "text", "md", "markdown", "html", "htm"},
}
#: How files begin that people bring by mistake.
_OTHERS = (
    (b"{\\rtf", "an RTF file. Open it in Word, save it as a Word document (.docx)"),
    (b"\x89PNG", "a picture. Bring the file that it was made from"),
    (b"\xff\xd8\xff", "a picture. Bring the file that it was made from"),
    (b"GIF8", "a picture. Bring the file that it was made from"),
    (b"II*\x00", "a picture. Bring the file that it was made from"),
    (b"MM\x00*", "a picture. Bring the file that it was made from"),
    (b"MZ", "a program. Bring the policy as Word (.docx), PDF or plain text"),
    (b"\x7fELF", "a program. Bring the policy as Word (.docx), PDF or plain text"),
    (b"Rar!", "an archive. Take the policy out of it"),
    (b"7z\xbc\xaf", "an archive. Take the policy out of it"),
    (b"\x1f\x8b", "an archive. Take the policy out of it"),
    (b"%!PS", "a PostScript file. Save it as PDF"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(content: bytes, name: str) -> FileKind:
    """What a file is, by what is in it. Raises ImportRefused for other kinds and for names that say something else."""
    kind = _kind(content, name)
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in _NAMES[kind]:
        known = next((one for one, names in _NAMES.items() if ending in names), None)
        if kind is FileKind.TEXT:
            expected = f"{known.value} file" if known else f".{ending} file"
            raise ImportRefused(f"“{name}” is named like a {expected}, but it is not one. {BRING}")
        raise ImportRefused(
            f"“{name}” is a {kind.value} file with another ending in its name. Give it the ending "
            f".{min(_NAMES[kind])} and bring it again, or bring plain text."
        )
    return kind


def _kind(content: bytes, name: str) -> FileKind:
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise ImportRefused(
                f"“{name}” is protected by a password. Open it in Word, take the password away, and bring it again."
            )
        raise ImportRefused(
            f"“{name}” is in an old format of Word or Office (.doc). Open it in Word, choose “Save as”, Word document "
            "(.docx), and bring it again."
        )
    for start, said in _OTHERS:
        if content.startswith(start):
            raise ImportRefused(f"“{name}” is {said} and bring that.")
    pdf = b"%PDF-" in content[:1024]
    packed = content.startswith((b"PK\x03\x04", b"PK\x05\x06"))
    if pdf and (packed or zipfile.is_zipfile(io.BytesIO(content))):
        raise ImportRefused(
            f"“{name}” is two kinds of file in one, which can hide harm. It was not read. {BRING}"
        )
    if pdf:
        return FileKind.PDF
    return FileKind.WORD if packed else FileKind.TEXT


def read_file(content: bytes, name: str) -> Reading:
    """Read a Word, PDF or text file. Nothing is saved.

    Every word of the file is in the reading or, with the reason, in `dropped`. Word and PDF are read in a child
    process with limits. Raises ImportRefused with a message that says what to bring instead.
    """
    kind = kind_of(content, name)
    if kind is FileKind.TEXT:
        return text.read_bytes(content, name)
    if len(content) > LARGEST:
        raise ImportRefused(
            f"“{name}” is larger than {LARGEST // 1_000_000} MB. Take out its pictures, or bring it in parts."
        )
    reader = _reader(kind)  # loaded before the fork, and once
    try:
        answer = run_confined(
            lambda: _answer(reader, content, name),
            cpu_seconds=CPU_SECONDS,
            memory_bytes=MEMORY_BYTES,
            wall_seconds=WALL_SECONDS,
        )
    except Ended:
        raise ImportRefused(_too_much(name)) from None
    said = json.loads(answer)
    if "refused" in said:
        raise ImportRefused(said["refused"])
    return unpack(said["reading"])


def _reader(kind: FileKind) -> Callable[[bytes, str], Reading]:
    """What reads this kind. Loaded when the first such file comes: most processes never see one."""
    if kind is FileKind.WORD:
        from trustportal.policies.importing.word.reading import read_word

        return read_word
    from trustportal.policies.importing.pages.reading import read_pdf

    return read_pdf


def _answer(reader: Callable[[bytes, str], Reading], content: bytes, name: str) -> bytes:
    try:
        said: dict[str, Any] = {"reading": pack(reader(content, name))}
    except RuleBroken as refused:
        said = {"refused": refused.message}
    except (MemoryError, RecursionError):
        said = {"refused": _too_much(name)}
    except Exception:
        if memory_was_short():
            return json.dumps({"refused": _too_much(name)}).encode()
        # The child is asked to read what strangers made: whatever it stumbles over is told, and written to the log.
        logging.getLogger(__name__).exception("a file could not be read")
        said = {
            "refused": f"“{name}” could not be read: it is damaged, or built in a way that we do not know. Open it, "
            "save it anew and bring the new copy, or bring it as plain text."
        }
    return json.dumps(said).encode()


def _too_much(name: str) -> str:
    return f"“{name}” takes too long or too much memory to read. Bring it in parts, or as plain text."
