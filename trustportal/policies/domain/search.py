"""What somebody typed to search for, as PostgreSQL's full-text search asks it. Pure."""

from __future__ import annotations

import re

__all__ = ["LONGEST", "ts_query"]

#: More than that nobody types into a search box.
LONGEST = 200
_PART = re.compile(r'"([^"]*)"|(\S+)')
_WORD = re.compile(r"[^\W_]+(?:['’.\-&][^\W_]+)*")


def ts_query(typed: str) -> str:
    """All the words, each also as the beginning of a longer one; words in quotation marks exactly, and in that order.

    "" where there is no word. Nothing that is typed is an operator.
    """
    found: list[str] = []
    for phrase, plain in _PART.findall(typed[:LONGEST]):
        words = [_quoted(word) for word in _WORD.findall(phrase or plain)]
        if phrase and words:
            found.append("(" + " <-> ".join(words) + ")")
        else:
            found += [f"{word}:*" for word in words]
    return " & ".join(found)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''").replace("\\", "") + "'"
