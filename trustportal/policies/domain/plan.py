"""The plan of a rebase: what became of each of a school's answers, and what a head can decide. `rebase` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from trustportal.policies.domain.answers import Added, Answer, Override
from trustportal.policies.domain.clauses import Tree, Weight, Words

__all__ = ["Choice", "Pending", "Plan", "Settled", "Situation"]


class Situation(StrEnum):
    """What happened to one answer. The first group is settled and told; the second waits for the head."""

    EQUAL = "equal"  # the trust's new text is ours: the override is dropped
    RELOCKED = "relocked"  # the mode no longer allows it: the trust's text
    GONE = "gone"  # left out here, and now deleted by the trust

    MERGED = "merged"  # both changed, apart from each other: to confirm
    CONFLICT = "conflict"  # both changed the same place
    DELETED = "deleted"  # the trust deleted a clause that the school had adapted
    LEFT_OUT_CHANGED = (
        "left_out_changed"  # the trust changed what the school leaves out, or put clauses into it
    )
    ANCHOR_DELETED = "anchor_deleted"  # the trust deleted the clause that an addition stood after


class Choice(StrEnum):
    """What a head can decide."""

    CONFIRM = "confirm"
    KEEP_OURS = "keep_ours"
    TAKE_THEIRS = "take_theirs"
    KEEP_BOTH = "keep_both"
    WRITE = "write"
    KEEP_AS_ADDED = "keep_as_added"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Settled:
    """An answer that ended without a decision; the school is told, and `ours` stays in the history."""

    key: str
    situation: Situation
    ours: Words
    theirs: Words
    reason: str
    message: str
    added: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "situation": self.situation.value,
            "ours": self.ours.to_json(),
            "theirs": self.theirs.to_json(),
            "reason": self.reason,
            "message": self.message,
            "added": self.added,
        }


@dataclass(frozen=True, slots=True)
class Pending:
    """An answer that waits for the head: the trust's old words, the trust's new words, the school's, and the merge.

    `anchor`: after which clause it would stand as an added one. `below`: the trust's words under a left-out part,
    so that a decision about it is kept only while they stay.
    """

    key: str
    situation: Situation
    answer: Answer
    base: Words
    theirs: Words | None
    ours: Words
    merged: Words | None
    reason: str
    choices: tuple[Choice, ...]
    weight: Weight = Weight.MATERIAL
    anchor: str = ""
    below: tuple[Words, ...] = ()

    def same_texts(self, other: Pending) -> bool:
        """Whether a decision about `other` still answers this: same question, and the three texts did not change."""
        return (self.key, self.situation, self.answer, self.base, self.theirs, self.ours, self.below) == (
            other.key,
            other.situation,
            other.answer,
            other.base,
            other.theirs,
            other.ours,
            other.below,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "situation": self.situation.value,
            "answer": self.answer.value,
            "base": self.base.to_json(),
            "theirs": self.theirs.to_json() if self.theirs is not None else None,
            "ours": self.ours.to_json(),
            "merged": self.merged.to_json() if self.merged is not None else None,
            "reason": self.reason,
            "choices": [choice.value for choice in self.choices],
            "weight": self.weight.value,
            "anchor": self.anchor,
            "below": [words.to_json() for words in self.below],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            key=stored["key"],
            situation=Situation(stored["situation"]),
            answer=Answer(stored["answer"]),
            base=Words.from_json(stored["base"]),
            theirs=Words.from_json(stored["theirs"]) if stored.get("theirs") is not None else None,
            ours=Words.from_json(stored["ours"]),
            merged=Words.from_json(stored["merged"]) if stored.get("merged") is not None else None,
            reason=stored.get("reason") or "",
            choices=tuple(Choice(choice) for choice in stored["choices"]),
            weight=Weight(stored.get("weight", Weight.MATERIAL)),
            anchor=stored.get("anchor") or "",
            below=tuple(Words.from_json(words) for words in stored.get("below", ())),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a school's answers on the new version. All tuples are in the order of the new tree.

    `carried`: overrides that stand, made against the new text now. `added`: additions that stand. `settled`: ended,
    told. `pending`: wait for the head. `moved`: carried or pending keys whose clause has another place now.
    `follows`: clauses without an answer whose text, place or mode is new, or that are new or gone.
    """

    carried: tuple[Override, ...]
    added: tuple[Added, ...]
    settled: tuple[Settled, ...]
    pending: tuple[Pending, ...]
    moved: tuple[str, ...]
    follows: tuple[str, ...]
    new_tree: Tree

    @property
    def needs_decision(self) -> bool:
        return bool(self.pending)

    @property
    def overrides(self) -> dict[str, Override]:
        """The overrides that stand without any decision."""
        return {one.clause_key: one for one in self.carried}

    def of(self, situation: Situation) -> tuple[Settled | Pending, ...]:
        """The answers in one situation."""
        every: tuple[Settled | Pending, ...] = (*self.settled, *self.pending)
        return tuple(one for one in every if one.situation is situation)

    @property
    def dropped(self) -> tuple[Settled, ...]:
        return tuple(one for one in self.settled if one.situation is Situation.EQUAL)

    @property
    def relocked(self) -> tuple[Settled, ...]:
        return tuple(one for one in self.settled if one.situation is Situation.RELOCKED)

    @property
    def merged(self) -> tuple[Pending, ...]:
        return tuple(one for one in self.pending if one.situation is Situation.MERGED)

    @property
    def conflicts(self) -> tuple[Pending, ...]:
        return tuple(one for one in self.pending if one.situation is Situation.CONFLICT)

    @property
    def deleted(self) -> tuple[Pending, ...]:
        return tuple(one for one in self.pending if one.situation is Situation.DELETED)
