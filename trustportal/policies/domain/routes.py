"""Approval routes as data: stages in order, each with a body and its rule, before it is known who holds the posts.

A route becomes `approval.Stage`s, with the people of the day, when something is submitted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from trustportal.access import ROLE_LABELS, Role
from trustportal.errors import RuleBroken
from trustportal.policies.domain.approval import ApprovalRule

__all__ = [
    "AGREEMENT",
    "CHAIR",
    "DEFAULT",
    "EDITION_ROLES",
    "INSTEAD_OF_A_CHAIR",
    "MOST_STAGES",
    "VERSION_ROLES",
    "Step",
    "check_steps",
    "role_words",
    "rule_words",
    "steps_from_json",
    "steps_to_json",
]

#: Posts that may stand in a route of the trust's versions: each may decide.
VERSION_ROLES = (Role.TRUSTEE, Role.CHAIR_OF_TRUST_BOARD, Role.CEO, Role.NETWORK_MANAGER)
#: Posts that may stand in a route of a school's own changes.
EDITION_ROLES = (Role.CHAIR_OF_GOVERNORS, *VERSION_ROLES)
MOST_STAGES = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a route: a body, who belongs to it (by post or by name, as ids), and its rule."""

    body: str
    rule: ApprovalRule
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    needed: int = 1
    quorum: int = 0
    chair_may_act: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "body": self.body,
            "rule": self.rule.value,
            "roles": list(self.roles),
            "people": list(self.people),
            "needed": self.needed,
            "quorum": self.quorum,
            "chair_may_act": self.chair_may_act,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            body=stored["body"],
            rule=ApprovalRule(stored["rule"]),
            roles=tuple(stored.get("roles") or ()),
            people=tuple(str(one) for one in stored.get("people") or ()),
            needed=int(stored.get("needed") or 1),
            quorum=int(stored.get("quorum") or 0),
            chair_may_act=bool(stored.get("chair_may_act")),
        )


#: Asked about the trust's versions unless the trust sets another route: two of the trustees.
DEFAULT = Step(
    "Trust board",
    ApprovalRule.N_OF,
    roles=(Role.TRUSTEE.value, Role.CHAIR_OF_TRUST_BOARD.value),
    needed=2,
    quorum=2,
)
#: A school's own changes go to its chair of governors; where there is none who may vote, to the chief executive.
CHAIR = Step("Chair of governors", ApprovalRule.N_OF, roles=(Role.CHAIR_OF_GOVERNORS.value,))
INSTEAD_OF_A_CHAIR = Step("Chief executive", ApprovalRule.N_OF, roles=(Role.CEO.value,))
#: Asked first about clauses for which the trust wants to agree to a change.
AGREEMENT = Step("The trust's agreement", ApprovalRule.N_OF, roles=(Role.NETWORK_MANAGER.value,))


def steps_to_json(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [step.to_json() for step in steps]


def steps_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(Step.from_json(one) for one in stored)


def check_steps(
    steps: Sequence[Step],
    *,
    roles: Collection[Role],
    people: Collection[str],
    holders: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Raise `RuleBroken` for a route that could not work. `roles`, `people`: who may stand in it.

    `holders`: who holds each post today, where that is known: a rule must not ask for more people than there are.
    The field of the exception is that of the stage's form, like "stage-1-body".
    """
    if not steps:
        raise RuleBroken("A route needs at least one stage: say who approves.", "stage-0-body")
    if len(steps) > MOST_STAGES:
        raise RuleBroken(f"A route has at most {MOST_STAGES} stages.")
    allowed = {role.value for role in roles}
    for at, step in enumerate(steps):
        where = f"stage-{at}-"
        if not step.body.strip():
            raise RuleBroken("Name the body of this stage, for example “Trust board”.", f"{where}body")
        if not step.roles and not step.people:
            raise RuleBroken(f"Choose who belongs to “{step.body}”.", f"{where}who")
        if set(step.roles) - allowed or set(step.people) - set(people):
            raise RuleBroken("Choose from the posts and people in the list.", f"{where}who")
        if step.rule is ApprovalRule.NAMED and (step.roles or len(step.people) != 1):
            raise RuleBroken(
                "For “one named person”, choose exactly one person and no post.",
                f"{where}rule",
            )
        if step.chair_may_act and Role.CHAIR_OF_TRUST_BOARD.value not in step.roles:
            raise RuleBroken(
                "The chair can act alone only where the chair of the trust board belongs to the body.",
                f"{where}chair_may_act",
            )
        if step.needed < 1 or step.quorum < 0:
            raise RuleBroken("Give whole numbers.", f"{where}needed")
        if holders is None:
            continue
        members = set(step.people).union(*(holders.get(role, ()) for role in step.roles))
        asked = max(step.needed if step.rule is ApprovalRule.N_OF else 1, step.quorum)
        if len(members) < asked:
            raise RuleBroken(
                f"“{step.body}” has {len(members)} {'person' if len(members) == 1 else 'people'} today,"
                f" so {asked} can never take part.",
                f"{where}{'quorum' if step.quorum >= asked else 'needed'}",
            )


def rule_words(step: Step) -> str:
    """A stage's rule as people say it: "2 of the members, quorum 3"."""
    said = {
        ApprovalRule.NAMED: "one named person",
        ApprovalRule.N_OF: f"{step.needed} of its members" if step.needed != 1 else "one of its members",
        ApprovalRule.MAJORITY: "a majority of those entitled",
        ApprovalRule.ALL: "all of its members",
    }[step.rule]
    if step.quorum > 1:
        said += f", with a quorum of {step.quorum}"
    if step.chair_may_act:
        said += "; the chair may act alone, to be ratified"
    return said


def role_words(roles: Iterable[str]) -> list[str]:
    """Posts as people say them."""
    return [ROLE_LABELS[Role(role)] for role in roles]
