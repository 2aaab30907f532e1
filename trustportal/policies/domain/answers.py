"""A school's answers to the trust's clauses, and what each clause's mode allows. Nothing recorded means: inherit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from trustportal.errors import RuleBroken
from trustportal.policies.domain.clauses import Clause, Kind, Mode, Weight, Words, by_key, descendants

__all__ = [
    "Added",
    "Answer",
    "Override",
    "agreements_needed",
    "answers_from_json",
    "answers_to_json",
    "check_added",
    "check_answer",
    "check_override",
    "effective_override",
    "ours_of",
    "root_anchor",
]


class Answer(StrEnum):
    """What a school says to one clause. INHERIT is never recorded: it is the absence of an override."""

    INHERIT = "inherit"
    REPLACE = "replace"
    LEAVE_OUT = "leave_out"


@dataclass(frozen=True, slots=True)
class Override:
    """One school's answer about one clause. A heading or text of None means: as the trust's.

    `base_heading` and `base_text` are the trust's words that the answer was made against.
    """

    clause_key: str
    answer: Answer
    heading: str | None
    text: str | None
    reason: str
    base_heading: str
    base_text: str
    weight: Weight = Weight.MATERIAL

    @property
    def base(self) -> Words:
        return Words(self.base_heading, self.base_text)

    def to_json(self) -> dict[str, Any]:
        return {
            "clause_key": self.clause_key,
            "answer": self.answer.value,
            "heading": self.heading,
            "text": self.text,
            "reason": self.reason,
            "base_heading": self.base_heading,
            "base_text": self.base_text,
            "weight": self.weight.value,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            clause_key=stored["clause_key"],
            answer=Answer(stored["answer"]),
            heading=stored.get("heading"),
            text=stored.get("text"),
            reason=stored.get("reason") or "",
            base_heading=stored.get("base_heading") or "",
            base_text=stored.get("base_text") or "",
            weight=Weight(stored.get("weight", Weight.MATERIAL)),
        )


@dataclass(frozen=True, slots=True)
class Added:
    """A clause of the school's own, after the clause `after` (the trust's, or another of its own), at its level.

    After a section or an appendix it becomes that one's last child.
    """

    key: str
    after: str
    heading: str
    text: str
    reason: str
    weight: Weight = Weight.MATERIAL

    @property
    def words(self) -> Words:
        return Words(self.heading, self.text)

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "after": self.after,
            "heading": self.heading,
            "text": self.text,
            "reason": self.reason,
            "weight": self.weight.value,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            key=stored["key"],
            after=stored["after"],
            heading=stored.get("heading") or "",
            text=stored.get("text") or "",
            reason=stored.get("reason") or "",
            weight=Weight(stored.get("weight", Weight.MATERIAL)),
        )


def answers_to_json(overrides: Mapping[str, Override], added: Iterable[Added]) -> dict[str, Any]:
    """As an edition freezes them: {"overrides": […], "added": […]}."""
    return {
        "overrides": [overrides[key].to_json() for key in sorted(overrides)],
        "added": [one.to_json() for one in added],
    }


def answers_from_json(stored: Mapping[str, Any]) -> tuple[dict[str, Override], tuple[Added, ...]]:
    overrides = [Override.from_json(one) for one in stored.get("overrides", ())]
    return {one.clause_key: one for one in overrides}, tuple(
        Added.from_json(one) for one in stored.get("added", ())
    )


def ours_of(override: Override, trust: Words) -> Words:
    """The school's words under an override, where the trust's are `trust`; nothing for a clause left out."""
    if override.answer is Answer.LEAVE_OUT:
        return Words()
    if override.answer is Answer.INHERIT:
        return trust
    return Words(
        trust.heading if override.heading is None else override.heading,
        trust.text if override.text is None else override.text,
    )


def effective_override(tree: Sequence[Clause], clause: Clause, override: Override) -> str | None:
    """Why the clause's mode forbids this override now, in plain English; None where it may stand."""
    if override.answer is Answer.INHERIT:
        return None
    if clause.mode is Mode.LOCKED:
        return "The trust has locked this clause, so its text cannot be changed by a school."
    if clause.mode is Mode.EXTEND:
        return "A school may add clauses after this one, but not change it or leave it out."
    if override.answer is Answer.LEAVE_OUT:
        clauses = by_key(tree)
        fixed = [key for key in descendants(tree, clause.key) if clauses[key].mode is not Mode.ADAPTABLE]
        if fixed:
            held = clauses[fixed[0]]
            name = (held.heading or held.text)[:60]
            return f"This part cannot be left out, because the trust does not allow “{name}” in it to be left out."
    return None


def check_override(tree: Sequence[Clause], override: Override) -> None:
    """Raise `RuleBroken` when this answer may not be recorded: mode, reason, words, or nothing to record."""
    clause = by_key(tree).get(override.clause_key)
    if clause is None:
        raise RuleBroken(
            "The trust's policy has no such clause. It may have been removed meanwhile.", "answer"
        )
    if override.answer is Answer.INHERIT:
        raise RuleBroken(
            "Using the trust's text is not recorded as an answer: remove the answer instead.", "answer"
        )
    forbidden = effective_override(tree, clause, override)
    if forbidden:
        raise RuleBroken(forbidden, "answer")
    if not override.reason.strip():
        raise RuleBroken("Give the reason for this change. It is shown to whoever approves it.", "reason")
    if override.answer is Answer.REPLACE:
        ours = ours_of(override, clause.words)
        if not (ours.heading.strip() or ours.text.strip()):
            raise RuleBroken("Write the clause, or choose to leave it out.", "text")
        if clause.kind is not Kind.CLAUSE and not ours.heading.strip():
            raise RuleBroken("A section, appendix or sub-heading needs a heading.", "heading")
        if ours == clause.words:
            raise RuleBroken(
                "This is the trust's text, word for word. Change it, or use the trust's text.", "text"
            )


def root_anchor(added: Iterable[Added], key: str) -> str:
    """The trust's clause after which a chain of added clauses begins; the key itself if it is not an added one."""
    after = {one.key: one.after for one in added}
    seen: set[str] = set()
    while key in after and key not in seen:
        seen.add(key)
        key = after[key]
    return key


def check_added(tree: Sequence[Clause], one: Added, added: Iterable[Added] = ()) -> None:
    """Raise `RuleBroken` when this clause may not be added. `added` are the school's others (it may include this)."""
    others = [other for other in added if other.key != one.key]
    clauses = by_key(tree)
    if one.key in clauses:
        raise RuleBroken(
            "The trust's policy has a clause with this key. The added clause needs its own.", "key"
        )
    anchor = clauses.get(root_anchor([*others, one], one.key))
    if anchor is None:
        raise RuleBroken(
            "The clause to add this after is not in the policy. It may have been removed.", "after"
        )
    if anchor.mode is Mode.LOCKED:
        raise RuleBroken(
            "The trust has locked this clause, so a school cannot add a clause after it.", "after"
        )
    if not one.reason.strip():
        raise RuleBroken("Give the reason for this addition. It is shown to whoever approves it.", "reason")
    if not (one.heading.strip() or one.text.strip()):
        raise RuleBroken("Write the clause that you want to add.", "text")


def check_answer(tree: Sequence[Clause], answer: Override | Added, added: Iterable[Added] = ()) -> None:
    """`check_override` or `check_added`, whichever it is."""
    if isinstance(answer, Added):
        check_added(tree, answer, added)
    else:
        check_override(tree, answer)


def agreements_needed(
    tree: Sequence[Clause], overrides: Mapping[str, Override], added: Iterable[Added] = ()
) -> tuple[str, ...]:
    """The keys of clauses that ask for the trust's agreement and that the school changes, leaves out or adds to."""
    additions = list(added)
    touched = set(overrides) | {root_anchor(additions, one.key) for one in additions}
    for key, override in overrides.items():
        if override.answer is Answer.LEAVE_OUT:
            touched.update(descendants(tree, key))
    return tuple(clause.key for clause in tree if clause.needs_agreement and clause.key in touched)
