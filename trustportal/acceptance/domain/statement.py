"""The words that people sign. Pure."""

from __future__ import annotations

import hashlib
import re

from trustportal.errors import RuleBroken

USUAL_STATEMENT = (
    "I have read and understood {policy}, edition {edition}, as it applies at {place},"
    " and I agree to follow it."
)
SLOTS = ("policy", "edition", "place")
_SLOT = re.compile(r"\{([^{}]*)\}")


def check_statement(statement: str) -> str:
    """The statement of a campaign with its spaces tidied. Raises `RuleBroken` where nobody could sign it."""
    tidy = " ".join(statement.split())
    if len(tidy) < 20:
        raise RuleBroken("Write the sentence that people agree to.", "statement")
    if len(tidy) > 1000:
        raise RuleBroken("The statement can have up to 1,000 characters.", "statement")
    for name in _SLOT.findall(tidy):
        if name not in SLOTS:
            raise RuleBroken(
                f"“{{{name}}}” cannot be filled in. Use {{policy}}, {{edition}} and {{place}}.", "statement"
            )
    return tidy


def worded(statement: str, *, policy: str, edition: str, place: str) -> str:
    """The statement as one person sees it: with the policy, its edition and the place."""
    values = {"policy": policy, "edition": edition, "place": place}
    return _SLOT.sub(lambda found: values.get(found.group(1), found.group(0)), statement)


def statement_version(words: str) -> str:
    """What the form carries, so that nobody signs other words than they saw: SHA-256 in hex."""
    return hashlib.sha256(words.encode()).hexdigest()
