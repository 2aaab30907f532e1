"""What every chapter of an archive shares: what is wanted, and how values are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from trustportal.packing import Steps


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an archive is of. `agreed_by`: the two who agreed to cases, or nobody."""

    archive_id: UUID
    school_id: UUID | None
    agreed_by: frozenset[UUID]
    now: datetime


#: Writes from where the last call stopped ("": the beginning), and returns where to go on ("": it is done).
Write = Callable[[Wanted, str, Steps], str]


def plain(value: Any) -> Any:
    """A column's value as JSON holds it: bytes in hexadecimal, days and instants as ISO 8601."""
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def lines(write: Callable[[bytes], None], items: Iterable[Any]) -> None:
    """A JSON array, an item a line, however many there are."""
    between = b"[\n"
    for item in items:
        write(between + json.dumps(item, ensure_ascii=False, default=str).encode())
        between = b",\n"
    write(b"[]\n" if between == b"[\n" else b"\n]\n")
