"""Work on what strangers made, in a child process with limits of time and memory.

A parser that a file drives into endless work or memory takes the child with it, not the worker or the web process.
The child is forked, so nothing has to be loaded again; it opens no connection and runs no exit handler.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import struct
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

__all__ = ["Ended", "memory_was_short", "run_confined"]

#: How the child's answer begins: its length. A shorter answer was cut off.
_LENGTH = struct.Struct(">Q")


#: In a child: the address space that it began with, and by how much it may grow, in bytes.
_may_grow: tuple[int, int] | None = None


class Ended(Exception):
    """The work was ended by a limit before it could answer."""


def run_confined(
    work: Callable[[], bytes], *, cpu_seconds: int, memory_bytes: int, wall_seconds: float | None = None
) -> bytes:
    """What `work` returns, computed in a child that ends after `cpu_seconds` or when it grows by `memory_bytes`.

    `wall_seconds` (three times the processor's by default) ends a child that waits instead of working. `work` catches
    its own exceptions and says in its answer what they mean; one that gets out counts as ended. Raises `Ended`.
    """
    # The folder is the child's place for temporary files: one that is killed cannot tidy up after itself.
    with tempfile.TemporaryDirectory(prefix="trustportal-confined-") as folder:
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            # From Python 3.12 on, forking beside threads warns: the child takes no lock that another thread may hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            os.close(reader)
            _in_the_child(writer, folder, work, cpu_seconds, memory_bytes)
        os.close(writer)
        answer: bytes | None = None
        try:
            answer = _read(reader, time.monotonic() + (wall_seconds or 3 * cpu_seconds))
        finally:
            os.close(reader)
            if answer is None:
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if answer is None or len(answer) < _LENGTH.size:
        raise Ended
    if _LENGTH.unpack_from(answer)[0] != len(answer) - _LENGTH.size:
        raise Ended
    return answer[_LENGTH.size :]


def _read(reader: int, until: float) -> bytes | None:
    """All that comes before the pipe is closed; None when the time is up."""
    parts: list[bytes] = []
    while (left := until - time.monotonic()) > 0:
        if not select.select([reader], [], [], left)[0]:
            break
        part = os.read(reader, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return None


def _in_the_child(
    writer: int, folder: str, work: Callable[[], bytes], cpu_seconds: int, memory_bytes: int
) -> None:
    """Never returns, and runs none of the parent's exit handlers: its connections are not ours to close."""
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
        tempfile.tempdir = folder
        _note_growth(_address_space(), memory_bytes)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        answer = work()
        left = memoryview(_LENGTH.pack(len(answer)) + answer)
        while left:
            left = left[os.write(writer, left) :]
    finally:
        os._exit(0)


def _note_growth(begun: int, memory_bytes: int) -> None:
    global _may_grow
    _may_grow = (begun, memory_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (begun + memory_bytes, begun + memory_bytes))


def memory_was_short() -> bool:
    """In a child that met a fault: whether it had used most of the memory that it may. Libraries in C say in many ways
    that they got none, and few of them are a `MemoryError`. (Unknown, and so False, where there is no /proc.)
    """
    if _may_grow is None:
        return False
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        return False
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmPeak:"))
    begun, most = _may_grow
    return peak - begun > most * 3 // 4


def _address_space() -> int:
    """How much address space this process has: what a limit for the child is counted from."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except FileNotFoundError:  # macOS: the most memory that was in use stands in for it
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()
