"""Three-way merging, word by word: what the trust changed and what the school changed, where they do not touch.

The alignment of three texts is the `merge3` library's; the rule of when two changes are too close is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from merge3 import Merge3

from trustportal.policies.domain.alignment import blocks, tokens, words_in

__all__ = ["LEAST_WORDS_BETWEEN", "ConflictFound", "Merged", "merge3", "tokens"]

#: Changes of the two sides with fewer unchanged words than this between them conflict.
LEAST_WORDS_BETWEEN = 3


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides' changes are in `text`."""

    text: str


@dataclass(frozen=True, slots=True)
class ConflictFound:
    """The sides changed the same place. The first such place: what stood there, and what each side made of it."""

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class _Region:
    """A stretch of the three texts: `side` is same, unchanged, ours, theirs or conflict."""

    side: str
    base: tuple[int, int]
    ours: tuple[int, int]
    theirs: tuple[int, int]


class _Matcher:
    """`merge3` asks for a class like `difflib.SequenceMatcher`; only the matching blocks are used."""

    def __init__(self, isjunk: object, a: Sequence[str], b: Sequence[str], autojunk: bool = True) -> None:
        self._a, self._b = a, b

    def get_matching_blocks(self) -> list[tuple[int, int, int]]:
        return [*blocks(self._a, self._b), (len(self._a), len(self._b), 0)]


def merge3(base: str, ours: str, theirs: str) -> Merged | ConflictFound:
    """Merge two texts that both come from `base`.

    Identical changes merge. Changes at one point conflict, and so do changes with fewer than three unchanged words
    between them. Symmetric: swapping the sides gives the same text, or the same conflict with its labels swapped.
    """
    if ours in (theirs, base):
        return Merged(theirs)
    if theirs == base:
        return Merged(ours)
    three = (tokens(base), tokens(ours), tokens(theirs))
    regions = _regions(*three)
    found = _too_close(regions, three[0])
    if found is not None:
        first, last = found
        return ConflictFound(
            "".join(three[0][first.base[0] : last.base[1]]),
            "".join(three[1][first.ours[0] : last.ours[1]]),
            "".join(three[2][first.theirs[0] : last.theirs[1]]),
        )
    out: list[str] = []
    for region in regions:
        if region.side == "theirs":
            out.extend(three[2][slice(*region.theirs)])
        else:
            out.extend(three[1][slice(*region.ours)])
    return Merged("".join(out))


def _regions(base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]) -> list[_Region]:
    merging = Merge3(base, ours, theirs, sequence_matcher=cast("type", _Matcher))
    regions: list[_Region] = []
    z = a = b = 0
    for z_from, z_to, a_from, a_to, b_from, b_to in merging.find_sync_regions():
        if z_from > z or a_from > a or b_from > b:
            old, left, right = base[z:z_from], ours[a:a_from], theirs[b:b_from]
            if left == right:
                side = "same"
            elif right == old:
                side = "ours"
            elif left == old:
                side = "theirs"
            else:
                side = "conflict"
            regions.append(_Region(side, (z, z_from), (a, a_from), (b, b_from)))
        if z_to > z_from:
            regions.append(_Region("unchanged", (z_from, z_to), (a_from, a_to), (b_from, b_to)))
        z, a, b = z_to, a_to, b_to
    return regions


def _too_close(regions: list[_Region], base: tuple[str, ...]) -> tuple[_Region, _Region] | None:
    """The first and last region of the first place where the sides meet; None where they keep apart."""
    last: _Region | None = None
    between = 0
    for region in regions:
        if region.side == "conflict":
            return region, region
        if region.side == "unchanged":
            between += words_in(base[slice(*region.base)])
        elif region.side in ("ours", "theirs"):
            if last is not None and last.side != region.side and between < LEAST_WORDS_BETWEEN:
                return last, region
            last, between = region, 0
    return None
