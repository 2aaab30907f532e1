"""A head's decisions about a plan of `rebase`, and the answers that come of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from trustportal.errors import RuleBroken
from trustportal.policies.domain.answers import Added, Answer, Override
from trustportal.policies.domain.clauses import Clause, Kind, Words, by_key, fresh_key
from trustportal.policies.domain.plan import Choice, Pending, Plan, Situation

__all__ = ["Decision", "apply_decisions", "check_decision", "decided_words", "forced", "kept_decisions"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the head decided about one clause. `heading` and `text` only count for WRITE; a reason replaces the old."""

    choice: Choice
    text: str = ""
    heading: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "choice": self.choice.value,
            "text": self.text,
            "heading": self.heading,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            Choice(stored["choice"]),
            stored.get("text") or "",
            stored.get("heading") or "",
            stored.get("reason") or "",
        )


def check_decision(pending: Pending, decision: Decision) -> None:
    """Raise `RuleBroken` when this choice is not open here, or the words to write are missing."""
    if decision.choice not in pending.choices:
        raise RuleBroken("This choice is not open for this clause. Choose one of those shown.", "choice")
    had_text = any(words and words.text.strip() for words in (pending.ours, pending.theirs))
    if decision.choice is Choice.WRITE and not (
        decision.text.strip() or (decision.heading.strip() and not had_text)
    ):
        raise RuleBroken("Write the text that your school will use.", "text")


def decided_words(pending: Pending, decision: Decision) -> Words:
    """The words that the clause will have here: for showing a decision back. None of them if it is dropped."""
    if decision.choice is Choice.WRITE:
        return Words(decision.heading, decision.text)
    if decision.choice is Choice.CONFIRM:
        return pending.merged or Words()
    if decision.choice in (Choice.KEEP_OURS, Choice.KEEP_AS_ADDED):
        return pending.ours
    if decision.choice is Choice.DROP:
        return Words()
    return pending.theirs or Words()


def apply_decisions(
    plan: Plan, decisions: Mapping[str, Decision]
) -> tuple[dict[str, Override], tuple[Added, ...]]:
    """The school's answers on the new version: what stood by itself, and what was decided.

    Raises `RuleBroken` when a clause is undecided or a choice is not open. "Keep both" takes the trust's text and
    keeps ours as an added clause after it. A clause kept after its deletion keeps its key.
    """
    clauses = by_key(plan.new_tree)
    overrides = plan.overrides
    beside: list[Added] = []
    kept: list[Added] = []
    dropped: dict[str, str] = {}
    taken = {*clauses, *(one.key for one in plan.added), *(one.key for one in plan.pending)}
    for pending in plan.pending:
        decision = decisions.get(pending.key)
        if decision is None:
            raise RuleBroken("Decide every clause before you submit.", pending.key)
        check_decision(pending, decision)
        reason = decision.reason.strip() or pending.reason
        if pending.situation in (Situation.DELETED, Situation.ANCHOR_DELETED):
            if decision.choice is Choice.DROP:
                dropped[pending.key] = pending.anchor
            else:
                kept.append(_as_added(pending, pending.key, reason))
            continue
        override = _decided_override(pending, decision, clauses[pending.key], reason)
        if override is not None:
            overrides[pending.key] = override
        if decision.choice is Choice.KEEP_BOTH:
            key = fresh_key(taken, f"{pending.key}-added")
            taken.add(key)
            beside.append(_as_added(pending, key, reason))
    # In this order what stood together still does: ours beside the trust's, then what the school had added there,
    # then what stood after a clause that is gone.
    return overrides, _chained((*beside, *plan.added, *kept), dropped)


def _decided_override(pending: Pending, decision: Decision, clause: Clause, reason: str) -> Override | None:
    """The override after a decision; None where the trust's text applies."""
    if decision.choice in (Choice.TAKE_THEIRS, Choice.KEEP_BOTH):
        return None
    leaves_out = pending.answer is Answer.LEAVE_OUT and decision.choice is Choice.KEEP_OURS
    words = decided_words(pending, decision)
    if not leaves_out and words == clause.words:
        return None
    if not leaves_out and clause.kind is not Kind.CLAUSE and not words.heading.strip():
        raise RuleBroken("A section, appendix or sub-heading needs a heading.", "heading")
    return Override(
        clause_key=pending.key,
        answer=Answer.LEAVE_OUT if leaves_out else Answer.REPLACE,
        heading=None if leaves_out else words.heading,
        text=None if leaves_out else words.text,
        reason=reason,
        base_heading=clause.heading,
        base_text=clause.text,
        weight=pending.weight,
    )


def _as_added(pending: Pending, key: str, reason: str) -> Added:
    return Added(key, pending.anchor, pending.ours.heading, pending.ours.text, reason, pending.weight)


def _chained(added: Iterable[Added], dropped: Mapping[str, str]) -> tuple[Added, ...]:
    """What stood after a dropped addition stands after that one's anchor now."""

    def anchor(after: str) -> str:
        while after in dropped:
            after = dropped[after]
        return after

    return tuple(replace(one, after=anchor(one.after)) for one in added)


def kept_decisions(
    before: Iterable[Pending], plan: Plan, decisions: Mapping[str, Decision]
) -> dict[str, Decision]:
    """The decisions about an open reconcile that still answer the plan for a newer version, by key.

    `before` are the clauses of the reconcile that is replaced; a decision is kept when its texts did not change.
    """
    asked = {one.key: one for one in before}
    return {
        one.key: decisions[one.key]
        for one in plan.pending
        if one.key in decisions and one.key in asked and one.same_texts(asked[one.key])
    }


def forced(plan: Plan) -> dict[str, Decision]:
    """The decisions of a trust that forces its text after the deadline: the trust's words everywhere.

    The school's own additions are no text of the trust's, so they are kept, in the nearest place.
    """
    return {
        one.key: Decision(
            Choice.KEEP_AS_ADDED
            if one.situation is Situation.ANCHOR_DELETED
            else Choice.DROP
            if one.situation is Situation.DELETED
            else Choice.TAKE_THEIRS
        )
        for one in plan.pending
    }
