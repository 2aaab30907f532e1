"""Anchors: what stands in one, and what does not fit a chain any more. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

#: How long after a failed try the time stamping authority is asked again.
AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Anchored:
    """Where a chain stood on a day. `head`: SHA-256 of its last link, in hex."""

    trust_id: UUID
    on: date
    position: int
    head: str


def words_of(anchored: Anchored) -> bytes:
    """What is stamped: the same facts give the same bytes."""
    return json.dumps(
        {
            "anchor": 1,
            "head": anchored.head,
            "on": anchored.on.isoformat(),
            "position": anchored.position,
            "trust": str(anchored.trust_id),
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def words_of_many(trust_id: UUID, anchors: Iterable[tuple[str, Anchored]]) -> Mapping[date, bytes]:
    """What is stamped of many chains, for each day on which one was anchored: one fingerprint over all anchors up to
    that day, in whatever order they are given. `anchors`: the chain's name, and where it stood.
    """
    kept = hashlib.sha256()
    words: dict[date, bytes] = {}
    for name, one in sorted(anchors, key=lambda each: (each[1].on, each[0])):
        kept.update(f"{one.on.isoformat()} {name} {one.position} {one.head}\n".encode())
        words[one.on] = words_of(Anchored(trust_id, one.on, 0, kept.hexdigest()))
    return words


def anchor_faults(anchors: Sequence[Anchored], links: Mapping[int, str], *, length: int) -> tuple[str, ...]:
    """What of a chain does not fit its anchors, in words. `links`: the hashes in hex at the anchored positions;
    `length`: how many links the chain has now.
    """
    wrong: list[str] = []
    for one in sorted(anchors, key=lambda each: each.on):
        day = one.on.isoformat()
        if one.position > length:
            wrong.append(f"The chain was cut: on {day} it had {one.position} links, and it has {length} now.")
        elif one.position not in links:
            wrong.append(f"Link {one.position}, with which the chain ended on {day}, is missing.")
        elif links[one.position] != one.head:
            wrong.append(f"Link {one.position} is not the one with which the chain ended on {day}.")
    return tuple(wrong)


def stamp_fault(on: date, *, stamped_at: datetime, made_at: datetime) -> str:
    """Why the time in a stamp cannot be right; "" where it can. An authority stamps after the anchor was made; its
    clock and ours may differ by some minutes.
    """
    if stamped_at < made_at - timedelta(minutes=10):
        return f"The time stamp of {on.isoformat()} is older than what it stamps."
    return ""
