"""The count of words: that everything in a file is in its reading, or among what was left out with a reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from trustportal.policies.importing.marks import words
from trustportal.policies.importing.reading import Doubt, Reading, Uncertain, words_of

__all__ = ["accounted", "missing_words"]

_TARGET = re.compile(r"\]\((?:https?://|mailto:)[^\s()]*\)")
_MOST_SHOWN = 40


def missing_words(source: Iterable[str], reading: Reading) -> list[str]:
    """The words of `source`, in its order, that are neither in the reading nor among what was left out."""
    kept = Counter(words_of(reading))
    for one in reading.dropped:
        kept.update(words("\n".join((one.label, one.heading, one.text))))
    missing: list[str] = []
    for word in source:
        if kept[word]:
            kept[word] -= 1
        else:
            missing.append(word)
    return missing


def accounted(reading: Reading, source: Iterable[str]) -> Reading:
    """The reading, with a doubt that quotes the words of `source` that found no place, if there are any."""
    missing = missing_words(source, reading)
    if not missing:
        return reading
    shown = " ".join(missing[:_MOST_SHOWN]) + (" …" if len(missing) > _MOST_SHOWN else "")
    count = "One word" if len(missing) == 1 else f"{len(missing):,} words"
    reason = (
        f"{count} of the file could not be placed: “{shown}”. Look for them in the file and type them in."
    )
    doubt = Uncertain(None, reason, Doubt.UNPLACED_WORDS)
    return replace(reading, uncertain=(doubt, *reading.uncertain))


def without_targets(text: str) -> str:
    """Markdown without the addresses of its links: what is printed."""
    return _TARGET.sub("]", text)
