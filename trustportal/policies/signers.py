"""Who signs what is not this feature's business: whoever knows it registers here, and pages show the figures.

provide_signers(would_ask, asked)          # in the install(app) of the feature that collects signatures
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Protocol
from uuid import UUID


class WouldAsk(Protocol):
    """How many people would be asked to sign, if a place's policy had a new edition on a day."""

    def __call__(self, policy_id: UUID, school_id: UUID | None, *, material: bool, on: date) -> int: ...


#: Place -> how many people were asked to sign because of a version.
Asked = Callable[[UUID], Mapping[UUID | None, int]]
_known: list[tuple[WouldAsk, Asked]] = []


def provide_signers(would_ask: WouldAsk, asked: Asked) -> None:
    """Register who counts; registering again changes nothing."""
    if (would_ask, asked) not in _known:
        _known.append((would_ask, asked))


def would_ask(policy_id: UUID, school_id: UUID | None, *, material: bool, on: date) -> int | None:
    """How many people would be asked to sign again at a place; None where nobody counts."""
    if not _known:
        return None
    return sum(one(policy_id, school_id, material=material, on=on) for one, _ in _known)


def asked(version_id: UUID) -> Mapping[UUID | None, int] | None:
    """How many people were asked to sign because of a version, by place; None where nobody counts."""
    if not _known:
        return None
    found: dict[UUID | None, int] = {}
    for _, one in _known:
        for place, count in one(version_id).items():
            found[place] = found.get(place, 0) + count
    return found
