"""The words that people sign. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from trustportal.errors import RuleBroken

USUAL_STATEMENT = (
    "I have read and understood {policy}, edition {edition}, as it applies at {place},"
    " and I agree to follow it."
)
SLOTS = ("policy", "edition", "place")
#: Of the statement about an outside document.
DOCUMENT_SLOTS = ("document", "edition", "publisher", "parts", "place")
_SLOT = re.compile(r"\{([^{}]*)\}")


def check_statement(statement: str, slots: Sequence[str] = SLOTS) -> str:
    """A statement with its spaces tidied. Raises `RuleBroken` where nobody could sign it."""
    tidy = " ".join(statement.split())
    if len(tidy) < 20:
        raise RuleBroken("Write the sentence that people agree to.", "statement")
    if len(tidy) > 1000:
        raise RuleBroken("The statement can have up to 1,000 characters.", "statement")
    for name in _SLOT.findall(tidy):
        if name not in slots:
            usable = [f"{{{slot}}}" for slot in slots]
            named = f"{', '.join(usable[:-1])} and {usable[-1]}"
            raise RuleBroken(f"“{{{name}}}” cannot be filled in. Use {named}.", "statement")
    return tidy


def worded(statement: str, **values: str) -> str:
    """The statement as one person sees it: with the policy, its edition and the place, or what an outside document
    says of itself.
    """
    return _SLOT.sub(lambda found: values.get(found.group(1), found.group(0)), statement)


def statement_version(words: str) -> str:
    """What the form carries, so that nobody signs other words than they saw: SHA-256 in hex."""
    return hashlib.sha256(words.encode()).hexdigest()
