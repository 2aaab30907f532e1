"""Approval: stages in order, who may vote, when a stage is met or can no longer be met. Votes are bound to a hash.

A stage is what was asked of named people when the version was submitted; who they are is settled before (a route).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Self

from trustportal.errors import RuleBroken

__all__ = [
    "ApprovalRule",
    "Minute",
    "MinuteOutcome",
    "Outcome",
    "RunState",
    "Stage",
    "StageState",
    "Vote",
    "VoteChoice",
    "barred_from",
    "check_chairs_action",
    "check_minute",
    "check_ratification",
    "check_route",
    "check_vote",
    "check_withdraw",
    "judge",
    "judge_run",
    "stages_from_json",
    "stages_to_json",
]


class ApprovalRule(StrEnum):
    """Who must say yes: the person named; N of the body; more than half of those entitled; all of those entitled."""

    NAMED = "named"
    N_OF = "n_of"
    MAJORITY = "majority"
    ALL = "all"


class VoteChoice(StrEnum):
    APPROVE = "approve"
    CHANGES = "changes"
    RECUSE = "recuse"


class Outcome(StrEnum):
    """How a stage or a run stands. RETURNED: its rule can no longer be met, and it goes back to draft."""

    PENDING = "pending"
    APPROVED = "approved"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a route. `needed` counts for N_OF only; `quorum` is how many must take part (0: no quorum).

    `members` are who was asked; `roles` the posts by which they are members, `named` those who are members by name.
    `chair_may_act`: the chair may approve alone between meetings, and the body ratifies it later.
    """

    body: str
    rule: ApprovalRule
    members: tuple[str, ...]
    needed: int = 1
    quorum: int = 0
    roles: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    chair_may_act: bool = False

    def is_member(self, person: str, roles: Collection[str]) -> bool:
        """Whether somebody who was asked still is a member: named, or in one of the posts today."""
        if person not in self.members:
            return False
        return not self.roles or person in self.named or bool(set(self.roles) & set(roles))

    def to_json(self) -> dict[str, Any]:
        return {
            "body": self.body,
            "rule": self.rule.value,
            "members": list(self.members),
            "needed": self.needed,
            "quorum": self.quorum,
            "roles": list(self.roles),
            "named": list(self.named),
            "chair_may_act": self.chair_may_act,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            body=stored["body"],
            rule=ApprovalRule(stored["rule"]),
            members=tuple(stored.get("members") or ()),
            needed=int(stored.get("needed") or 1),
            quorum=int(stored.get("quorum") or 0),
            roles=tuple(stored.get("roles") or ()),
            named=tuple(stored.get("named") or ()),
            chair_may_act=bool(stored.get("chair_may_act")),
        )


def stages_to_json(stages: Iterable[Stage]) -> list[dict[str, Any]]:
    return [stage.to_json() for stage in stages]


def stages_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[Stage, ...]:
    return tuple(Stage.from_json(one) for one in stored)


@dataclass(frozen=True, slots=True)
class Vote:
    """One member's vote in one stage, about the version with `content_hash`."""

    person: str
    choice: VoteChoice
    content_hash: str
    comment: str = ""


class MinuteOutcome(StrEnum):
    APPROVED = "approved"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Minute:
    """A decision that a body took in a meeting, as the clerk records it."""

    body: str
    met_on: date
    reference: str
    quorum_met: bool
    outcome: MinuteOutcome
    content_hash: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class StageState:
    """How a stage stands: `needed` yes votes of `entitled` people, `approvals` so far, who is still asked."""

    outcome: Outcome
    needed: int
    entitled: tuple[str, ...]
    approvals: tuple[str, ...]
    asked_for_changes: tuple[str, ...]
    recused: tuple[str, ...]
    waiting: tuple[str, ...]
    quorum: int
    quorum_met: bool
    comments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RunState:
    """How a run stands: the stage that is open (or the last one), and what each stage came to so far."""

    outcome: Outcome
    stage: int
    stages: tuple[StageState, ...]

    @property
    def comments(self) -> tuple[tuple[str, str], ...]:
        """(person, comment) of everybody who asked for changes: what goes back to the author."""
        return tuple(comment for stage in self.stages for comment in stage.comments)


def barred_from(authors: Iterable[str], submitter: str | None = None) -> frozenset[str]:
    """Who may not vote: nobody votes on their own draft, and whoever submits it answers for it."""
    return frozenset(authors) | ({submitter} if submitter is not None else frozenset())


def judge(
    stage: Stage,
    votes: Iterable[Vote],
    barred: Collection[str],
    content_hash: str,
    minute: Minute | None = None,
) -> StageState:
    """Say how a stage stands. It ends as soon as its rule is met, or can no longer be met.

    People in `barred` and recused ones are out of the count. Votes about another hash do not count: any edit voids
    them. A minuted decision of the body about this hash ends the stage.
    """
    counted = {vote.person: vote for vote in votes if vote.content_hash == content_hash}
    members = [person for person in dict.fromkeys(stage.members) if person not in barred]
    recused = tuple(one for one in members if one in counted and counted[one].choice is VoteChoice.RECUSE)
    entitled = tuple(one for one in members if one not in recused)
    said = {one: counted[one] for one in entitled if one in counted}
    approvals = tuple(one for one, vote in said.items() if vote.choice is VoteChoice.APPROVE)
    against = tuple(one for one, vote in said.items() if vote.choice is VoteChoice.CHANGES)
    waiting = tuple(one for one in entitled if one not in said)
    needed = _needed(stage, len(entitled))
    quorum_met = len(said) >= stage.quorum
    if len(approvals) >= needed and quorum_met:
        outcome = Outcome.APPROVED
    elif len(approvals) + len(waiting) < needed or len(entitled) < stage.quorum:
        outcome = Outcome.RETURNED
    else:
        outcome = Outcome.PENDING
    comments = tuple((one, said[one].comment) for one in against)
    state = StageState(
        outcome, needed, entitled, approvals, against, recused, waiting, stage.quorum, quorum_met, comments
    )
    if minute is not None and minute.content_hash == content_hash and outcome is Outcome.PENDING:
        return _as_minuted(state, minute)
    return state


def _needed(stage: Stage, entitled: int) -> int:
    """How many must approve; never none, so that a stage from which all are recused cannot pass by itself."""
    if stage.rule is ApprovalRule.MAJORITY:
        return entitled // 2 + 1
    if stage.rule is ApprovalRule.ALL:
        return max(entitled, 1)
    return max(stage.needed, 1) if stage.rule is ApprovalRule.N_OF else 1


def _as_minuted(state: StageState, minute: Minute) -> StageState:
    if minute.outcome is MinuteOutcome.RETURNED:
        return replace(
            state, outcome=Outcome.RETURNED, comments=(*state.comments, (minute.body, minute.comment))
        )
    if not minute.quorum_met:
        return state
    return replace(state, outcome=Outcome.APPROVED, quorum_met=True)


def judge_run(
    stages: Sequence[Stage],
    votes: Mapping[int, Sequence[Vote]],
    barred: Collection[str],
    content_hash: str,
    minutes: Mapping[int, Minute] | None = None,
) -> RunState:
    """Say how a run stands. `votes` and `minutes` are by stage, from 0; a stage opens when the one before is met."""
    if not stages:
        raise RuleBroken("This policy has no approval route. Choose who approves it.", "route")
    states: list[StageState] = []
    for at, stage in enumerate(stages):
        state = judge(stage, votes.get(at, ()), barred, content_hash, (minutes or {}).get(at))
        states.append(state)
        if state.outcome is not Outcome.APPROVED:
            return RunState(state.outcome, at, tuple(states))
    return RunState(Outcome.APPROVED, len(stages) - 1, tuple(states))


def check_route(stages: Sequence[Stage], barred: Collection[str]) -> None:
    """Raise `RuleBroken` when a version cannot be submitted on this route, because a stage could never be met."""
    if not stages:
        raise RuleBroken("This policy has no approval route. Choose who approves it.", "route")
    for stage in stages:
        if stage.rule is ApprovalRule.NAMED and len(set(stage.members)) > 1:
            raise RuleBroken(f"“{stage.body}” asks for one named person, but names several.", "route")
        if judge(stage, (), barred, "").outcome is Outcome.RETURNED:
            raise RuleBroken(
                f"“{stage.body}” cannot approve this: too few of its members may vote. "
                "Whoever wrote or submitted it cannot. Change the approval route.",
                "route",
            )


def check_vote(
    stage: Stage,
    votes: Iterable[Vote],
    vote: Vote,
    *,
    barred: Collection[str],
    content_hash: str,
    minute: Minute | None = None,
) -> None:
    """Raise `RuleBroken` when this vote may not be cast in the open stage `stage`.

    Checks, in this order: membership, own draft, the hash that was read, one vote each, the stage still open, and
    that asking for changes says which.
    """
    cast = list(votes)
    if vote.person in barred:
        raise RuleBroken("You wrote or submitted this, so you cannot vote on it.")
    if vote.person not in stage.members:
        raise RuleBroken(f"You are not one of those who approve this for “{stage.body}”.")
    if vote.content_hash != content_hash:
        raise RuleBroken("The text was changed after you opened it. Read it again before you vote.")
    if any(one.person == vote.person and one.content_hash == content_hash for one in cast):
        raise RuleBroken("You have voted on this version already.")
    if judge(stage, cast, barred, content_hash, minute).outcome is not Outcome.PENDING:
        raise RuleBroken("This approval has ended, so no more votes are taken.")
    if vote.choice is VoteChoice.CHANGES and not vote.comment.strip():
        raise RuleBroken("Say what should be changed.", "comment")


def check_minute(stage: Stage, minute: Minute, *, content_hash: str, today: date) -> None:
    """Raise `RuleBroken` when this minuted decision may not be recorded for the open stage."""
    if minute.content_hash != content_hash:
        raise RuleBroken(
            "The text was changed after this was submitted. The body must decide on the new text."
        )
    if not minute.body.strip():
        raise RuleBroken("Say which body took the decision.", "body")
    if not minute.reference.strip():
        raise RuleBroken(
            "Give the reference of the minute, for example “Board 2025/3, minute 7”.", "minute_reference"
        )
    if minute.met_on > today:
        raise RuleBroken("The date of the meeting is in the future.", "met_on")
    if minute.outcome is MinuteOutcome.APPROVED and not minute.quorum_met:
        raise RuleBroken(
            f"A meeting without a quorum cannot approve. “{stage.body}” must meet again.", "quorum_met"
        )
    if minute.outcome is MinuteOutcome.RETURNED and not minute.comment.strip():
        raise RuleBroken("Say what the body asked to be changed.", "comment")


def check_chairs_action(
    stage: Stage, *, barred: Collection[str], person: str, reason: str, content_hash: str, seen_hash: str
) -> None:
    """Raise `RuleBroken` when the chair may not approve alone for the open stage `stage`."""
    if not stage.chair_may_act:
        raise RuleBroken(f"The approval route does not let the chair act alone for “{stage.body}”.")
    if person in barred:
        raise RuleBroken("You wrote or submitted this, so you cannot approve it alone.")
    if person not in stage.members:
        raise RuleBroken(f"You are not one of those who approve this for “{stage.body}”.")
    if seen_hash != content_hash:
        raise RuleBroken("The text was changed after you opened it. Read it again before you decide.")
    if not reason.strip():
        raise RuleBroken("Say why this cannot wait for the next meeting: the body reads it then.", "reason")


def check_ratification(
    *, body: str, met_on: date, reference: str, acted_on: date, ratified: bool, comment: str, today: date
) -> None:
    """Raise `RuleBroken` when what a body decided about its chair's action cannot be recorded like this."""
    if not body.strip():
        raise RuleBroken("Say which body took the decision.", "body")
    if not reference.strip():
        raise RuleBroken(
            "Give the reference of the minute, for example “Board 2025/3, minute 7”.", "minute_reference"
        )
    if met_on > today:
        raise RuleBroken("The date of the meeting is in the future.", "met_on")
    if met_on < acted_on:
        raise RuleBroken("The body can only ratify after its chair has acted.", "met_on")
    if not ratified and not comment.strip():
        raise RuleBroken("Say what the body wants to be done now.", "comment")


def check_withdraw(person: str, submitter: str, outcome: Outcome) -> None:
    """Raise `RuleBroken` unless the submitter withdraws a run that is still open."""
    if person != submitter:
        raise RuleBroken("Only the person who submitted this can withdraw it.")
    if outcome is not Outcome.PENDING:
        raise RuleBroken("This approval has ended, so it cannot be withdrawn.")
