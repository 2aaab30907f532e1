"""One-time codes for people without e-mail, who sign at a shared device. Pure: chance and time come in from the edge.

A code is ten characters that cannot be mistaken for each other, 48 bits. It opens one sitting; the sitting ends by
itself when nobody touches the device.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from trustportal.errors import RuleBroken

#: Without O, I, L, S, Z, B, U: whoever reads or types one of them is understood all the same.
ALPHABET = "0123456789ACDEFGHJKMNPQRTVWXY"
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1", "S": "5", "Z": "2", "B": "8", "U": "V"})
LENGTH = 10
#: For how long a printed code can be used.
USUAL_DAYS, MOST_DAYS = 14, 60
#: How long a device may be left alone, and how long a sitting lasts at most.
IDLE, LONGEST = timedelta(minutes=20), timedelta(minutes=90)
#: Wrong codes from one address in the window: a whole school may share it, so only failures count.
MOST_FAILURES, FAILURE_WINDOW = 20, timedelta(minutes=5)
METHOD = "printed code"

_REFUSED = (
    "This code is not right, was used before, or is too old."
    " Check each character, or ask the office for a new one."
)


def new_code(choose: Callable[[str], str]) -> str:
    """A fresh code as it is printed, "K7QM4-XR2DP". `choose` picks one character by chance that nobody can guess."""
    letters = "".join(choose(ALPHABET) for _ in range(LENGTH))
    return f"{letters[:5]}-{letters[5:]}"


def tidy(code: str) -> str:
    """A code as somebody typed it, without spaces and hyphens, in capitals, look-alikes put right."""
    return "".join(letter for letter in code.upper() if letter.isalnum()).translate(_MEANT)


def code_hash(code: str, secret: str) -> bytes:
    """What is kept of a code: keyed with the installation's secret, so that the database alone opens nothing."""
    return hmac.new(secret.encode(), b"signing code:" + tidy(code).encode(), hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """A code that exists. `serves`: whether its person holds any role today."""

    code_id: UUID
    trust_id: UUID
    person_id: UUID
    expires_at: datetime
    used_at: datetime | None
    ended_at: datetime | None
    serves: bool


def check_code(found: CodeFacts | None, *, now: datetime) -> CodeFacts:
    """The code that may open a sitting. Raises `RuleBroken` with the same words for every reason."""
    if (
        found is None
        or found.used_at is not None
        or found.ended_at is not None
        or found.expires_at <= now
        or not found.serves
    ):
        raise RuleBroken(_REFUSED, "code")
    return found


def sitting_holds(*, began_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether somebody still sits at the device: not left alone for long, and not for ever."""
    return now - seen_at <= IDLE and now - began_at <= LONGEST


def check_days(days: int, *, today: date) -> date:
    """The last day of codes that are printed today. Raises `RuleBroken` for a number that is none."""
    if not 1 <= days <= MOST_DAYS:
        raise RuleBroken(f"Codes can be used for 1 to {MOST_DAYS} days.", "days")
    return today + timedelta(days=days)
