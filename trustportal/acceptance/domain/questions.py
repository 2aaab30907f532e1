"""Asking instead of signing: whom a question or a refusal goes to, and what an answer must be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from trustportal.errors import RuleBroken

LONGEST = 4000


class Asking(StrEnum):
    """What somebody does instead of signing."""

    QUESTION = "question"
    REFUSAL = "refusal"


class To(StrEnum):
    """Whom somebody would rather ask."""

    HEAD = "head"
    LINE_MANAGER = "line_manager"


@dataclass(frozen=True, slots=True)
class Around:
    """The people around somebody at a place. At the trust itself `heads` are the chief executives."""

    line_managers: Sequence[UUID]
    heads: Sequence[UUID]
    hr_leads: Sequence[UUID]
    network_managers: Sequence[UUID]


def check_words(words: str, asking: Asking) -> str:
    """What somebody wrote, tidied. Raises `RuleBroken` where there is nothing to answer."""
    tidy = "\n".join(line.rstrip() for line in words.strip().splitlines())
    if not tidy:
        said = (
            "Write your question."
            if asking is Asking.QUESTION
            else "Write why you do not sign, in a sentence or two."
        )
        raise RuleBroken(said, "words")
    if len(tidy) > LONGEST:
        raise RuleBroken(f"Keep it to {LONGEST:,} characters.", "words")
    return tidy


def check_answer(answer: str) -> str:
    """An answer, tidied. Raises `RuleBroken` for none."""
    tidy = "\n".join(line.rstrip() for line in answer.strip().splitlines())
    if not tidy:
        raise RuleBroken("Write an answer, or what you have agreed.", "answer")
    if len(tidy) > LONGEST:
        raise RuleBroken(f"Keep it to {LONGEST:,} characters.", "answer")
    return tidy


def route(asking: Asking, to: To, around: Around, *, asker: UUID) -> tuple[UUID, ...]:
    """Who is asked. Never the asker; nobody at the place: the trust's HR lead, then its network managers.

    A question goes to the one who was chosen. A refusal goes to the line managers and the heads, since somebody has to
    speak with the person; a head's own goes to the trust.
    """

    def others(people: Iterable[UUID]) -> list[UUID]:
        return [one for one in dict.fromkeys(people) if one != asker]

    managers, heads = others(around.line_managers), others(around.heads)
    if asking is Asking.REFUSAL:
        chosen = [*managers, *(one for one in heads if one not in managers)]
    elif to is To.LINE_MANAGER:
        chosen = managers or heads
    else:
        chosen = heads or managers
    return tuple(chosen or others(around.hr_leads) or others(around.network_managers))
