"""What somebody typed to search for, as PostgreSQL's full-text search asks it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["CLOSE", "LONGEST", "OPEN", "Part", "marked", "parts_of", "snippet"]

#: More than that nobody types into a search box.
LONGEST = 200
#: Shorter pieces of words stand in nearly every clause, and no index finds them.
SHORTEST_PIECE = 3
#: Around a found word, until the page marks it. Private use: they stand in no real text.
OPEN, CLOSE = "\ue010", "\ue011"
#: So many words of a clause are shown around what was found, at so many of the places where it was found.
AROUND, PLACES = 16, 2
FEW = 4
_PART = re.compile(r'"([^"]*)"|(\S+)')
_WORD = re.compile(r"[^\W_]+(?:['’.\-&][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is asked for. `query`: for full-text search; `piece`: what may also stand inside a word."""

    query: str
    piece: str | None = None

    @property
    def pattern(self) -> str | None:
        """The piece as ILIKE asks it."""
        return None if self.piece is None else "%" + re.sub(r"([\\%_])", r"\\\1", self.piece) + "%"


def parts_of(typed: str) -> tuple[Part, ...]:
    """All the words, each also as a piece of a longer one; words in quotation marks exactly, and in that order.

    () where there is no word. Nothing that is typed is an operator.
    """
    found: list[Part] = []
    for phrase, plain in _PART.findall(typed[:LONGEST]):
        words = _WORD.findall(phrase or plain)
        if phrase and words:
            found.append(Part("(" + " <-> ".join(_quoted(word) for word in words) + ")"))
        else:
            found += [
                Part(f"{_quoted(word)}:*", word if len(word) >= SHORTEST_PIECE else None) for word in words
            ]
    return tuple(dict.fromkeys(found))


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''").replace("\\", "") + "'"


def marked(text: str, pieces: Iterable[str]) -> str:
    """A text with every place of the pieces between OPEN and CLOSE, in capitals or not."""
    wanted = sorted({piece for piece in pieces if piece}, key=len, reverse=True)
    if not wanted:
        return text
    return re.sub("|".join(map(re.escape, wanted)), rf"{OPEN}\g<0>{CLOSE}", text, flags=re.IGNORECASE)


def snippet(text: str, pieces: Iterable[str]) -> str:
    """The first places of a text where a piece stands, marked, with the words around them."""
    words = marked(" ".join(text.split()), pieces).split(" ")
    shown: list[tuple[int, int]] = []
    for at in (place for place, word in enumerate(words) if OPEN in word):
        if shown and at < shown[-1][1]:
            continue
        if len(shown) == PLACES:
            break
        begin = max(shown[-1][1] if shown else 0, at - AROUND // 2)
        # A few words are not cut off for dots in their stead.
        shown.append((0 if begin < FEW else begin, min(len(words), at + AROUND)))
    if not shown:
        shown = [(0, min(len(words), 2 * AROUND))]
    before, after = "… " if shown[0][0] else "", " …" if shown[-1][1] < len(words) else ""
    return before + " … ".join(" ".join(words[begin:end]) for begin, end in shown) + after
