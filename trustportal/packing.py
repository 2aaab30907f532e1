"""Files that are taken away: names that every system unpacks, lists, and a ZIP that is written in steps. Loads nothing.

A large ZIP is written by several jobs, on whichever machine: each writes some members with `Steps`, keeps the bytes,
and hands on what the directory at the end has to say of them. A step lies on the disk, never in memory.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from trustportal.spreadsheets import harmless

#: The same content gives the same bytes: members of a ZIP carry no time of their own.
TIME = (1980, 1, 1, 0, 0, 0)
_READ = 1 << 20


def slug(words: str) -> str:
    """Letters, digits and hyphens, so that every system can unpack it."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60] or "unnamed"


def whole(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of files that fit into memory."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, TIME), files[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def sums(files: Mapping[str, bytes]) -> bytes:
    """The hash of each file, as `sha256sum -c` reads it."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A list as spreadsheets open it; no cell is calculated."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


# -- a ZIP in steps ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a ZIP, as its directory and a manifest name it. Sizes in bytes; `starts_at`: where its header is."""

    name: str
    sha256: str
    size: int
    packed: int
    crc: int
    method: int
    starts_at: int

    def entry(self) -> zipfile.ZipInfo:
        """As the directory of the ZIP lists it."""
        info = zipfile.ZipInfo(self.name, TIME)
        info.compress_type, info.CRC, info.header_offset = self.method, self.crc, self.starts_at
        info.compress_size, info.file_size = self.packed, self.size
        info.external_attr = 0o600 << 16
        return info


class _Tail(io.RawIOBase):
    """The end of a file of which the first `base` bytes lie elsewhere: written here, counted from the beginning."""

    def __init__(self, file: IO[bytes], base: int) -> None:
        self._file, self._base, self._at = file, base, base

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            offset += self._base + self._file.seek(0, io.SEEK_END)
        elif whence == io.SEEK_CUR:
            offset += self._at
        self._at = max(offset, 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Nothing: no directory is found in what there is, and members are added after it."""
        return b""

    def truncate(self, size: int | None = None) -> int:
        """Cut off what stands after a position (None: the present one)."""
        end = self._at if size is None else size
        self._file.truncate(end - self._base)
        return end

    def write(self, content: Any) -> int:
        if self._at < self._base:
            raise OSError("what lies elsewhere is not written again")
        self._file.seek(self._at - self._base)
        written = self._file.write(content)
        self._at += written
        return written


class Steps:
    """One step of writing a ZIP, after `base` bytes of earlier steps.

    with Steps(base) as step:
        step.add("people.csv", content)
        with step.open("records.jsonl") as write: write(line); write(line)
    for piece in step.pieces(size): …          # the bytes of this step
    step.members                               # what the last step's `finish` needs of every step
    """

    def __init__(self, base: int) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__ or `pieces`
        self._base = base
        # What was written before is no ZIP yet: zipfile then appends, and counts from where it stands.
        self._zip = zipfile.ZipFile(_Tail(self._file, base), "a", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._end = base
        self.members: list[Member] = []
        self._finished = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self._zip.close()
            # The directory that closing wrote comes with the last step only.
            self._file.truncate(self._end - self._base)
        if kind is not None:
            self._file.close()

    @property
    def size(self) -> int:
        """How many bytes this step has written."""
        return self._end - self._base

    def add(self, name: str, content: bytes) -> None:
        """A file that fits into memory."""
        with self.open(name) as write:
            for at in range(0, len(content), _READ):
                write(content[at : at + _READ])

    def open(self, name: str) -> _Writing:
        """A file that is written bit by bit: the context gives the function to call with bytes."""
        return _Writing(self, name)

    def _written(self, member: Member) -> None:
        self.members.append(member)
        self._end = self._zip.start_dir

    def finish(self, earlier: Iterable[Member]) -> None:
        """Write the directory at the end. `earlier`: the members of all steps before."""
        self._zip.filelist[:0] = [member.entry() for member in earlier]
        self._zip.close()
        self._finished = True

    def pieces(self, size: int) -> Iterator[bytes]:
        """The bytes of this step, in pieces of up to `size` bytes; then they are gone from the disk."""
        self._file.seek(0)
        while piece := self._file.read(size):
            yield piece
        self._file.close()


class _Writing:
    def __init__(self, step: Steps, name: str) -> None:
        self._step = step
        self._info = zipfile.ZipInfo(name, TIME)
        # A PDF or picture is packed already.
        packed = name.endswith((".pdf", ".png", ".jpg", ".jpeg", ".docx", ".xlsx", ".zip"))
        self._info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        self._info.external_attr = 0o600 << 16
        self._hash, self._size = hashlib.sha256(), 0

    def __enter__(self) -> Any:
        self._into = self._step._zip.open(self._info, "w", force_zip64=False)
        return self._write

    def _write(self, content: bytes) -> None:
        self._hash.update(content)
        self._size += len(content)
        self._into.write(content)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._into.close()
        info = self._info
        if kind is None:
            self._step._written(
                Member(
                    info.filename,
                    self._hash.hexdigest(),
                    self._size,
                    info.compress_size,
                    info.CRC,
                    info.compress_type,
                    info.header_offset,
                )
            )


def pretty(value: Any) -> bytes:
    """JSON that people can read; days and instants as ISO 8601."""
    return (json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n").encode()
