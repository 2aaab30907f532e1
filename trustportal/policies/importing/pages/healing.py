"""Words that a line end divided, made whole again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Healer"]

_SOFT = "\u00ad"
_DIVIDED = re.compile(r"(?P<before>[^\W\d_]{2,})(?P<hyphen>[-\u2010\u00ad])$")
_GOES_ON = re.compile(r"(?P<after>[^\W\d_]{2,})")
#: First parts of words that keep their hyphen in British English.
_PREFIXES = frozenset(
    [
        "all",
        "anti",
        "co",
        "cross",
        "ex",
        "extra",
        "face",
        "follow",
        "full",
        "half",
        "high",
        "in",
        "inter",
        "large",
        "last",
        "long",
        "low",
        "mid",
        "multi",
        "near",
        "non",
        "off",
        "old",
        "on",
        "one",
        "out",
        "over",
        "part",
        "peer",
        "post",
        "pre",
        "pro",
        "re",
        "self",
        "semi",
        "short",
        "single",
        "small",
        "sub",
        "thirty",
        "time",
        "twenty",
        "two",
        "under",
        "up",
        "well",
        "whole",
        "world",
        "year",
    ]
)


@dataclass(slots=True)
class Healer:
    """Decides by the words that the text has elsewhere. `guessed`: what was joined without another proof.

    `made`: each (first part, second part, whole) that was joined to one word, for the count of words.
    """

    known: frozenset[str]
    guessed: list[str] = field(default_factory=list)
    made: list[tuple[str, str, str]] = field(default_factory=list)

    @classmethod
    def knowing(cls, text: Iterable[str]) -> Healer:
        """One that knows the words of these lines, those with a hyphen inside too; not what stands at a line end."""
        found: set[str] = set()
        for line in text:
            words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*-?", line.casefold())
            if words and words[-1].endswith("-"):
                words.pop()
            found.update(words)
        return cls(frozenset(found))

    def join(self, before: str, after: str) -> str:
        """Two lines of one paragraph as one text. A hyphen that belongs to the word stays, and so does every letter."""
        before, after = before.rstrip(), after.lstrip()
        divided, goes_on = _DIVIDED.search(before), _GOES_ON.match(after)
        if not before or not after:
            return before + after
        if divided is None or goes_on is None:
            ends_open = before.endswith(("-", "/", "\u2010")) and not before.endswith((" -", " /"))
            return before + ("" if ends_open and len(before) > 1 else " ") + after
        first, second = divided["before"], goes_on["after"]
        if divided["hyphen"] != _SOFT and (second[:1].isupper() or self._keeps(first, second)):
            return before + after
        self.made.append((first, second, first + second))
        if divided["hyphen"] != _SOFT and (first + second).casefold() not in self.known:
            self.guessed.append(first + second)
        return before[: divided.start("hyphen")] + after

    def _keeps(self, first: str, second: str) -> bool:
        whole = (first + second).casefold()
        if f"{first}-{second}".casefold() in self.known:
            return True
        return whole not in self.known and first.casefold() in _PREFIXES
